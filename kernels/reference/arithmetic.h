// The two arithmetics of convolutions and matrix products, as policies of the loops that use them:
// f32 activations with f32 or f16 weights, and 8-bit integers.
#pragma once

#include <type_traits>

#include "kernels/common/requantize.h"
#include "kernels/reference/view.h"

namespace pj::ref {

inline float to_real(float x) { return x; }
inline float to_real(Half x) { return to_float(x); }

// Sums run in the order of the code, in f32; NaN and infinities propagate, also through the fused
// activation. f16 weights are converted exactly.
template <typename W>
class FloatArithmetic {
 public:
  using X = float;
  using Weight = W;
  using Sum = float;
  using Y = float;

  FloatArithmetic(const Tile& tile, const ReferenceParams& p, Activation activation)
      : limits_(limits_of(activation)) {
    if (!has_input(p, 2)) return;
    if (p.input(2).dtype == DType::kF16) {
      half_bias_ = input<Half>(tile, 2);
    } else {
      bias_ = input<float>(tile, 2);
    }
  }

  float product(float x, W w) const { return x * to_real(w); }

  // Sum of products of two contiguous rows. Eight sums at once let the compiler vectorise what it
  // may not reorder by itself.
  float dot(const float* x, const W* w, int64_t n) const {
    constexpr int kLanes = 8;
    float lanes[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] * to_real(w[i + lane]);
    float sum = 0;
    for (; i < n; ++i) sum += x[i] * to_real(w[i]);
    for (float lane : lanes) sum += lane;
    return sum;
  }

  float finish(float sum, int64_t channel) const {
    if (bias_ != nullptr) sum += bias_[channel];
    if (half_bias_ != nullptr) sum += to_float(half_bias_[channel]);
    return clamp(sum, limits_);
  }

 private:
  ActivationLimits limits_;
  const float* bias_ = nullptr;
  const Half* half_bias_ = nullptr;
};

// Sums are modulo 2^32: the same whatever the order of additions.
template <typename Q>
class IntArithmetic {
 public:
  using X = Q;
  using Weight = Q;
  using Sum = uint32_t;
  using Y = Q;

  IntArithmetic(const Tile& tile, const ReferenceParams& p, Activation activation)
      : zero_x_(p.input(0).zero_point),
        zero_w_(p.input(1).zero_point),
        input_scale_(p.input(0).scale),
        weight_scale_(p.input(1).scale),
        output_scale_(p.output(0).scale),
        channel_scales_(p.input(1).channel_scales),
        bias_(has_input(p, 2) ? input<int32_t>(tile, 2) : nullptr),
        stage_(make_output_stage(p.output(0).dtype, output_scale_, p.output(0).zero_point,
                                 activation)) {}

  uint32_t product(Q x, Q w) const { return static_cast<uint32_t>((x - zero_x_) * (w - zero_w_)); }

  uint32_t dot(const Q* x, const Q* w, int64_t n) const {
    uint32_t sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += product(x[i], w[i]);
    return sum;
  }

  Q finish(uint32_t sum, int64_t channel) const {
    if (bias_ != nullptr) sum += static_cast<uint32_t>(bias_[channel]);
    const float weight_scale =
        channel_scales_.empty() ? weight_scale_ : channel_scales_[static_cast<size_t>(channel)];
    const float scale = requantization_scale(input_scale_, weight_scale, output_scale_);
    return static_cast<Q>(requantize(static_cast<int32_t>(sum), scale, stage_));
  }

 private:
  int32_t zero_x_, zero_w_;
  float input_scale_, weight_scale_, output_scale_;
  std::span<const float> channel_scales_;
  const int32_t* bias_;
  OutputStage stage_;
};

// Calls f with the arithmetic that the types of the activations and the weights ask for.
template <typename F>
void visit_arithmetic(const Tile& tile, const ReferenceParams& p, Activation activation, F&& f) {
  switch (p.input(0).dtype) {
    case DType::kF32:
      if (p.input(1).dtype == DType::kF16) return f(FloatArithmetic<Half>(tile, p, activation));
      return f(FloatArithmetic<float>(tile, p, activation));
    case DType::kI8:
      return f(IntArithmetic<int8_t>(tile, p, activation));
    case DType::kU8:
      return f(IntArithmetic<uint8_t>(tile, p, activation));
    default:
      return;
  }
}

}  // namespace pj::ref
