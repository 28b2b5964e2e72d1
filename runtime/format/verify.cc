#include "runtime/format/verify.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "pj_generated.h"

namespace pj::format {
namespace {

enum Type : uint8_t {
  kData,
  kQuantization,
  kTensor,
  kAttribute,
  kOp,
  kGraph,
  kPackedEntry,
  kValue,
  kChoice,
  kTarget,
  kSection,
  kModel,
  kTypes,
};

enum class Content : uint8_t { kScalar, kString, kNumbers, kTable, kTables };

struct Field {
  uint16_t entry;   // of the vtable
  uint8_t bytes;    // in the table, which are aligned
  Content content;  // of what it refers to, if it is no scalar
  Type type = kTypes;
  bool required = false;
};

// Whatever of a table is read has to be here: tests compare with FlatBuffers' verifier.
constexpr Field scalar(uint16_t entry, uint8_t bytes) { return {entry, bytes, Content::kScalar}; }
constexpr Field text(uint16_t entry, bool required = false) {
  return {entry, 4, Content::kString, kTypes, required};
}
constexpr Field numbers(uint16_t entry) { return {entry, 4, Content::kNumbers}; }
constexpr Field table(uint16_t entry, Type type, bool required = false) {
  return {entry, 4, Content::kTable, type, required};
}
constexpr Field tables(uint16_t entry, Type type) { return {entry, 4, Content::kTables, type}; }

constexpr Field kDataFields[] = {scalar(fb::Data::VT_SECTION, 4), scalar(fb::Data::VT_OFFSET, 8),
                                 scalar(fb::Data::VT_SIZE, 8)};
constexpr Field kQuantizationFields[] = {numbers(fb::Quantization::VT_SCALE),
                                         numbers(fb::Quantization::VT_ZERO_POINT),
                                         scalar(fb::Quantization::VT_AXIS, 4)};
constexpr Field kTensorFields[] = {
    text(fb::Tensor::VT_NAME), scalar(fb::Tensor::VT_DTYPE, 1), numbers(fb::Tensor::VT_SHAPE),
    table(fb::Tensor::VT_QUANTIZATION, kQuantization), table(fb::Tensor::VT_DATA, kData)};
constexpr Field kAttributeFields[] = {
    text(fb::Attribute::VT_NAME, true), scalar(fb::Attribute::VT_INT_VALUE, 4),
    scalar(fb::Attribute::VT_FLOAT_VALUE, 4), numbers(fb::Attribute::VT_LIST_VALUE)};
constexpr Field kOpFields[] = {text(fb::Op::VT_KIND, true), text(fb::Op::VT_NAME),
                               tables(fb::Op::VT_ATTRIBUTES, kAttribute),
                               numbers(fb::Op::VT_INPUTS), numbers(fb::Op::VT_OUTPUTS)};
constexpr Field kGraphFields[] = {text(fb::Graph::VT_NAME), tables(fb::Graph::VT_TENSORS, kTensor),
                                  tables(fb::Graph::VT_OPS, kOp), numbers(fb::Graph::VT_INPUTS),
                                  numbers(fb::Graph::VT_OUTPUTS)};
constexpr Field kPackedEntryFields[] = {
    scalar(fb::PackedEntry::VT_OP, 4), scalar(fb::PackedEntry::VT_ROLE, 1),
    text(fb::PackedEntry::VT_PACKING, true), table(fb::PackedEntry::VT_DATA, kData, true)};
constexpr Field kValueFields[] = {text(fb::Value::VT_KEY, true), scalar(fb::Value::VT_VALUE, 8)};
constexpr Field kChoiceFields[] = {scalar(fb::Choice::VT_OP, 4), text(fb::Choice::VT_KERNEL, true),
                                   tables(fb::Choice::VT_VALUES, kValue)};
constexpr Field kTargetFields[] = {text(fb::Target::VT_NAME),
                                   scalar(fb::Target::VT_ISA, 8),
                                   scalar(fb::Target::VT_CORES, 4),
                                   scalar(fb::Target::VT_L1_BYTES, 8),
                                   scalar(fb::Target::VT_L2_BYTES, 8),
                                   scalar(fb::Target::VT_L3_BYTES, 8),
                                   tables(fb::Target::VT_PACKED, kPackedEntry),
                                   tables(fb::Target::VT_CHOICES, kChoice)};
constexpr Field kSectionFields[] = {
    scalar(fb::Section::VT_OFFSET, 8), scalar(fb::Section::VT_SIZE, 8),
    scalar(fb::Section::VT_CRC32, 4), scalar(fb::Section::VT_KIND, 1),
    scalar(fb::Section::VT_TARGET, 4)};
constexpr Field kModelFields[] = {
    text(fb::Model::VT_PRODUCER), table(fb::Model::VT_GRAPH, kGraph, true),
    tables(fb::Model::VT_SECTIONS, kSection), tables(fb::Model::VT_TARGETS, kTarget)};
constexpr std::span<const Field> kFields[kTypes] = {
    kDataFields,   kQuantizationFields, kTensorFields,      kAttributeFields,
    kOpFields,     kGraphFields,        kPackedEntryFields, kValueFields,
    kChoiceFields, kTargetFields,       kSectionFields,     kModelFields};
constexpr size_t kMostFields = 8;

// Types with fields that have to be aligned to 8 bytes.
constexpr auto kLongNumbers = [] {
  std::array<bool, kTypes> has{};
  for (size_t i = 0; i < kTypes; ++i)
    for (const Field& f : kFields[i]) has[i] = has[i] || f.bytes == 8;
  return has;
}();

class Verifier {
 public:
  Verifier(std::span<const std::byte> bytes, size_t most_tables, int most_depth)
      : bytes_(bytes.data()), size_(bytes.size()), tables_left_(most_tables), depth_(most_depth) {}

  bool run() {
    size_t root = 0;
    return follow(root) && verify_table(root, kModel);
  }

 private:
  template <typename T>
  T read(size_t at) const {
    T value;
    std::memcpy(&value, bytes_ + at, sizeof(value));
    return value;
  }
  bool holds(size_t at, size_t bytes) const { return bytes <= size_ && at <= size_ - bytes; }

  // From the place of a reference to what it refers to, further on.
  bool follow(size_t& at) const {
    if (!holds(at, 4)) return false;
    const uint32_t distance = read<uint32_t>(at);
    if (distance == 0 || distance > INT32_MAX) return false;
    at += distance;
    return at < size_;
  }

  // A list of `bytes` bytes each, after their number.
  bool verify_list(size_t at, size_t bytes, size_t& end) const {
    if (at % 4 != 0 || !holds(at, 4)) return false;
    const uint64_t last = at + 4 + uint64_t{read<uint32_t>(at)} * bytes;
    end = static_cast<size_t>(last);
    return last <= size_;
  }

  bool verify_string(size_t at) {
    if (at == string_) return true;
    size_t end = 0;
    if (!verify_list(at, 1, end) || end == size_ || bytes_[end] != std::byte{}) return false;
    string_ = at;
    return true;
  }

  // Where a table of a type has its fields.
  struct Layout {
    size_t vtable = SIZE_MAX;
    size_t phase = 0;                   // of the table's place, where it has numbers of 8 bytes
    size_t bytes = 0;                   // of the table, up to the end of its last field
    uint16_t offset[kMostFields] = {};  // of fields; 0: absent
  };
  static constexpr size_t kKnown = 8;

  bool read_layout(size_t at, size_t vtable, size_t phase, Type type, Layout& layout) const {
    if (vtable % 2 != 0 || !holds(vtable, 2)) return false;
    const auto vtable_bytes = read<uint16_t>(vtable);
    if (vtable_bytes % 2 != 0 || !holds(vtable, vtable_bytes)) return false;
    layout = {vtable, phase};
    layout.bytes = 4;
    uint16_t* offset = layout.offset;
    for (const Field& f : kFields[type]) {
      *offset = f.entry < vtable_bytes ? read<uint16_t>(vtable + f.entry) : uint16_t{0};
      if (*offset == 0 && f.required) return false;
      if (*offset != 0 && (at + *offset) % f.bytes != 0) return false;
      if (*offset != 0) layout.bytes = std::max<size_t>(layout.bytes, *offset + f.bytes);
      ++offset;
    }
    return true;
  }

  bool verify_table(size_t at, Type type) {
    if (depth_ == 0 || tables_left_ == 0 || at % 4 != 0 || !holds(at, 4)) return false;
    --tables_left_;
    // Distances to vtables have a sign: they wrap.
    const size_t vtable = at - static_cast<size_t>(int64_t{read<int32_t>(at)});
    const size_t phase = kLongNumbers[type] ? at % 8 : 0;
    Layout& known = layouts_[type][(vtable / 2 ^ vtable / 16) % kKnown];
    if (known.vtable != vtable || known.phase != phase) {
      known.vtable = SIZE_MAX;
      Layout layout;
      if (!read_layout(at, vtable, phase, type, layout)) return false;
      known = layout;
    }
    if (!holds(at, known.bytes)) return false;
    --depth_;
    for (size_t i = 0; i < kFields[type].size(); ++i) {
      const Field& field = kFields[type][i];
      // Tables of the same type, deeper down, would change `known`: there are none.
      if (field.content == Content::kScalar || known.offset[i] == 0) continue;
      if (!verify_field(field, at + known.offset[i])) return false;
    }
    ++depth_;
    return true;
  }

  bool verify_field(const Field& field, size_t at) {
    size_t end = 0;
    if (!follow(at)) return false;
    switch (field.content) {
      case Content::kString:
        return verify_string(at);
      case Content::kNumbers:
        return verify_list(at, 4, end);
      case Content::kTable:
        return verify_table(at, field.type);
      default:
        break;
    }
    if (!verify_list(at, 4, end)) return false;
    for (size_t reference = at + 4; reference < end; reference += 4) {
      size_t element = reference;
      if (!follow(element) || !verify_table(element, field.type)) return false;
    }
    return true;
  }

  const std::byte* bytes_;
  size_t size_;
  size_t tables_left_;
  int depth_;
  size_t string_ = SIZE_MAX;        // one that was verified: writers share names of attributes
  Layout layouts_[kTypes][kKnown];  // of each type, some that were met
};

}  // namespace

bool verify_metadata(std::span<const std::byte> metadata, size_t most_tables, int most_depth) {
  return Verifier(metadata, most_tables, most_depth).run();
}

}  // namespace pj::format
