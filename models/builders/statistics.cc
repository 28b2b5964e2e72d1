#include "models/builders/statistics.h"

#include <algorithm>
#include <cmath>

namespace pj {
namespace {

// Channels differ in scale, and the largest of a few 100,000 normal numbers lies near 4.5.
constexpr float kRange = 6;
// Products have longer tails.
constexpr float kProductRange = 8;

Statistics limited(float mean, float power, float low, float high, float range) {
  const float deviation = std::sqrt(std::max(power - mean * mean, 1e-12f));
  return {mean, deviation, std::max(low, mean - range * deviation),
          std::min(high, mean + range * deviation)};
}

// f of normally distributed numbers within their range, by the midpoint rule.
template <typename F>
Statistics integrate(const Statistics& x, F f) {
  constexpr int kPoints = 400;
  float weights = 0, sum = 0, squares = 0, low = f(x.low), high = low;
  for (int i = 0; i < kPoints; ++i) {
    const float at = x.low + (x.high - x.low) * (static_cast<float>(i) + 0.5f) / kPoints;
    const float z = (at - x.mean) / x.deviation;
    const float weight = std::exp(-0.5f * z * z);
    const float y = f(at);
    weights += weight;
    sum += weight * y;
    squares += weight * y * y;
    low = std::min(low, y);
    high = std::max(high, y);
  }
  high = std::max(high, f(x.high));
  const float mean = sum / weights, power = squares / weights;
  return {mean, std::sqrt(std::max(power - mean * mean, 1e-12f)), low, high};
}

// The input is a mean of squares: positive, and varies little.
Statistics reciprocal_root(const Statistics& x) {
  const float mean = 1 / std::sqrt(x.mean);
  return {mean, mean / 4, 0, 4 * mean};
}

}  // namespace

Statistics input_statistics() { return {0, 0.577f, -1, 127.0f / 128}; }

Statistics constant_statistics(float value) {
  return {value, 1e-6f, std::min(value, 0.0f), std::max(value, 0.0f)};
}

Statistics normal_statistics(float deviation) {
  return {0, deviation, -kRange * deviation, kRange * deviation};
}

Statistics softmax_statistics(int32_t count) {
  const float mean = 1 / static_cast<float>(count);
  // exp of a normal number of deviation 1 has the relative deviation sqrt(e - 1). The range is the
  // one that .tflite asks for.
  return {mean, 1.31f * mean, 0, 255.0f / 256};
}

Statistics combine(BinaryFn fn, const Statistics& a, const Statistics& b) {
  const float variance = a.deviation * a.deviation + b.deviation * b.deviation;
  switch (fn) {
    case BinaryFn::kMul: {
      const auto [low, high] =
          std::minmax({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
      return limited(a.mean * b.mean, a.power() * b.power(), low, high, kProductRange);
    }
    case BinaryFn::kSquaredDifference: {
      const float difference = a.mean - b.mean, power = difference * difference + variance;
      return {power, 1.41f * power, 0, 20 * power};
    }
    case BinaryFn::kSub: {
      const float mean = a.mean - b.mean;
      return limited(mean, mean * mean + variance, a.low - b.high, a.high - b.low, kRange);
    }
    default: {
      const float mean = a.mean + b.mean;
      return limited(mean, mean * mean + variance, a.low + b.low, a.high + b.high, kRange);
    }
  }
}

Statistics apply(UnaryFn fn, const Statistics& x) {
  switch (fn) {
    case UnaryFn::kRsqrt:
      return reciprocal_root(x);
    case UnaryFn::kRelu:
      return integrate(x, [](float v) { return std::max(v, 0.0f); });
    case UnaryFn::kRelu6:
      return integrate(x, [](float v) { return std::clamp(v, 0.0f, 6.0f); });
    case UnaryFn::kHardSwish: {
      // It favours large values, and thus channels that have more of them than a normal
      // distribution over the whole tensor tells; without this, deep networks grow.
      Statistics wider = x;
      wider.deviation *= 1.05f;
      return integrate(wider, [](float v) { return v * std::clamp(v + 3, 0.0f, 6.0f) / 6; });
    }
    case UnaryFn::kGelu:
      return integrate(x, [](float v) { return 0.5f * v * (1 + std::erf(v * 0.70711f)); });
    default:
      return x;
  }
}

Statistics apply(Activation activation, const Statistics& x) {
  switch (activation) {
    case Activation::kRelu:
      return apply(UnaryFn::kRelu, x);
    case Activation::kRelu6: {
      // The range of the function is the one that converters choose, whatever the values are.
      Statistics y = apply(UnaryFn::kRelu6, x);
      y.high = 6;
      return y;
    }
    default:
      return x;
  }
}

}  // namespace pj
