#include "converters/tflite/flex_map.h"

#include <bit>
#include <cstdint>

namespace pj {
namespace {

constexpr uint64_t kMaxEntries = 256;  // real options have about ten
constexpr size_t kMaxKey = 256;

// Types that we read; the high six bits of a packed type. The low two are log2 of a byte width.
enum FlexType : uint8_t {
  kInt = 1,
  kUInt = 2,
  kFloat = 3,
  kIndirectInt = 6,
  kIndirectUInt = 7,
  kIndirectFloat = 8,
  kMap = 9,
  kBool = 26,
};

tl::unexpected<Error> damaged() {
  return error(ErrorCode::kModelInvalid,
               "its custom options are not a valid FlexBuffers map; convert the model again");
}

constexpr bool is_width(uint64_t w) { return w == 1 || w == 2 || w == 4 || w == 8; }

// Every read is checked against the end; positions are 64-bit and so cannot wrap.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool has(uint64_t position, uint64_t count) const {
    return position <= bytes_.size() && count <= bytes_.size() - position;
  }
  std::optional<uint64_t> uint(uint64_t position, uint64_t width) const {
    if (!is_width(width) || !has(position, width)) return std::nullopt;
    uint64_t value = 0;
    for (uint64_t i = 0; i < width; ++i)
      value |= std::to_integer<uint64_t>(bytes_[position + i]) << (8 * i);
    return value;
  }
  // Where the offset stored at `position` points: always backwards.
  std::optional<uint64_t> target(uint64_t position, uint64_t width) const {
    const std::optional<uint64_t> offset = uint(position, width);
    if (!offset || *offset > position) return std::nullopt;
    return position - *offset;
  }
  std::optional<std::string> key(uint64_t position) const {
    std::string s;
    for (; has(position, 1) && s.size() <= kMaxKey; ++position) {
      const char c = std::to_integer<char>(bytes_[position]);
      if (c == '\0') return s;
      s += c;
    }
    return std::nullopt;
  }

 private:
  std::span<const std::byte> bytes_;
};

double sign_extended(uint64_t value, uint64_t width) {
  const unsigned unused = static_cast<unsigned>(64 - 8 * width);
  return static_cast<double>(static_cast<int64_t>(value << unused) >> unused);
}

enum class Found { kNumber, kOther, kDamaged };

// The scalar at `position`, stored with `width` bytes or behind an offset of that width.
Found read_number(const Reader& reader, uint64_t position, uint64_t width, uint8_t packed,
                  double& number) {
  uint8_t type = packed >> 2;
  if (type == kIndirectInt || type == kIndirectUInt || type == kIndirectFloat) {
    const std::optional<uint64_t> target = reader.target(position, width);
    if (!target) return Found::kDamaged;
    position = *target;
    width = uint64_t{1} << (packed & 3);
    type = static_cast<uint8_t>(type - kIndirectInt + kInt);
  }
  const std::optional<uint64_t> raw = reader.uint(position, width);
  if (!raw) return Found::kDamaged;
  switch (type) {
    case kInt:
      number = sign_extended(*raw, width);
      return Found::kNumber;
    case kUInt:
    case kBool:
      number = static_cast<double>(*raw);
      return Found::kNumber;
    case kFloat:
      if (width < 4) return Found::kDamaged;
      number = width == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(*raw)))
                          : std::bit_cast<double>(*raw);
      return Found::kNumber;
    default:
      return Found::kOther;
  }
}

// A map is a vector of values, preceded by its size, the width of its keys and the offset of its
// keys, and followed by one packed type a value. The keys are a vector of offsets to strings.
struct MapLayout {
  uint64_t values, width, size;
  uint64_t keys, key_width;
};

std::optional<MapLayout> find_map(const Reader& reader, uint64_t total) {
  // The buffer ends with the root, its packed type and its width.
  if (total < 3) return std::nullopt;
  const std::optional<uint64_t> root_width = reader.uint(total - 1, 1);
  const std::optional<uint64_t> packed = reader.uint(total - 2, 1);
  if (!is_width(*root_width) || *root_width > total - 2 || *packed >> 2 != kMap)
    return std::nullopt;
  const std::optional<uint64_t> values = reader.target(total - 2 - *root_width, *root_width);
  MapLayout m{};
  m.width = uint64_t{1} << (*packed & 3);
  if (!values || *values < 3 * m.width) return std::nullopt;
  m.values = *values;
  const std::optional<uint64_t> size = reader.uint(m.values - m.width, m.width);
  const std::optional<uint64_t> keys = reader.target(m.values - 3 * m.width, m.width);
  const std::optional<uint64_t> key_width = reader.uint(m.values - 2 * m.width, m.width);
  if (!size || !keys || !key_width || *size > kMaxEntries || !is_width(*key_width))
    return std::nullopt;
  m.size = *size;
  m.keys = *keys;
  m.key_width = *key_width;
  return m;
}

}  // namespace

Result<FlexMap> FlexMap::parse(std::span<const std::byte> bytes) {
  const Reader reader(bytes);
  const std::optional<MapLayout> m = find_map(reader, bytes.size());
  if (!m) return damaged();
  FlexMap map;
  for (uint64_t i = 0; i < m->size; ++i) {
    const std::optional<uint64_t> key_at = reader.target(m->keys + i * m->key_width, m->key_width);
    if (!key_at) return damaged();
    std::optional<std::string> key = reader.key(*key_at);
    const std::optional<uint64_t> packed = reader.uint(m->values + m->size * m->width + i, 1);
    if (!key || !packed) return damaged();
    double number = 0;
    switch (read_number(reader, m->values + i * m->width, m->width, static_cast<uint8_t>(*packed),
                        number)) {
      case Found::kNumber:
        map.entries_.emplace_back(std::move(*key), number);
        break;
      case Found::kOther:
        break;
      case Found::kDamaged:
        return damaged();
    }
  }
  return map;
}

std::optional<double> FlexMap::find(std::string_view key) const {
  for (const auto& [name, number] : entries_)
    if (name == key) return number;
  return std::nullopt;
}

}  // namespace pj
