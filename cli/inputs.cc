#include "cli/inputs.h"

#include <algorithm>
#include <cstring>

#include "cli/errors.h"
#include "cli/values.h"
#include "runtime/base/file.h"
#include "runtime/base/half.h"

namespace pj::cli {
namespace {

double per_channel(const std::vector<double>& list, size_t channel, double fallback) {
  if (list.empty()) return fallback;
  return list[list.size() == 1 ? 0 : channel];
}

void check_list(const std::vector<double>& list, const char* option, int channels) {
  if (list.size() > 1 && list.size() != static_cast<size_t>(channels))
    usage_error("{} has {} numbers, but the input has {} channels", option, list.size(), channels);
}

void encode_pixel(const Tensor& input, const PictureOptions& options, int pixel, size_t channel,
                  std::byte* element) {
  if (!options.mean.empty() || !options.std.empty()) {
    const double real =
        (pixel - per_channel(options.mean, channel, 0)) / per_channel(options.std, channel, 1);
    return encode_real(input, real, element);
  }
  if (input.dtype == DType::kU8) {
    *element = static_cast<std::byte>(pixel);
  } else if (input.dtype == DType::kI8) {
    *element = static_cast<std::byte>((pixel - 128) & 0xff);
  } else if (is_float(input.dtype)) {
    encode_real(input, (pixel - 127.5) / 127.5, element);
  } else {
    fail("input '{}' is {}: pictures go into int8, uint8, f16 and f32 inputs",
         printable(input.name), name_of(input.dtype));
  }
}

enum class FileKind { kRaw, kNpy, kPicture };

FileKind kind_of_file(const std::string& path) {
  if (path.ends_with(".bin")) return FileKind::kRaw;
  const auto file = unwrap(MappedFile::open(path));
  return path.ends_with(".npy") || looks_like_npy(file->bytes()) ? FileKind::kNpy
                                                                 : FileKind::kPicture;
}

PictureLayout layout_for(const Tensor& input, const std::string& path) {
  const auto layout = picture_layout(input.shape);
  if (!layout)
    fail("{}: input '{}' ({}) does not hold one picture of 1 or 3 channels; give it .npy or .bin",
         path, printable(input.name), to_string(input.shape));
  return *layout;
}

void read_raw(const Tensor& input, const std::string& path, std::span<std::byte> out) {
  const auto file = unwrap(MappedFile::open(path));
  if (file->bytes().size() != out.size())
    fail("{}: it has {} bytes, but input '{}' takes {} ({} of {})", path, file->bytes().size(),
         printable(input.name), out.size(), to_string(input.shape), name_of(input.dtype));
  std::copy(file->bytes().begin(), file->bytes().end(), out.begin());
}

void read_array(const Tensor& input, const std::string& path, const PictureOptions& options,
                std::span<std::byte> out) {
  const Array array = unwrap(read_npy(path));
  const Shape& shape = input.shape;
  const bool without_batch = shape.rank() == array.shape.rank() + 1 && shape[0] == 1;
  bool same = shape.rank() == array.shape.rank() || without_batch;
  for (int32_t d = 0; same && d < array.shape.rank(); ++d)
    same = shape.back(d) == array.shape.back(d);
  if (!same)
    fail("{}: its shape {} does not fit input '{}' ({})", path, to_string(array.shape),
         printable(input.name), to_string(shape));
  encode_elements(input, options, array.dtype, array.data.bytes, path, out);
}

struct SplitMix64 {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

void fill_random_input(const Tensor& input, uint64_t seed, std::span<std::byte> out) {
  SplitMix64 random{seed};
  const size_t size = size_of(input.dtype);
  for (size_t at = 0; at < out.size(); at += size) {
    const uint64_t draw = random.next();
    if (is_float(input.dtype)) {
      encode_real(input, static_cast<double>(draw >> 40) * 0x1p-23 - 1, out.data() + at);
      continue;
    }
    const uint64_t value = input.dtype == DType::kBool ? draw >> 63 : draw >> 56;
    std::memcpy(out.data() + at, &value, size);  // little-endian
  }
}

}  // namespace

void add_picture_options(Parser& parser, PictureOptions& options) {
  parser
      .option("--mean", options.mean,
              "pictures: subtract M from every pixel 0..255 (one number, or one a channel)")
      .commas()
      .type_name("M[,M,M]");
  parser.option("--std", options.std, "pictures: then divide by S (one number, or one a channel)")
      .commas()
      .positive()
      .type_name("S[,S,S]");
  parser
      .option("--crop", options.crop,
              "pictures: keep the central fraction F, undistorted (default: stretch the whole)")
      .range(0.01, 1.0)
      .type_name("F");
}

std::optional<PictureLayout> picture_layout(const Shape& shape) {
  const int32_t rank = shape.rank();
  if (rank < 3 || rank > 4) return std::nullopt;
  if (rank == 4 && shape[0] != 1 && shape[0] != kUnknownDim) return std::nullopt;
  auto is_channels = [](int32_t d) { return d == 1 || d == 3; };
  if (is_channels(shape[rank - 1]))
    return PictureLayout{shape[rank - 3], shape[rank - 2], shape[rank - 1], false};
  if (is_channels(shape[rank - 3]))
    return PictureLayout{shape[rank - 2], shape[rank - 1], shape[rank - 3], true};
  return std::nullopt;
}

void encode_pixels(const Tensor& input, const PictureOptions& options, std::span<const uint8_t> in,
                   int channels, std::span<std::byte> out) {
  check_list(options.mean, "--mean", channels);
  check_list(options.std, "--std", channels);
  // There are only 256 pixel values a channel: each is converted once.
  const size_t size = size_of(input.dtype);
  const auto count = static_cast<size_t>(channels);
  std::vector<std::byte> table(count * 256 * size);
  for (size_t c = 0; c < count; ++c)
    for (size_t p = 0; p < 256; ++p)
      encode_pixel(input, options, static_cast<int>(p), c, table.data() + (c * 256 + p) * size);
  const auto layout = picture_layout(input.shape);
  const bool planes = layout && layout->planes;
  const size_t pixels = in.size() / count;
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t c = i % count;
    const size_t to = planes ? c * pixels + i / count : i;
    std::memcpy(out.data() + to * size, table.data() + (c * 256 + in[i]) * size, size);
  }
}

void encode_picture(const Tensor& input, const PictureOptions& options, const Picture& picture,
                    std::span<std::byte> out) {
  const PictureLayout layout = *picture_layout(input.shape);
  const Picture cropped =
      options.crop > 0 ? crop_center(picture, options.crop, layout.height, layout.width) : picture;
  encode_pixels(input, options, resize(cropped, layout.height, layout.width).pixels,
                layout.channels, out);
}

void encode_elements(const Tensor& input, const PictureOptions& options, DType dtype,
                     std::span<const std::byte> in, const std::string& what,
                     std::span<std::byte> out) {
  if (dtype == input.dtype && options.mean.empty() && options.std.empty()) {
    std::copy(in.begin(), in.end(), out.begin());
  } else if (dtype == DType::kU8) {
    const auto layout = picture_layout(input.shape);
    if (layout && layout->planes)
      fail("{}: uint8 arrays are pixels with channels last, but input '{}' is {}; save it as {}",
           what, printable(input.name), to_string(input.shape), name_of(input.dtype));
    const int channels = layout ? layout->channels : 1;
    encode_pixels(input, options, {reinterpret_cast<const uint8_t*>(in.data()), in.size()},
                  channels, out);
  } else if (dtype == input.dtype) {
    std::copy(in.begin(), in.end(), out.begin());
  } else if (is_float(dtype)) {
    Tensor floats;
    floats.dtype = dtype;
    const std::vector<double> reals = real_values(floats, in);
    for (size_t i = 0; i < reals.size(); ++i)
      encode_real(input, reals[i], out.data() + i * size_of(input.dtype));
  } else {
    fail("{}: {} elements do not fit input '{}' of {}; convert the array to {}", what,
         name_of(dtype), printable(input.name), name_of(input.dtype), name_of(input.dtype));
  }
}

Shape shape_for_file(const Tensor& declared, const std::string& path) {
  Shape shape = declared.shape;
  if (is_static(shape)) return shape;
  const FileKind kind = kind_of_file(path);
  if (kind == FileKind::kNpy) {
    const Array array = unwrap(read_npy(path));
    if (array.shape.rank() == shape.rank()) return array.shape;
    fail("{}: its shape {} does not fit input '{}' ({})", path, to_string(array.shape),
         printable(declared.name), to_string(shape));
  }
  if (kind == FileKind::kPicture) {
    const PictureLayout layout = layout_for(declared, path);
    const Picture picture = unwrap(read_picture(path, layout.channels));
    const int32_t rows = shape.rank() - (layout.planes ? 2 : 3);
    if (shape[rows] == kUnknownDim) shape[rows] = picture.height;
    if (shape[rows + 1] == kUnknownDim) shape[rows + 1] = picture.width;
  }
  return filled(shape, 1);
}

void read_input(const Tensor& input, const std::string& path, const PictureOptions& options,
                std::span<std::byte> out) {
  switch (kind_of_file(path)) {
    case FileKind::kRaw:
      return read_raw(input, path, out);
    case FileKind::kNpy:
      return read_array(input, path, options, out);
    case FileKind::kPicture:
      break;
  }
  const PictureLayout layout = layout_for(input, path);
  encode_picture(input, options, unwrap(read_picture(path, layout.channels)), out);
}

Shape filled(Shape shape, int32_t value) {
  for (int32_t i = 0; i < shape.rank(); ++i)
    if (shape[i] == kUnknownDim) shape[i] = value;
  return shape;
}

bool complete_shapes(Session& session) {
  bool any = false;
  for (size_t i = 0; i < session.input_count() && !session.prepared(); ++i) {
    const Shape shape = session.input(i).shape;
    if (is_static(shape)) continue;
    unwrap(session.resize_input(i, filled(shape, 1)));
    any = true;
  }
  return any;
}

void fill_random(Session& session) {
  for (size_t i = 0; i < session.input_count(); ++i)
    fill_random_input(session.input(i), 1 + i, session.input_data(i));
}

}  // namespace pj::cli
