// Names of classes, and how a classifier's answer is printed.
#pragma once

#include <string>
#include <vector>

#include "runtime/graph/graph.h"

namespace pj::cli {

// One name a line; empty lines at the end do not count.
std::vector<std::string> split_lines(std::string_view text);
// Throws Failure if the file cannot be read or has no line.
std::vector<std::string> read_labels(const std::string& path);
// Those that came with a model compiled into the library; empty for other models.
std::vector<std::string> builtin_labels(const std::string& model_name);

// The `k` most likely classes, one a line. Values that are probabilities (within 0..1, sum about 1)
// are printed in percent, others as they are.
std::string top_classes_text(const Tensor& output, std::span<const std::byte> bytes,
                             const std::vector<std::string>& labels, size_t k);

}  // namespace pj::cli
