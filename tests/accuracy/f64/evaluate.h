// The border between the project's own namespace and the one in which float is double: no type of
// either appears here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

struct PlainTensor {
  bool present = false;
  uint8_t dtype = 0;  // a DType; floats of any kind are kF32, and doubles in memory
  int32_t rank = 0;
  int32_t dims[8] = {};
  double scale = 0;
  int32_t zero_point = 0;
  std::byte* data = nullptr;
};

// Runs the reference kernel of an operator in 64 bits. `kind` is an OpKind; `fields` are the
// operator's attributes in the order of visit(), floats as doubles, everything else as stored.
void evaluate_in_double(int kind, std::span<const std::byte> fields,
                        std::span<const PlainTensor> inputs, std::span<const PlainTensor> outputs);
