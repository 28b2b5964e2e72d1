// Parameters of the kernel classes that compute each element of the output from one element of each
// input: kSum, kProduct, kExtreme, kPRelu, kBinary, kTable, kUnary, kQuantize, kDequantize,
// kNumbers, kSelect.
//
// Iteration space: the output's shape, seen in four dimensions. Operands: the inputs in the
// operator's order, out[0]. An input that broadcasts has stride 0 in the dimensions in which it
// repeats; in kChannel at most one does. The output, and an input that does not repeat, may be the
// same memory.
#pragma once

#include <cstdint>

#include "kernels/common/quantized_add.h"
#include "kernels/kernel.h"

namespace pj {

inline constexpr int kElementwiseInputs = 3;

// Bytes between neighbours in each dimension. In kChannel inputs have their element's size or 0 and
// the output its element's size.
struct ElementStrides {
  int64_t in[kElementwiseInputs][kDimCount];
  int64_t out[kDimCount];
};

// kSum: a + b or a - b, quantised, by the rule of quantized_add.h.
struct SumParams {
  ElementStrides strides;
  QuantizedAdd rule;
};
static_assert(sizeof(SumParams) == 16 * 8 + 12 * 4);

// kProduct: a * b, quantised: requantize((a - zero_a) * (b - zero_b), scale, stage).
struct ProductParams {
  ElementStrides strides;
  int32_t zero_a, zero_b;
  float scale;
  OutputStage stage;
};
static_assert(sizeof(ProductParams) == 16 * 8 + 6 * 4);

// kExtreme: the smaller or larger of two bytes that mean the same, within limits.
struct ExtremeParams {
  ElementStrides strides;
  int32_t minimum;  // or else the maximum
  int32_t low, high;
  int32_t unused;
};

// kPRelu: requantize(d, positive) for d = x - zero_x >= 0, or else requantize(d * (alpha -
// zero_alpha), negative).
struct QuantizedPReluParams {
  ElementStrides strides;
  int32_t zero_x, zero_alpha;
  float positive, negative;
  OutputStage stage;
  int32_t unused;
};
static_assert(sizeof(QuantizedPReluParams) == 16 * 8 + 8 * 4);

// kBinary: arithmetic on floats.
enum class FloatBinaryFn : int32_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMinimum,
  kMaximum,
  kSquaredDifference,
  kPRelu,  // x < 0 ? x * alpha : x
};
struct FloatBinaryParams {
  ElementStrides strides;
  float low, high;  // the activation's limits
  int32_t fn;       // a FloatBinaryFn
  int32_t unused;
};

// kTable: out = table[in], byte by byte.
struct TableParams {
  ElementStrides strides;
  uint8_t table[256];
};

// kUnary: a function of one float.
enum class FloatUnaryFn : int32_t {
  kAbs,
  kNeg,
  kSquare,
  kCube,
  kSqrt,
  kRsqrt,
  kExp,
  kTanh,
  kLogistic,
  kRelu,
  kRelu6,
  kReluN1To1,
  kElu,
  kGeluTanh,
  kHardSwish,
  kLeakyRelu,
  kSilu,
  kLog,
  kGelu,
  kFloor,
  kCeil,
  kRound,
};
struct FloatUnaryParams {
  ElementStrides strides;
  float alpha;
  int32_t fn;  // a FloatUnaryFn
};

// kQuantize: floats to 8 bits. kDequantize: 8 bits to floats.
struct ConvertParams {
  ElementStrides strides;
  float scale;  // of the quantised side; kQuantize: its inverse
  int32_t zero_point;
};

// kNumbers: functions of one or two numbers, of any types that fit 32 bits, and conversions to and
// from 64: the casts, comparisons and what else has no kernel of its own. A missing second input is
// 0.
enum class NumbersFn : int32_t { kNone, kArithmetic, kEqual, kNotEqual, kLess, kLessEqual };
struct NumbersParams {
  ElementStrides strides;
  int32_t inputs;      // 1 or 2
  int32_t fn;          // a NumbersFn
  int32_t arithmetic;  // a FloatBinaryFn; of whole numbers any but kDiv and kPRelu
  int32_t real;        // computed with floats, or else with whole numbers modulo 2^32
  // DTypes of the inputs and the output. As a float a whole number is (x - zero_point) * scale.
  int32_t type[2], out_type;
  float scale[2];
  int32_t zero_point[2];
  // Floats that become whole numbers: multiplied, limited, rounded to nearest even or truncated,
  // and the zero point added. NaN becomes `low` where rounded, 0 where truncated.
  float out_scale, low, high;
  int32_t out_zero_point, truncates;
  int32_t least, most;  // limits of whole numbers
};
static_assert(sizeof(NumbersParams) == 16 * 8 + 18 * 4);

// kSelect: in[0] holds bools: where one is not 0 the element of in[1], elsewhere that of in[2].
struct SelectParams {
  ElementStrides strides;
};

}  // namespace pj
