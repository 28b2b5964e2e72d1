#include "cli/picture.h"

#include <algorithm>
#include <cmath>

#include "cli/jpeg_check.h"
#include "runtime/base/file.h"

#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#include <stb/stb_image.h>

namespace pj::cli {
namespace {

// A decoded picture may take so many pixels: 8 times a large photo's.
constexpr int64_t kMaxPixels = int64_t{1} << 27;

// For one output position: the input positions it reads and their weights.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Taps> triangle_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double radius = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<size_t>(out));
  for (int o = 0; o < out; ++o) {
    const double center = (o + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(center - radius + 0.5)));
    const int last = std::min(in, static_cast<int>(std::floor(center + radius + 0.5)));
    Taps& taps = all[static_cast<size_t>(o)];
    taps.first = first;
    double sum = 0;
    for (int i = first; i < last; ++i) {
      const double weight = std::max(0.0, 1.0 - std::abs(i + 0.5 - center) / radius);
      taps.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& w : taps.weights) w = static_cast<float>(w / sum);
  }
  return all;
}

}  // namespace

Result<Picture> read_picture(const std::string& path, int channels) {
  PJ_ASSIGN(auto file, MappedFile::open(path));
  const auto* data = reinterpret_cast<const stbi_uc*>(file->bytes().data());
  auto broken = [&] {
    const char* reason = stbi_failure_reason();
    return error(ErrorCode::kModelFormat, "'{}' cannot be decoded as PNG, JPEG or BMP picture: {}",
                 path, reason != nullptr ? reason : "unknown format");
  };
  int width = 0, height = 0, in_file = 0;
  if (file->bytes().empty())
    return error(ErrorCode::kModelFormat, "'{}' is empty, so it is no picture", path);
  if (file->bytes().size() > INT32_MAX)
    return error(ErrorCode::kLimitExceeded, "'{}' passes 2 GB, the limit for pictures", path);
  if (has_oversized_huffman_table(file->bytes()))
    return error(ErrorCode::kModelFormat,
                 "'{}' is a damaged JPEG: a Huffman table has too many codes", path);
  const int size = static_cast<int>(file->bytes().size());
  if (stbi_info_from_memory(data, size, &width, &height, &in_file) == 0) return broken();
  if (static_cast<int64_t>(width) * height > kMaxPixels)
    return error(ErrorCode::kLimitExceeded, "'{}' has {} x {} pixels, more than {}", path, width,
                 height, kMaxPixels);
  stbi_uc* pixels = stbi_load_from_memory(data, size, &width, &height, &in_file, channels);
  if (pixels == nullptr) return broken();
  Picture picture{height, width, channels, {}};
  picture.pixels.assign(pixels, pixels + static_cast<size_t>(width) * static_cast<size_t>(height) *
                                             static_cast<size_t>(channels));
  stbi_image_free(pixels);
  return picture;
}

Picture crop_center(const Picture& picture, double fraction, int height, int width) {
  // The largest box of that shape inside the picture, before `fraction`.
  const double unit = std::min(static_cast<double>(picture.height) / height,
                               static_cast<double>(picture.width) / width);
  auto side = [&](int shape, int limit) {
    const int length = static_cast<int>(std::lround(unit * shape * fraction));
    return std::clamp(length, 1, limit);
  };
  Picture out{side(height, picture.height), side(width, picture.width), picture.channels, {}};
  const auto channels = static_cast<size_t>(picture.channels);
  const auto top = static_cast<size_t>((picture.height - out.height) / 2);
  const auto left = static_cast<size_t>((picture.width - out.width) / 2);
  const size_t row = static_cast<size_t>(out.width) * channels;
  for (size_t y = 0; y < static_cast<size_t>(out.height); ++y) {
    const uint8_t* from =
        picture.pixels.data() + ((top + y) * static_cast<size_t>(picture.width) + left) * channels;
    out.pixels.insert(out.pixels.end(), from, from + row);
  }
  return out;
}

Picture resize(const Picture& picture, int height, int width) {
  if (picture.height == height && picture.width == width) return picture;
  const auto channels = static_cast<size_t>(picture.channels);
  const size_t in_row = static_cast<size_t>(picture.width) * channels;
  const size_t out_row = static_cast<size_t>(width) * channels;

  // Along rows first, into floats, then along columns.
  const std::vector<Taps> columns = triangle_taps(picture.width, width);
  std::vector<float> narrow(static_cast<size_t>(picture.height) * out_row);
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y) {
    const uint8_t* in = picture.pixels.data() + y * in_row;
    float* out = narrow.data() + y * out_row;
    for (const Taps& taps : columns) {
      for (size_t c = 0; c < channels; ++c) {
        const uint8_t* p = in + static_cast<size_t>(taps.first) * channels + c;
        float sum = 0;
        for (size_t i = 0; i < taps.weights.size(); ++i) sum += taps.weights[i] * p[i * channels];
        *out++ = sum;
      }
    }
  }
  Picture result{height, width, picture.channels, {}};
  result.pixels.reserve(static_cast<size_t>(height) * out_row);
  for (const Taps& taps : triangle_taps(picture.height, height)) {
    for (size_t x = 0; x < out_row; ++x) {
      const float* p = narrow.data() + static_cast<size_t>(taps.first) * out_row + x;
      float sum = 0;
      for (size_t i = 0; i < taps.weights.size(); ++i) sum += taps.weights[i] * p[i * out_row];
      result.pixels.push_back(static_cast<uint8_t>(std::clamp(sum + 0.5f, 0.0f, 255.0f)));
    }
  }
  return result;
}

}  // namespace pj::cli
