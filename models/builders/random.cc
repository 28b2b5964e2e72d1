#include "models/builders/random.h"

#include <algorithm>
#include <cstring>

namespace pj {
namespace {

// The finaliser of splitmix64 over a counter: every draw stands alone, so that the compiler may
// compute several at once.
uint64_t draw(uint64_t seed, uint64_t index) {
  uint64_t z = (seed + index) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

template <typename T, typename F>
void scale_each(std::span<const int8_t> bytes, std::span<const float> scales, size_t inner, T* out,
                F convert) {
  for (size_t i = 0; i < bytes.size();) {
    for (const float scale : scales)
      for (const size_t end = i + inner; i < end; ++i)
        out[i] = convert(static_cast<float>(bytes[i]) * scale);
  }
}

}  // namespace

void fill_bytes(uint64_t seed, std::span<int8_t> out) {
  constexpr size_t kStep = sizeof(uint64_t);
  for (size_t i = 0; i < out.size(); i += kStep) {
    int8_t values[kStep];
    const uint64_t bits = draw(seed, i / kStep);
    for (size_t k = 0; k < kStep; ++k) values[k] = static_cast<int8_t>(bits >> (8 * k));
    for (int8_t& v : values) v = std::max<int8_t>(v, -127);
    std::memcpy(&out[i], values, std::min(kStep, out.size() - i));
  }
}

void fill_units(uint64_t seed, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(static_cast<int32_t>(draw(seed, i) >> 40) - (1 << 23)) * 0x1p-23f;
}

void scale_bytes(std::span<const int8_t> bytes, std::span<const float> scales, size_t inner,
                 float* out) {
  scale_each(bytes, scales, inner, out, [](float v) { return v; });
}

void scale_bytes(std::span<const int8_t> bytes, std::span<const float> scales, size_t inner,
                 Half* out) {
  scale_each(bytes, scales, inner, out, [](float v) { return to_half(v); });
}

}  // namespace pj
