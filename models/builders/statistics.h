// What is expected of a tensor's values before any were computed: from it come the size of the
// next weights and the scale of quantised activations.
//
// Sums over many inputs with weights of mean 0 are close to normally distributed, so two moments
// describe them; functions and sums of them follow by formula. The range is what a calibration
// would find: nearly all values, with some room.
#pragma once

#include "runtime/base/op_params.h"

namespace pj {

struct Statistics {
  float mean = 0, deviation = 1;
  float low = -1, high = 1;  // range of nearly all values

  // Mean of the squares.
  float power() const { return mean * mean + deviation * deviation; }
};

// Evenly distributed in [-1, 1), the numbers that one input byte can stand for.
Statistics input_statistics();
// A constant.
Statistics constant_statistics(float value);
// The result of a layer whose weights were sized for it.
Statistics normal_statistics(float deviation);
// Shares that add up to 1 over `count` elements, as softmax makes them of normal numbers.
Statistics softmax_statistics(int32_t count);

// kAdd, kSub, kMul or kSquaredDifference of two tensors that know nothing of each other.
Statistics combine(BinaryFn fn, const Statistics& a, const Statistics& b);
// f(x) for a function of an activation layer, and 1 / sqrt(x) for positive x.
Statistics apply(UnaryFn fn, const Statistics& x);
Statistics apply(Activation activation, const Statistics& x);

}  // namespace pj
