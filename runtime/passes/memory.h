// How much memory constants take, and how much folding may add.
#pragma once

#include "runtime/graph/graph.h"

namespace pj {

// Bytes behind the constants; those that several tensors share count once.
int64_t constant_bytes(const Graph& graph);

// Bytes that one run of fold_constants may produce, whatever the graph asks for: as much as its
// constants hold already, and some more.
int64_t folding_budget(const Graph& graph);

// Constants up to this size are folded even if they grow.
inline constexpr int64_t kSmallConstant = 64 << 10;

}  // namespace pj
