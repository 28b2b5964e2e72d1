// Which memory every tensor of a graph lives in, before arena offsets are known.
#pragma once

#include <vector>

#include "runtime/plan/program.h"

namespace pj {

// Reshape-like operators give the same bytes another shape: their output is a *view*, it shares the
// memory of their input. So do slices and parts of a split that are one piece. The inputs of a
// concatenation are views of its output, where they lie one after the other and nobody else reads
// them. What is no view is the root of its views.
struct BufferMap {
  std::vector<BufferRef> buffer;  // of each tensor; kArena with the root's id as index
  std::vector<bool> view_op;      // operators that need no step
  // Graph outputs that need a copy, because their bytes live elsewhere (an input, a constant, the
  // memory of another output): pairs of source tensor and output index.
  struct Copy {
    TensorId from;
    int32_t output;
  };
  std::vector<Copy> copies;
};

BufferMap map_buffers(const Graph& graph);

}  // namespace pj
