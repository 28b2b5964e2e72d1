// The exporter: Graph -> bytes of a .tflite file.
#pragma once

#include "runtime/base/result.h"
#include "runtime/graph/graph.h"

namespace pj {

// A file that import_tflite() and other runtimes read, with the same inputs, outputs and numbers.
// `graph` is valid and has its shapes inferred; before the passes or after them. `description` goes
// into the file as it is.
//
// What the format has no word for becomes operators that mean the same: explicit padding a PAD,
// float16 operands a DEQUANTIZE, attributes constants.
//
// Errors: kModelUnsupported (one message with every operator that cannot be written),
// kLimitExceeded (the format's 2 GB).
Result<SharedBytes> export_tflite(const Graph& graph, const std::string& description);

}  // namespace pj
