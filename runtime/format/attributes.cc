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

Status check_int(const fb::Attribute& a) {
  if (a.int_value().has_value() && !a.float_value().has_value() && a.list_value() == nullptr)
    return {};
  return error(ErrorCode::kModelInvalid, "attribute '{}' must be one integer", view(a.name()));
}

Status read_value(const fb::Attribute& a, int32_t& field) {
  PJ_TRY(check_int(a));
  field = *a.int_value();
  return {};
}
Status read_below(const fb::Attribute& a, int32_t count, int32_t& value) {
  PJ_TRY(read_value(a, value));
  if (value >= 0 && value < count) return {};
  return error(ErrorCode::kModelInvalid, "attribute '{}' is {}, outside 0 to {}", view(a.name()),
               value, count - 1);
}
Status read_value(const fb::Attribute& a, bool& field) {
  int32_t value = 0;
  PJ_TRY(read_below(a, 2, value));
  field = value != 0;
  return {};
}
template <typename E>
requires std::is_enum_v<E> Status read_value(const fb::Attribute& a, E& field) {
  int32_t value = 0;
  PJ_TRY(read_below(a, enum_count(E{}), value));
  field = static_cast<E>(value);
  return {};
}
Status read_value(const fb::Attribute& a, float& field) {
  if (!a.float_value().has_value() || a.int_value().has_value() || a.list_value() != nullptr)
    return error(ErrorCode::kModelInvalid, "attribute '{}' must be one float", view(a.name()));
  field = *a.float_value();
  if (!std::isnan(field)) return {};
  return error(ErrorCode::kModelInvalid, "attribute '{}' is not a number", view(a.name()));
}
Status read_value(const fb::Attribute& a, Dims& field) {
  const auto* list = a.list_value();
  if (list == nullptr || a.int_value().has_value() || a.float_value().has_value())
    return error(ErrorCode::kModelInvalid, "attribute '{}' must be a list of integers",
                 view(a.name()));
  if (list->size() > static_cast<uint32_t>(kMaxRank))
    return error(ErrorCode::kModelInvalid, "attribute '{}' has {} entries, more than {}",
                 view(a.name()), list->size(), kMaxRank);
  field = Dims(std::span<const int32_t>(list->data(), list->size()));
  return {};
}

class AttributeReader {
 public:
  explicit AttributeReader(const AttributeVector& attributes) : attributes_(attributes) {}

  template <typename T>
  void operator()(const char* name, T& field) {
    if (!status_) return;
    const fb::Attribute* a = find(name);
    if (a == nullptr) return;
    ++found_;
    status_ = read_value(*a, field);
  }
  Status take_status() { return std::move(status_); }
  bool found_all() const { return found_ == attributes_.size(); }

 private:
  // Writers keep the order of the fields, so the next record is nearly always the one.
  const fb::Attribute* find(std::string_view name) {
    if (next_ < attributes_.size() && view(attributes_.Get(next_)->name()) == name)
      return attributes_.Get(next_++);
    for (uint32_t i = 0; i < attributes_.size(); ++i) {
      if (view(attributes_.Get(i)->name()) != name) continue;
      next_ = i + 1;
      return attributes_.Get(i);
    }
    return nullptr;
  }

  const AttributeVector& attributes_;
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

Status read_attributes(const AttributeVector* attributes, OpParams& params) {
  if (attributes == nullptr) return {};
  AttributeReader reader(*attributes);
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
