#include "runtime/format/attributes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

namespace pj::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr auto kKindsByName = [] {
  std::array kinds = {
#define X(kind, name, params) std::pair<std::string_view, OpKind>{name, OpKind::k##kind},
      PJ_OPERATORS(X)
#undef X
  };
  std::sort(kinds.begin(), kinds.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return kinds;
}();

struct AttributeWriter {
  FlatBufferBuilder& builder;
  std::vector<Offset<fb::Attribute>> records;

  void operator()(const char* name, int32_t v) {
    // Strings must be complete before the table that holds them begins.
    const auto key = builder.CreateSharedString(name);
    fb::AttributeBuilder record(builder);
    record.add_name(key);
    record.add_int_value(v);
    records.push_back(record.Finish());
  }
  void operator()(const char* name, bool v) { (*this)(name, int32_t{v}); }
  void operator()(const char* name, float v) {
    const auto key = builder.CreateSharedString(name);
    fb::AttributeBuilder record(builder);
    record.add_name(key);
    record.add_float_value(v);
    records.push_back(record.Finish());
  }
  void operator()(const char* name, const Dims& v) {
    const auto key = builder.CreateSharedString(name);
    const auto list = builder.CreateVector(v.v.data(), static_cast<size_t>(v.count));
    fb::AttributeBuilder record(builder);
    record.add_name(key);
    record.add_list_value(list);
    records.push_back(record.Finish());
  }
  template <typename E>
  requires std::is_enum_v<E>
  void operator()(const char* name, E v) { (*this)(name, static_cast<int32_t>(v)); }
};

std::string_view view(const flatbuffers::String* s) { return {s->c_str(), s->size()}; }

// A record's parts; null for those that are absent.
struct Parts {
  explicit Parts(const fb::Attribute& a) : name(view(a.name())) {
    const auto& table = reinterpret_cast<const flatbuffers::Table&>(a);
    number = table.GetAddressOf(fb::Attribute::VT_INT_VALUE);
    real = table.GetAddressOf(fb::Attribute::VT_FLOAT_VALUE);
    list = table.GetAddressOf(fb::Attribute::VT_LIST_VALUE) == nullptr ? nullptr : a.list_value();
  }

  std::string_view name;
  const uint8_t *number, *real;
  const flatbuffers::Vector<int32_t>* list;
};

Status read_value(const Parts& a, int32_t& field) {
  if (a.number == nullptr || a.real != nullptr || a.list != nullptr)
    return error(ErrorCode::kModelInvalid, "attribute '{}' must be one integer", a.name);
  field = flatbuffers::ReadScalar<int32_t>(a.number);
  return {};
}
Status read_below(const Parts& a, int32_t count, int32_t& value) {
  PJ_TRY(read_value(a, value));
  if (value >= 0 && value < count) return {};
  return error(ErrorCode::kModelInvalid, "attribute '{}' is {}, outside 0 to {}", a.name, value,
               count - 1);
}
Status read_value(const Parts& a, bool& field) {
  int32_t value = 0;
  PJ_TRY(read_below(a, 2, value));
  field = value != 0;
  return {};
}
template <typename E>
requires std::is_enum_v<E> Status read_value(const Parts& a, E& field) {
  int32_t value = 0;
  PJ_TRY(read_below(a, enum_count(E{}), value));
  field = static_cast<E>(value);
  return {};
}
Status read_value(const Parts& a, float& field) {
  if (a.real == nullptr || a.number != nullptr || a.list != nullptr)
    return error(ErrorCode::kModelInvalid, "attribute '{}' must be one float", a.name);
  field = flatbuffers::ReadScalar<float>(a.real);
  if (!std::isnan(field)) return {};
  return error(ErrorCode::kModelInvalid, "attribute '{}' is not a number", a.name);
}
Status read_value(const Parts& a, Dims& field) {
  if (a.list == nullptr || a.number != nullptr || a.real != nullptr)
    return error(ErrorCode::kModelInvalid, "attribute '{}' must be a list of integers", a.name);
  if (a.list->size() > static_cast<uint32_t>(kMaxRank))
    return error(ErrorCode::kModelInvalid, "attribute '{}' has {} entries, more than {}", a.name,
                 a.list->size(), kMaxRank);
  field = Dims(std::span<const int32_t>(a.list->data(), a.list->size()));
  return {};
}

class AttributeReader {
 public:
  AttributeReader(const AttributeVector& attributes, KnownNames& names)
      : attributes_(attributes), names_(names) {}

  template <typename T>
  void operator()(const char* name, T& field) {
    if (!status_) return;
    const fb::Attribute* a = find(name);
    if (a == nullptr) return;
    ++found_;
    status_ = read_value(Parts(*a), field);
  }
  Status take_status() { return std::move(status_); }
  bool found_all() const { return found_ == attributes_.size(); }

 private:
  // Writers keep the order of the fields, so the next record is nearly always the one.
  const fb::Attribute* find(const char* name) {
    if (next_ < attributes_.size() && names_.same(attributes_.Get(next_)->name(), name))
      return attributes_.Get(next_++);
    for (uint32_t i = 0; i < attributes_.size(); ++i) {
      if (!names_.same(attributes_.Get(i)->name(), name)) continue;
      next_ = i + 1;
      return attributes_.Get(i);
    }
    return nullptr;
  }

  const AttributeVector& attributes_;
  KnownNames& names_;
  uint32_t next_ = 0, found_ = 0;
  Status status_;
};

// Some record was not asked for by any field, or a field has two.
tl::unexpected<Error> superfluous(const AttributeVector& attributes, OpParams& params) {
  for (const fb::Attribute* a : attributes) {
    bool known = false;
    visit_fields(params, [&](const char* name, auto&) { known |= view(a->name()) == name; });
    if (!known)
      return error(ErrorCode::kModelUnsupported,
                   "attribute '{}' is unknown to this build: update Picojoule", view(a->name()));
  }
  return error(ErrorCode::kModelInvalid, "an attribute is given twice");
}

}  // namespace

std::optional<OpKind> kind_by_name(std::string_view name) {
  const auto* it =
      std::lower_bound(kKindsByName.begin(), kKindsByName.end(), name,
                       [](const auto& row, std::string_view n) { return row.first < n; });
  if (it == kKindsByName.end() || it->first != name) return std::nullopt;
  return it->second;
}

Offset<AttributeVector> write_attributes(FlatBufferBuilder& builder, OpParams params) {
  AttributeWriter writer{builder, {}};
  visit_fields(params, writer);
  return builder.CreateVector(writer.records);
}

bool KnownNames::same(const flatbuffers::String* text, const char* name) {
  Pair& known = pairs_[reinterpret_cast<uintptr_t>(name) / 4 % pairs_.size()];
  if (known.text == text && known.name == name) return true;
  if (view(text) != name) return false;
  known = {text, name};
  return true;
}

Status read_attributes(const AttributeVector* attributes, OpParams& params, KnownNames& names) {
  if (attributes == nullptr) return {};
  AttributeReader reader(*attributes, names);
  visit_fields(params, reader);
  PJ_TRY(reader.take_status());
  if (!reader.found_all()) return superfluous(*attributes, params);
  return {};
}

bool has_nan(OpParams params) {
  bool nan = false;
  visit_fields(params, [&](const char*, auto& field) {
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(field)>, float>)
      nan |= std::isnan(field);
  });
  return nan;
}

}  // namespace pj::format
