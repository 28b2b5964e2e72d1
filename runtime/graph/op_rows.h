// The functions behind the rows of the operator table, one pair an operator; they live in the
// ops_*.cc files, grouped by idea.
#pragma once

#include <vector>

#include "runtime/graph/op_table.h"

namespace pj {

#define X(kind, name, params)                  \
  Status validate_##kind(const InferContext&); \
  Status infer_##kind(const InferContext&, std::vector<Shape>&);
PJ_OPERATORS(X)
#undef X

}  // namespace pj
