// What the rows of the operator table share: checks of types and ranks, arithmetic on shapes that
// may have unknown dimensions, and reading parameters that are either attributes or inputs.
//
// Messages name the operand and the fix, not the operator: the caller adds its place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "runtime/graph/op_table.h"

namespace pj {

inline const Tensor& output_of(const InferContext& ctx, size_t i) {
  return ctx.graph.tensor(ctx.op.outputs[i]);
}
inline const Shape& input_shape(const InferContext& ctx, size_t i) { return ctx.input(i).shape; }

// "input 1 'weights'", "output 0 'y'": how messages name an operand.
std::string input_name(const InferContext& ctx, size_t i);
std::string output_name(const InferContext& ctx, size_t i);

// --- types ---------------------------------------------------------------------------------------

Status require_input_dtype(const InferContext& ctx, size_t i, std::initializer_list<DType> allowed);
Status require_output_dtype(const InferContext& ctx, size_t i,
                            std::initializer_list<DType> allowed);
// Input i has the type of input 0; output i has the type of input 0.
Status require_input_like_first(const InferContext& ctx, size_t i);
Status require_output_like_first(const InferContext& ctx, size_t i);

// The operand has one scale for the whole tensor.
Status require_input_quantized(const InferContext& ctx, size_t i);
Status require_output_quantized(const InferContext& ctx, size_t i);

// --- ranks and axes ------------------------------------------------------------------------------

Status require_input_rank(const InferContext& ctx, size_t i, int32_t rank);
Status require_input_rank_at_least(const InferContext& ctx, size_t i, int32_t rank);
// `axis` in [0, rank), or an error that names the attribute.
Result<int32_t> resolve_axis(int32_t axis, int32_t rank, const char* attribute = "axis");

// --- dimensions ----------------------------------------------------------------------------------

// A dimension that was computed in 64 bits: kModelInvalid if negative, kLimitExceeded above int32.
Result<int32_t> to_dim(int64_t size);

constexpr bool known(int32_t dim) { return dim >= 0; }
// True if the two may be the same number.
constexpr bool dims_agree(int32_t a, int32_t b) { return !known(a) || !known(b) || a == b; }
// The known one of two dimensions that agree.
constexpr int32_t merge_dims(int32_t a, int32_t b) { return known(a) ? a : b; }

// Numpy's rule: aligned at the end, equal or one of them 1. An unknown dimension meets 1 as
// unknown and meets n > 1 as n.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

// --- parameters ----------------------------------------------------------------------------------

// True if input i of an operator holds a parameter that has to be absorbed into the attributes.
// (All from OpInfo::first_parameter_input on, but the value of a Pad, which stays an input.)
bool is_parameter_input(OpKind kind, size_t i);

// Values of a list-like constant of type int32 or int64, flattened. 64-bit values saturate to 32
// bits: "to the end" stays that, and an absurd size is caught as one. Errors: kModelInvalid for
// another type or more than `limit` elements.
Result<std::vector<int32_t>> read_ints(const Tensor& t, size_t limit);

// A parameter's value as far as it is known.
struct DimsParameter {
  bool known = false;
  Dims value;         // if known
  int32_t count = 0;  // number of entries, also if the values are unknown; -1 if that is unknown
};
// The value of the parameter that input i holds, or the attribute's if that input is absent.
// Errors: kModelInvalid for a constant of the wrong type or with more than kMaxRank entries.
Result<DimsParameter> dims_parameter(const InferContext& ctx, size_t i, const Dims& attribute);

// A list of pairs, [n, 2] as an input: paddings or crops.
struct PairsParameter {
  bool known = false;
  Dims before, after;  // if known
  int32_t count = 0;   // number of pairs; -1 if unknown
};
Result<PairsParameter> pairs_parameter(const InferContext& ctx, size_t i, const Dims& before,
                                       const Dims& after);

struct IntParameter {
  bool known = false;
  int32_t value = 0;
};
// The same for a single number.
Result<IntParameter> int_parameter(const InferContext& ctx, size_t i, int32_t attribute);

// For validate(): input i, if present, is int32 or int64, and if constant, the functions above can
// read it.
Status require_dims_parameter(const InferContext& ctx, size_t i);
Status require_pairs_parameter(const InferContext& ctx, size_t i);
Status require_int_parameter(const InferContext& ctx, size_t i);

}  // namespace pj
