#include "kernels/packing/packing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "kernels/depthwise/dot_shape.h"
#include "runtime/base/aligned.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

int64_t aligned(int64_t bytes) {
  return static_cast<int64_t>(round_up(static_cast<size_t>(bytes), kCacheLine));
}

int32_t k_blocks(const PackSpec& s) {
  const int32_t unit = s.packing == PackingId::kConvWindows ? kWindowUnit : s.kr;
  return static_cast<int32_t>(ceil_div(s.in_channels, unit)) * (unit / s.kr);
}

// Copies one panel's weights, converting with `convert`, and calls it for every element that
// exists.
template <typename T, typename Convert>
void copy_panel(const PackSpec& s, const T* weights, int32_t first, T* out, Convert convert) {
  for (int32_t tap = 0; tap < s.taps; ++tap) {
    for (int32_t kb = 0; kb < k_blocks(s); ++kb) {
      for (int32_t n = 0; n < s.nr; ++n) {
        for (int32_t kk = 0; kk < s.kr; ++kk, ++out) {
          const int32_t k = kb * s.kr + kk;
          if (first + n >= s.out_channels || k >= s.in_channels) continue;
          *out = convert(
              n, weights[tap * s.tap_stride + k * s.in_stride + (first + n) * s.out_stride]);
        }
      }
    }
  }
}

void pack_float_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                      bool bias_f16, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  auto* out_bias = reinterpret_cast<float*>(panel);
  for (int32_t n = 0; bias != nullptr && n < channels; ++n) {
    out_bias[n] = bias_f16 ? to_float(reinterpret_cast<const Half*>(bias)[first + n])
                           : reinterpret_cast<const float*>(bias)[first + n];
  }
  std::byte* out = panel + s.weights_offset();
  if (s.weights == DType::kF16) {
    copy_panel(s, reinterpret_cast<const uint16_t*>(weights), first,
               reinterpret_cast<uint16_t*>(out), [](int32_t, uint16_t w) { return w; });
  } else {
    copy_panel(s, reinterpret_cast<const float*>(weights), first, reinterpret_cast<float*>(out),
               [](int32_t, float w) { return w; });
  }
}

void pack_integer_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                        std::span<const float> scales, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  auto* out_bias = reinterpret_cast<uint32_t*>(panel);
  auto* out_scale = reinterpret_cast<float*>(panel + 4 * s.nr);
  const bool as_unsigned = s.packing == PackingId::kConvSegments && s.input == DType::kI8;
  const auto zx = static_cast<uint32_t>(s.input_zero_point + (as_unsigned ? 128 : 0));
  const auto zw = static_cast<uint32_t>(signed_zero_point(s.weights, s.weights_zero_point));
  const auto count = static_cast<uint32_t>(s.taps) * static_cast<uint32_t>(s.in_channels);
  for (int32_t n = 0; n < channels; ++n) {
    const auto c = static_cast<size_t>(first + n);
    const uint32_t b = bias == nullptr ? 0 : reinterpret_cast<const uint32_t*>(bias)[c];
    out_bias[n] = b + count * zx * zw;
    out_scale[n] = scales[c];
  }
  const uint8_t flip = s.weights == DType::kU8 ? 0x80 : 0;
  copy_panel(s, reinterpret_cast<const uint8_t*>(weights), first,
             reinterpret_cast<uint8_t*>(panel + s.weights_offset()), [&](int32_t n, uint8_t raw) {
               const auto w = static_cast<uint8_t>(raw ^ flip);
               out_bias[n] -= zx * static_cast<uint32_t>(static_cast<int8_t>(w));
               return w;
             });
}

}  // namespace

int64_t PackSpec::pad_bytes() const {
  return aligned(int64_t{pad_channels} * static_cast<int64_t>(size_of(input)));
}
int64_t PackSpec::weights_offset() const {
  return dot() ? dot_weights_offset(nr) : int64_t{nr} * (integer() ? 8 : 4);
}
int64_t PackSpec::panel_bytes() const {
  if (dot()) {
    const int64_t columns = int64_t{dot_groups(kernel_h, shifts)} * (taps / kernel_h);
    const int64_t element = packing == PackingId::kDepthwisePairs ? 2 : 1;
    return aligned(weights_offset() +
                   dot_parts(*this) * columns * shifts * kGroupRows * nr * element);
  }
  const int64_t count = int64_t{taps} * k_blocks(*this) * kr * nr;
  return aligned(weights_offset() + count * static_cast<int64_t>(size_of(weights)));
}
int64_t PackSpec::total_bytes() const {
  return pad_bytes() + ceil_div(out_channels, nr) * panel_bytes();
}

std::string PackSpec::key() const {
  return fmt::format("{}/x={},z={},p={}/w={},z={}/nr={},kr={}/{}x{}x{}/h={},s={}", name_of(packing),
                     name_of(input), input_zero_point, pad_channels, name_of(weights),
                     weights_zero_point, nr, kr, taps, in_channels, out_channels, kernel_h, shifts);
}

void pack_weights(const PackSpec& spec, const std::byte* weights, const std::byte* bias,
                  bool bias_f16, std::span<const float> scales, std::span<std::byte> packed) {
  if (spec.integer()) {
    std::memset(packed.data(), static_cast<uint8_t>(spec.input_zero_point),
                static_cast<size_t>(spec.pad_channels));
  }
  std::byte* panel = packed.data() + spec.pad_bytes();
  for (int32_t first = 0; first < spec.out_channels; first += spec.nr) {
    if (spec.dot()) {
      pack_dot_panel(spec, weights, bias, scales, first, panel);
    } else if (spec.integer()) {
      pack_integer_panel(spec, weights, bias, scales, first, panel);
    } else {
      pack_float_panel(spec, weights, bias, bias_f16, first, panel);
    }
    panel += spec.panel_bytes();
  }
}

}  // namespace pj
