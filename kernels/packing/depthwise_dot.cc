#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/common/calm_sums.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/packing/packing.h"

namespace pj {
namespace {

// What weights minus their zero point are summed from: 1, 2 or 3 numbers of 8 bits.
int32_t parts_of(int32_t low, int32_t high) {
  int32_t parts = 1;
  while (low < -128 * parts || high > 127 * parts) ++parts;
  return parts;
}

struct DotPanelPacker {
  const PackSpec& s;
  const std::byte* weights;
  int32_t first;  // channel

  // Channel of a place in the panel, as unpacking interleaved rows leaves it; -1 for none.
  int32_t channel_of(int32_t slot) const {
    const int32_t left = s.out_channels - first;
    const int32_t slots = s.nr / s.kr;  // of one accumulator
    const int32_t lane = slot % slots / 4;
    const int32_t c = (4 * s.kr * lane + slot / slots * 4 + slot % 4) % dot_width(s.nr, left);
    return c < left ? first + c : -1;
  }

  int32_t weight(int32_t ky, int32_t kx, int32_t channel) const {
    if (ky < 0 || ky >= s.kernel_h || channel < 0) return 0;
    const int64_t tap = int64_t{ky} * (s.taps / s.kernel_h) + kx;
    const auto raw = weights[tap * s.tap_stride + channel * s.out_stride];
    const int32_t w = s.weights == DType::kU8 ? static_cast<int32_t>(static_cast<uint8_t>(raw))
                                              : static_cast<int32_t>(static_cast<int8_t>(raw));
    return w - s.weights_zero_point;
  }

  // Calls f(value) in the order of the packed weights.
  template <typename F>
  void for_each(F f) const {
    for (int32_t g = 0; g < dot_groups(s.kernel_h, s.shifts); ++g)
      for (int32_t kx = 0; kx < s.taps / s.kernel_h; ++kx)
        for (int32_t shift = 0; shift < s.shifts; ++shift)
          for (int32_t row = 0; row < kGroupRows; row += s.kr)
            for (int32_t slot = 0; slot < s.nr; ++slot)
              for (int32_t e = 0; e < s.kr; ++e)
                f(weight(g * kGroupRows + row + e - shift, kx, channel_of(slot)));
  }
};

}  // namespace

int32_t dot_parts(const PackSpec& s) {
  if (s.packing == PackingId::kDepthwisePairs) return 1;
  const IntRange range = range_of(s.weights);
  return parts_of(range.min - s.weights_zero_point, range.max - s.weights_zero_point);
}

void pack_dot_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                    std::span<const float> scales, int32_t first, std::byte* panel) {
  const DotPanelPacker packer{s, weights, first};
  const bool pairs = s.packing == PackingId::kDepthwisePairs;
  const bool may_calm = s.packing == PackingId::kDepthwiseDots;
  int32_t low = 0, high = 0;
  packer.for_each([&](int32_t w) {
    low = std::min(low, w);
    high = std::max(high, w);
  });
  DotPanelHeader header{pairs ? 1 : parts_of(low, high), 0, may_calm ? 1 : 0};

  auto* out_bias = reinterpret_cast<uint32_t*>(panel + 64);
  auto* out_scale = reinterpret_cast<float*>(panel + 64 + 4 * s.nr);
  const auto zx = static_cast<uint32_t>(s.input_zero_point + s.input_shift());
  for (int32_t slot = 0; slot < s.nr; ++slot) {
    const int32_t c = packer.channel_of(slot);
    if (c < 0) continue;
    uint32_t sum = 0;
    int64_t magnitude = 0;
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      const int32_t kernel_w = s.taps / s.kernel_h;
      const int32_t w = packer.weight(tap / kernel_w, tap % kernel_w, c);
      sum += static_cast<uint32_t>(w);
      magnitude += std::abs(w);
    }
    const auto channel = static_cast<size_t>(c);
    const uint32_t b = bias == nullptr ? 0 : reinterpret_cast<const uint32_t*>(bias)[channel];
    out_bias[slot] = b - zx * sum;
    out_scale[slot] = scales[channel];
    if (!(scales[channel] < 1)) header.limited = 1;
    magnitude = magnitude * input_reach(s) + std::abs(int64_t{static_cast<int32_t>(b)});
    if (!is_calm(magnitude, scales[channel])) header.calm = 0;
  }
  for (int32_t slot = 0; header.calm != 0 && slot < s.nr; ++slot) out_bias[slot] += kCalmBits;
  std::memcpy(panel, &header, sizeof(header));

  std::byte* out = panel + s.weights_offset();
  if (pairs) {
    auto* wide = reinterpret_cast<int16_t*>(out);
    packer.for_each([&](int32_t w) { *wide++ = static_cast<int16_t>(w); });
    return;
  }
  for (int32_t part = 0; part < header.parts; ++part) {
    packer.for_each([&](int32_t w) {
      for (int32_t i = 0; i < part; ++i) w -= std::clamp(w, -128, 127);
      *out++ = static_cast<std::byte>(std::clamp(w, -128, 127));
    });
  }
}

}  // namespace pj
