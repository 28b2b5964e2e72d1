#include "cli/npy.h"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "runtime/base/aligned.h"
#include "runtime/base/file.h"

namespace pj::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;  // of the data, as numpy writes it

constexpr struct {
  DType dtype;
  std::string_view descr;
} kTypes[] = {{DType::kF32, "<f4"}, {DType::kF16, "<f2"}, {DType::kI8, "|i1"},
              {DType::kU8, "|u1"},  {DType::kI16, "<i2"}, {DType::kI32, "<i4"},
              {DType::kI64, "<i8"}, {DType::kBool, "|b1"}};

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A reader for the header: the literal of a Python dictionary with strings, booleans and a tuple.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool take(char c) {
    skip_space();
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string_view> string() {
    skip_space();
    if (text_.empty() || (text_[0] != '\'' && text_[0] != '"')) return std::nullopt;
    const size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view content = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return content;
  }
  std::optional<int64_t> integer() {
    skip_space();
    int64_t value = 0;
    const auto [end, status] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (status != std::errc()) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    take('L');  // Python 2 wrote 64-bit numbers so
    return value;
  }
  bool at_end() {
    skip_space();
    return text_.empty();
  }

 private:
  void skip_space() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  std::string_view text_;
};

struct Header {
  std::optional<DType> dtype;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
};

tl::unexpected<Error> malformed(std::string_view what) {
  return error(ErrorCode::kModelFormat, "not a usable .npy file: {}", what);
}

Result<DType> parse_type(Scanner& in) {
  const auto descr = in.string();
  if (!descr)
    return error(ErrorCode::kModelUnsupported,
                 "arrays of records are not supported; save one plain array");
  for (const auto& type : kTypes) {
    if (descr->size() != 3 || descr->substr(1) != type.descr.substr(1)) continue;
    if (std::string_view("<>|=").find((*descr)[0]) == std::string_view::npos) break;
    // The byte order means nothing for single bytes.
    if ((*descr)[0] != '>' || size_of(type.dtype) == 1) return type.dtype;
    return error(ErrorCode::kModelUnsupported,
                 "big-endian elements ('{}') are not supported; save as '{}'", *descr, type.descr);
  }
  return error(ErrorCode::kModelUnsupported,
               "element type '{}' is not supported; save as float32, float16, int8, uint8, int16, "
               "int32, int64 or bool",
               *descr);
}

Result<Shape> parse_shape(Scanner& in) {
  if (!in.take('(')) return malformed("the shape is no tuple");
  Shape shape;
  while (!in.take(')')) {
    const auto dim = in.integer();
    if (!dim || *dim < 0) return malformed("a dimension is no number");
    if (shape.rank() == kMaxRank || *dim > INT32_MAX)
      return error(ErrorCode::kModelUnsupported,
                   "the array has more than {} dimensions or one above 2^31", kMaxRank);
    shape.push_back(static_cast<int32_t>(*dim));
    if (!in.take(',')) {
      if (!in.take(')')) return malformed("the shape does not end");
      break;
    }
  }
  return shape;
}

Result<Header> parse_header(std::string_view text) {
  Scanner in(text);
  Header header;
  if (!in.take('{')) return malformed("the header is no dictionary");
  while (!in.take('}')) {
    const auto key = in.string();
    if (!key || !in.take(':')) return malformed("the header is damaged");
    if (*key == "descr") {
      PJ_ASSIGN(header.dtype, parse_type(in));
    } else if (*key == "fortran_order") {
      const bool yes = in.take("True");
      if (!yes && !in.take("False")) return malformed("fortran_order is no truth value");
      header.fortran = yes;
    } else if (*key == "shape") {
      PJ_ASSIGN(header.shape, parse_shape(in));
    } else {
      return malformed("the header has an unknown entry");
    }
    if (in.take(',')) continue;
    if (!in.take('}')) return malformed("the header does not end");
    break;
  }
  if (!in.at_end()) return malformed("something follows the header");
  if (!header.dtype || !header.fortran || !header.shape)
    return malformed("the header lacks descr, fortran_order or shape");
  return header;
}

// Bytes before the header's text, and the text's length.
struct Preamble {
  size_t begin = 0, length = 0;
};
Result<Preamble> parse_preamble(std::span<const std::byte> file) {
  auto byte = [&](size_t i) { return std::to_integer<size_t>(file[i]); };
  if (!looks_like_npy(file) || file.size() < 12) return malformed("it is too short");
  const size_t major = byte(6);
  if (major < 1 || major > 3)
    return error(ErrorCode::kModelUnsupported, ".npy version {} is not supported", major);
  Preamble p;
  if (major == 1) {
    p = {10, byte(8) | byte(9) << 8};
  } else {
    p = {12, byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24};
  }
  if (p.length > file.size() - p.begin) return malformed("it ends within the header");
  return p;
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> file) { return as_text(file).starts_with(kMagic); }

Result<Array> parse_npy(SharedBytes file) {
  PJ_ASSIGN(const Preamble preamble, parse_preamble(file.bytes));
  PJ_ASSIGN(const Header header,
            parse_header(as_text(file.bytes.subspan(preamble.begin, preamble.length))));
  Array array{*header.dtype, *header.shape, {}};
  if (*header.fortran && array.shape.rank() > 1)
    return error(ErrorCode::kModelUnsupported,
                 "Fortran order is not supported; save numpy.ascontiguousarray(a)");
  const std::optional<int64_t> count = element_count(array.shape);
  const auto rest = file.bytes.subspan(preamble.begin + preamble.length);
  if (!count || static_cast<uint64_t>(*count) > rest.size() / size_of(array.dtype))
    return malformed(fmt::format("it is truncated: {} bytes are too few for {} of {}", rest.size(),
                                 to_string(array.shape), name_of(array.dtype)));
  array.data = {rest.first(static_cast<size_t>(*count) * size_of(array.dtype)), file.owner};
  return array;
}

Result<Array> read_npy(const std::string& path) {
  PJ_ASSIGN(auto file, MappedFile::open(path));
  if (!looks_like_npy(file->bytes()))
    return error(ErrorCode::kModelFormat, "'{}' is not a .npy file", path);
  Result<Array> array = parse_npy({file->bytes(), file});
  if (!array) return in_context(path, std::move(array.error()));
  return array;
}

Status write_npy(const std::string& path, DType dtype, const Shape& shape,
                 std::span<const std::byte> bytes) {
  std::string dims;
  for (int32_t d : shape) dims += fmt::format("{}, ", d);
  if (shape.rank() > 1) dims.resize(dims.size() - 2);
  if (shape.rank() == 1) dims.pop_back();
  std::string_view descr;
  for (const auto& type : kTypes)
    if (type.dtype == dtype) descr = type.descr;
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, dims);
  const size_t preamble = kMagic.size() + 4;
  const size_t total = round_up(preamble + text.size() + 1, kAlignment);
  text.append(total - preamble - text.size() - 1, ' ');
  text += '\n';

  std::string header(kMagic);
  header +=
      {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  header += text;
  const std::array parts{std::as_bytes(std::span(header)), bytes};
  return write_file_atomically(path, parts);
}

}  // namespace pj::cli
