// A function of one argument on 8 bits has 256 values: all kernels look them up in the same table.
#pragma once

#include <cstdint>

#include "kernels/reference/reference.h"

namespace pj {

// table[b] is the stored result for the stored byte b. Both operands are int8 or uint8 and have one
// scale; the function is any but kLogicalNot. The result is what LiteRT computes: through reals,
// rounded to nearest even, except leaky ReLU (quantized_convert.h) and hard swish
// (quantized_hard_swish.h).
void make_unary_table(const UnaryParams& params, const OperandDesc& x, const OperandDesc& y,
                      uint8_t table[256]);

// The same for a value of `in` as Concat rewrites it for the quantisation of `out`.
void make_concat_table(const OperandDesc& in, const OperandDesc& out, uint8_t table[256]);

}  // namespace pj
