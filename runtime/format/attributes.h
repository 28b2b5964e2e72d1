// Operators' kinds and attributes <-> their records in the metadata, through visit_fields(): an
// operator that is added to the operator list is in the format without a line here.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "pj_generated.h"
#include "runtime/base/op_params.h"
#include "runtime/base/result.h"

namespace pj::format {

using AttributeVector = flatbuffers::Vector<flatbuffers::Offset<fb::Attribute>>;

// Nothing if no operator has that name.
std::optional<OpKind> kind_by_name(std::string_view name);

// Every attribute is written, also one that has its default: defaults may change, files may not.
flatbuffers::Offset<AttributeVector> write_attributes(flatbuffers::FlatBufferBuilder& builder,
                                                      OpParams params);

// Which of a file's strings are names of our attributes: writers share one for all records.
class KnownNames {
 public:
  // True if they are equal; `name` lives as long as the program.
  bool same(const flatbuffers::String* text, const char* name);

 private:
  struct Pair {
    const flatbuffers::String* text;
    const char* name;
  };
  std::array<Pair, 64> pairs_ = {};
};

// Sets the fields of `params` from `attributes` (null: none). A missing attribute leaves the field
// as it is. Errors name the attribute, the caller adds the operator: kModelUnsupported for one that
// this build does not know, kModelInvalid for a value out of range or an attribute given twice.
Status read_attributes(const AttributeVector* attributes, OpParams& params, KnownNames& names);

// True if a float attribute is NaN, which the format refuses.
bool has_nan(OpParams params);

}  // namespace pj::format
