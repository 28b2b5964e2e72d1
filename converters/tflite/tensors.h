// The tensors of a .tflite file.
#pragma once

#include <vector>

#include "converters/tflite/file_view.h"

namespace pj {

// Appends every tensor of the file to `graph` under its index in the file. `produced[i]`: tensor i
// is a graph input or an operator's output. Errors name the tensor.
Status import_tensors(const FileView& view, const std::vector<bool>& produced, Budget& budget,
                      Graph& graph);

}  // namespace pj
