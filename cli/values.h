// Between tensors' bytes and numbers that people mean.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/graph/graph.h"

namespace pj::cli {

// Real values of a tensor: dequantised where it is quantised. `bytes` holds its elements at any
// alignment.
std::vector<double> real_values(const Tensor& tensor, std::span<const std::byte> bytes);

// Writes the element of `tensor` that stands nearest to `real`. Throws Failure if the tensor has no
// real values (integers without quantisation).
void encode_real(const Tensor& tensor, double real, std::byte* element);

// Integers as they are, of any integer type or bool. Throws Failure for floats.
std::vector<int64_t> integer_values(DType dtype, std::span<const std::byte> bytes,
                                    const std::string& what);

// Positions of the `k` largest, largest first, equals in order; NaN counts as the lowest.
std::vector<size_t> top_k(std::span<const double> values, size_t k);

}  // namespace pj::cli
