// First half of the export: the same graph in the format's terms.
#pragma once

#include "runtime/graph/graph.h"

namespace pj {

// Afterwards every operator is one of the file's, with its parameters as inputs where the format
// has them there, and no padding is explicit. Errors: kModelUnsupported for padding that cannot be
// expressed, with the operator's place.
Result<Graph> lower_for_tflite(const Graph& graph);

}  // namespace pj
