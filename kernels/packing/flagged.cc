// Panels that begin with flags: what can be proven of the sums that they lead to.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/common/calm_sums.h"
#include "kernels/packing/packing.h"
#include "kernels/packing/panel_flags.h"
#include "runtime/base/aligned.h"

namespace pj {
namespace {

int32_t value_of(const PackSpec& s, std::byte raw) {
  return s.weights == DType::kU8 ? int32_t{static_cast<uint8_t>(raw)}
                                 : int32_t{static_cast<int8_t>(raw)};
}

// Sum of the magnitudes of one output channel's weights.
int64_t magnitude_of(const PackSpec& s, const std::byte* weights, int32_t channel) {
  int64_t sum = 0;
  for (int32_t tap = 0; tap < s.taps; ++tap) {
    const std::byte* w = weights + tap * s.tap_stride + channel * s.out_stride;
    for (int32_t k = 0; k < s.in_channels; ++k)
      sum += std::abs(value_of(s, w[k * s.in_stride]) - s.weights_zero_point);
  }
  return sum;
}

// The largest magnitude that a sum of the channel can have.
int64_t reach_of(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                 int32_t channel) {
  int32_t b = 0;
  if (bias != nullptr) std::memcpy(&b, bias + channel * int64_t{4}, sizeof(b));
  return magnitude_of(s, weights, channel) * input_reach(s) + std::abs(int64_t{b});
}

// False if two products of -128 and -128, which together pass the range of 16 bits, may meet.
bool all_paired(const PackSpec& s, const std::byte* packed, int64_t bytes) {
  constexpr auto kLeast = std::byte{0x80};
  for (int64_t block = 0; block < bytes; block += s.kr)
    for (int64_t i = 0; i < s.kr / 2; ++i)
      if (packed[block + i] == kLeast && packed[block + s.kr / 2 + i] == kLeast) return false;
  return true;
}

// Whether four products of turned weights that are added up in 16 bits always fit them: two of a
// turn and two of the second one after it. 255 * 128 is less than 2^15.
bool all_shared(const PackSpec& s, const std::byte* turned, int64_t bytes) {
  const int64_t turn_bytes = int64_t{s.nr} * s.kr / 4;
  auto reach = [&](int64_t i) { return std::abs(static_cast<int8_t>(turned[i])); };
  for (int64_t step = 0; step + 4 * turn_bytes <= bytes; step += 4 * turn_bytes) {
    for (int64_t i = 0; i < 2 * turn_bytes; ++i) {
      if (i % s.kr >= s.kr / 2) continue;
      const int64_t at = step + i, later = at + 2 * turn_bytes;
      if (reach(at) + reach(at + s.kr / 2) + reach(later) + reach(later + s.kr / 2) > 255)
        return false;
    }
  }
  return true;
}

// Puts the steps of one tap, [channel][kr], into the order of kConvMulls.
void turn_pairs(const PackSpec& s, std::byte* steps) {
  const int64_t step_bytes = int64_t{s.nr} * s.kr;
  std::vector<std::byte> plain(static_cast<size_t>(step_bytes));
  for (int32_t left = s.in_channels; left > 0; left -= s.kr, steps += step_bytes) {
    std::copy_n(steps, step_bytes, plain.begin());
    std::byte* to = steps;
    const int32_t pairs = left > s.kr / 2 ? s.kr / 2 : s.kr / 4;
    for (int32_t turn = 0; turn < 4; ++turn) {
      for (int32_t four = 0; four < s.nr; four += 4) {
        for (int32_t pair = 0; pair < pairs; ++pair, to += 2) {
          const int32_t channel = four + pair % 4, k = (pair + turn) % pairs * 2;
          std::copy_n(plain.begin() + channel * s.kr + k, 2, to);
        }
      }
    }
    std::fill(to, steps + step_bytes, std::byte{0});
  }
}

}  // namespace

int32_t input_reach(const PackSpec& s) {
  const IntRange range = range_of(s.input);
  return std::max(s.input_zero_point - range.min, range.max - s.input_zero_point);
}

void finish_flagged_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                          std::span<const float> scales, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  PanelFlags flags{1, 0, 0, 0};
  for (int32_t n = 0; n < channels && flags.calm != 0; ++n) {
    const float scale = scales[static_cast<size_t>(first + n)];
    flags.calm = is_calm(reach_of(s, weights, bias, first + n), scale) ? 1 : 0;
  }
  if (s.packing == PackingId::kConvMulls) {
    const int64_t end = s.panel_bytes() - s.weights_offset();
    flags.paired = all_paired(s, panel + s.weights_offset(), end / s.kr * s.kr) ? 1 : 0;
    const int64_t tap_bytes = ceil_div(s.in_channels, s.kr) * int64_t{s.kr} * s.nr;
    for (int32_t tap = 0; tap < s.taps; ++tap)
      turn_pairs(s, panel + s.weights_offset() + tap * tap_bytes);
    flags.centered = s.seen_weights_zero_point() == 0 ? 1 : 0;
    if (all_shared(s, panel + s.weights_offset(), s.taps * tap_bytes)) flags.shared = flags.paired;
  }
  std::memcpy(panel, &flags, sizeof(flags));
  auto* out_bias = reinterpret_cast<uint32_t*>(panel + kPanelFlagBytes);
  for (int32_t n = 0; n < s.nr && flags.calm != 0; ++n)
    out_bias[n] += static_cast<uint32_t>(kCalmBits);
}

void pack_wide_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                     std::span<const float> scales, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  auto* out_bias = reinterpret_cast<uint32_t*>(panel + kPanelFlagBytes);
  auto* out_scale = reinterpret_cast<float*>(panel + kPanelFlagBytes + 4 * s.nr);
  auto* out = reinterpret_cast<int16_t*>(panel + s.weights_offset());
  const auto zx = static_cast<uint32_t>(s.input_zero_point);
  for (int32_t n = 0; n < channels; ++n) {
    const auto c = static_cast<size_t>(first + n);
    out_bias[n] = bias == nullptr ? 0 : reinterpret_cast<const uint32_t*>(bias)[c];
    out_scale[n] = scales[c];
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      const std::byte raw = weights[tap * s.tap_stride + (first + n) * s.out_stride];
      const int32_t w = value_of(s, raw) - s.weights_zero_point;
      out[tap * s.nr + n] = static_cast<int16_t>(w);
      out_bias[n] -= zx * static_cast<uint32_t>(w);
    }
  }
  finish_flagged_panel(s, weights, bias, scales, first, panel);
}

}  // namespace pj
