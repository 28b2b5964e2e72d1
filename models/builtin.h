// Models compiled into the tool: `builtin:NAME` on the command line.
#pragma once

#include <span>
#include <string_view>

#include "runtime/graph/graph.h"

namespace pj {

struct BuiltinModel {
  const char* name;
  const char* summary;
  std::span<const std::byte> file;  // a .tflite file
  // Class names, one a line; empty if it is no classifier.
  std::string_view labels;
};

std::span<const BuiltinModel> builtin_models();
// Null if there is none of that name.
const BuiltinModel* find_builtin(std::string_view name);

}  // namespace pj
