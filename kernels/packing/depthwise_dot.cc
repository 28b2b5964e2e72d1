#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/common/calm_sums.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/packing/packing.h"

namespace pj {
namespace {

// What weights minus their zero point are summed from: 1, 2 or 3 numbers of 8 bits.
int32_t parts_of(int32_t low, int32_t high) {
  int32_t parts = 1;
  while (low < -128 * parts || high > 127 * parts) ++parts;
  return parts;
}

// The weights of a panel in the order of its places, which is that in which unpacking leaves
// interleaved rows: [taps][nr], and a line of zeros behind.
struct PanelWeights {
  std::vector<int32_t> channel;  // of each place; -1 for none
  std::vector<int16_t> values;   // minus the zero point
  int32_t low = 0, high = 0;     // least and greatest

  PanelWeights(const PackSpec& s, const std::byte* weights, int32_t first)
      : channel(static_cast<size_t>(s.nr)), values(static_cast<size_t>((s.taps + 1) * s.nr)) {
    const int32_t left = s.out_channels - first;
    const int32_t places = s.nr / s.kr;  // of one accumulator
    for (int32_t i = 0; i < s.nr; ++i) {
      const int32_t lane = i % places / 4;
      const int32_t c = (4 * s.kr * lane + i / places * 4 + i % 4) % dot_width(s.nr, left);
      channel[static_cast<size_t>(i)] = c < left ? first + c : -1;
    }
    int16_t* value = values.data();
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      for (const int32_t c : channel) {
        int32_t w = 0;
        if (c >= 0) {
          const auto raw = weights[tap * s.tap_stride + c * s.out_stride];
          w = s.weights == DType::kU8 ? static_cast<int32_t>(static_cast<uint8_t>(raw))
                                      : static_cast<int32_t>(static_cast<int8_t>(raw));
          w -= s.weights_zero_point;
        }
        low = std::min(low, w);
        high = std::max(high, w);
        *value++ = static_cast<int16_t>(w);
      }
    }
  }
};

// Copies the line of each tap, as T, to where the kernels want it: kr rows of a column together.
// `lines` has [taps + 1][nr]; returns the end of what was written.
template <typename T>
T* interleave_rows(const PackSpec& s, const T* lines, T* out) {
  const int32_t kernel_w = s.taps / s.kernel_h;
  const T* from[kGroupRows];
  for (int32_t g = 0; g < dot_groups(s.kernel_h, s.shifts); ++g) {
    for (int32_t kx = 0; kx < kernel_w; ++kx) {
      for (int32_t shift = 0; shift < s.shifts; ++shift) {
        for (int32_t row = 0; row < kGroupRows; row += s.kr) {
          for (int32_t e = 0; e < s.kr; ++e) {
            const int32_t ky = g * kGroupRows + row + e - shift;
            const bool inside = ky >= 0 && ky < s.kernel_h;
            from[e] = lines + (inside ? ky * kernel_w + kx : s.taps) * s.nr;
          }
          for (int32_t i = 0; i < s.nr; ++i)
            for (int32_t e = 0; e < s.kr; ++e) *out++ = from[e][i];
        }
      }
    }
  }
  return out;
}

// The same for `crossed`.
int8_t* cross_quads(const PackSpec& s, const int8_t* lines, int8_t* out) {
  constexpr int32_t kLanes = 16;
  for (int32_t place = 0; place < s.nr; place += kLanes) {
    // Four taps from (ky, kx) on, down or to the right.
    auto quad = [&](int32_t ky, int32_t kx, bool down) {
      for (int32_t lane = 0; lane < kLanes; ++lane) {
        for (int32_t e = 0; e < kGroupRows; ++e) {
          const int32_t column = down ? kx : kx + e;
          const bool inside = column >= 0 && column < kCrossedWindow;
          const int32_t tap = inside ? (down ? ky + e : ky) * kCrossedWindow + column : s.taps;
          *out++ = lines[tap * s.nr + place + lane];
        }
      }
    };
    for (int32_t kx = 0; kx < kCrossedWindow; ++kx)
      for (int32_t first : {1, 0}) quad(first, kx, true);
    for (int32_t ky : {0, kCrossedWindow - 1})
      for (int32_t column = 0; column < kCrossedColumns; ++column)
        for (int32_t half : {0, 4}) quad(ky, half - column, false);
  }
  return out;
}

// The same for kDepthwiseRowPairs.
void pair_rows(const PackSpec& s, const int16_t* lines, int16_t* out) {
  const int32_t kernel_w = s.taps / s.kernel_h;
  for (int32_t place = 0; place < 2; ++place) {
    for (int32_t row = -place; row < 2 * row_pairs(s.kernel_h) - place; row += 2) {
      for (int32_t kx = 0; kx < kernel_w; ++kx) {
        for (int32_t i = 0; i < s.nr; ++i) {
          for (int32_t ky = row; ky < row + 2; ++ky) {
            const bool inside = ky >= 0 && ky < s.kernel_h;
            *out++ = lines[(inside ? ky * kernel_w + kx : s.taps) * s.nr + i];
          }
        }
      }
    }
  }
}

}  // namespace

int32_t dot_parts(const PackSpec& s) {
  if (s.packing == PackingId::kDepthwisePairs || s.row_pairs()) return 1;
  const IntRange range = range_of(s.weights);
  return parts_of(range.min - s.weights_zero_point, range.max - s.weights_zero_point);
}

void pack_dot_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                    std::span<const float> scales, int32_t first, std::byte* panel) {
  const PanelWeights panel_weights(s, weights, first);
  std::vector<int16_t> values = panel_weights.values;
  const bool pairs = s.packing == PackingId::kDepthwisePairs || s.row_pairs();
  const bool may_calm = s.packing == PackingId::kDepthwiseDots;
  DotPanelHeader header{pairs ? 1 : parts_of(panel_weights.low, panel_weights.high), 0,
                        may_calm ? 1 : 0};

  auto* out_bias = reinterpret_cast<uint32_t*>(panel + 64);
  auto* out_scale = reinterpret_cast<float*>(panel + 64 + 4 * s.nr);
  const auto zx = static_cast<uint32_t>(s.input_zero_point + s.input_shift());
  for (int32_t i = 0; i < s.nr; ++i) {
    const int32_t c = panel_weights.channel[static_cast<size_t>(i)];
    if (c < 0) continue;
    uint32_t sum = 0;
    int64_t magnitude = 0;
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      const int32_t w = values[static_cast<size_t>(tap * s.nr + i)];
      sum += static_cast<uint32_t>(w);
      magnitude += std::abs(w);
    }
    const auto k = static_cast<size_t>(c);
    const uint32_t b = bias == nullptr ? 0 : reinterpret_cast<const uint32_t*>(bias)[k];
    out_bias[i] = b - zx * sum;
    out_scale[i] = scales[k];
    if (!(scales[k] < 1)) header.limited = 1;
    magnitude = magnitude * input_reach(s) + std::abs(int64_t{static_cast<int32_t>(b)});
    if (!is_calm(magnitude, scales[k])) header.calm = 0;
  }
  for (int32_t slot = 0; header.calm != 0 && slot < s.nr; ++slot) out_bias[slot] += kCalmBits;
  std::memcpy(panel, &header, sizeof(header));

  std::byte* out = panel + s.weights_offset();
  if (s.row_pairs()) return pair_rows(s, values.data(), reinterpret_cast<int16_t*>(out));
  if (pairs) {
    interleave_rows(s, values.data(), reinterpret_cast<int16_t*>(out));
    return;
  }
  std::vector<int8_t> part(values.size());
  auto* next = reinterpret_cast<int8_t*>(out);
  for (int32_t p = 0; p < header.parts; ++p) {
    for (size_t i = 0; i < values.size(); ++i) {
      const int32_t w = std::clamp<int32_t>(values[i], -128, 127);
      part[i] = static_cast<int8_t>(w);
      values[i] = static_cast<int16_t>(values[i] - w);
    }
    next = s.crossed ? cross_quads(s, part.data(), next) : interleave_rows(s, part.data(), next);
  }
}

}  // namespace pj
