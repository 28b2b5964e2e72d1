// NumPy's .npy files, versions 1 to 3: little-endian, C order, the element types of DType.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <string>

#include "runtime/graph/graph.h"

namespace pj::cli {

struct Array {
  DType dtype = DType::kF32;
  Shape shape;
  SharedBytes data;  // elements(shape) elements, at any alignment

  size_t count() const { return static_cast<size_t>(elements(shape)); }
};

// True if `file` begins like a .npy file.
bool looks_like_npy(std::span<const std::byte> file);

// The array uses the bytes in place and shares their owner. Errors: kModelFormat for what is not
// such a file or is truncated, kModelUnsupported for big-endian, Fortran order, more than kMaxRank
// dimensions and other element types.
Result<Array> parse_npy(SharedBytes file);
// The same for a file on disk; errors begin with its name.
Result<Array> read_npy(const std::string& path);

// Writes version 1.0. `bytes` holds elements(shape) elements. Errors: kFileUnwritable.
Status write_npy(const std::string& path, DType dtype, const Shape& shape,
                 std::span<const std::byte> bytes);

}  // namespace pj::cli
