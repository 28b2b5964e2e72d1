// Numbers from a FlexBuffers map, the format of custom operators' options.
//
// Our own bounded reader: the verifier of FlatBuffers 2.0.8 accepts keys without a terminating
// zero, which its accessors then read past the end. Layout: https://flatbuffers.dev/internals,
// section "FlexBuffers".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"

namespace pj {

class FlexMap {
 public:
  // Reads all entries that are integers, floats or booleans; others are skipped.
  // Errors: kModelInvalid if the bytes are not a map or reach outside of themselves.
  static Result<FlexMap> parse(std::span<const std::byte> bytes);

  // Nothing if there is no number under the key.
  std::optional<double> find(std::string_view key) const;

 private:
  std::vector<std::pair<std::string, double>> entries_;
};

}  // namespace pj
