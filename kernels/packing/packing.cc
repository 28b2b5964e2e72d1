#include "kernels/packing/packing.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/common/transpose_quads.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/conv/winograd_shape.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/packing/panel_flags.h"
#include "runtime/base/aligned.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

int64_t aligned(int64_t bytes) {
  return static_cast<int64_t>(round_up(static_cast<size_t>(bytes), kCacheLine));
}

int32_t k_blocks(const PackSpec& s) { return static_cast<int32_t>(ceil_div(s.in_channels, s.kr)); }

// Copies `count` words, `from_step` and `to_step` bytes apart, with the bits of `flip` flipped.
template <typename Word>
void copy_words(const std::byte* from, int64_t from_step, std::byte* to, int64_t to_step,
                int64_t count, Word flip) {
  for (int64_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, from + i * from_step, sizeof(Word));
    word ^= flip;
    std::memcpy(to + i * to_step, &word, sizeof(Word));
  }
}

// The same for words of 1, 2, 4 or 8 bytes, all of which have the bits of `flip` flipped.
void copy_words(int64_t word_bytes, const std::byte* from, int64_t from_step, std::byte* to,
                int64_t to_step, int64_t count, uint8_t flip) {
  const uint64_t flips = flip * 0x0101010101010101U;
  switch (word_bytes) {
    case 1:
      return copy_words(from, from_step, to, to_step, count, flip);
    case 2:
      return copy_words(from, from_step, to, to_step, count, static_cast<uint16_t>(flips));
    case 4:
      return copy_words(from, from_step, to, to_step, count, static_cast<uint32_t>(flips));
    default:
      return copy_words(from, from_step, to, to_step, count, flips);
  }
}

// Copies 4 x `count` words of 32 bits, count a multiple of 4, from four runs that are `run_bytes`
// apart, so that four of one place follow each other.
void interleave_words(const std::byte* from, int64_t run_bytes, std::byte* to, int64_t to_step,
                      int64_t count, uint8_t flip) {
  const Quad flips = flip * 0x01010101U - Quad{};
  for (int64_t i = 0; i < count; i += 4, from += sizeof(Quad), to += 4 * to_step) {
    Quad run[4];
    for (int r = 0; r < 4; ++r) {
      std::memcpy(&run[r], from + r * run_bytes, sizeof(Quad));
      run[r] ^= flips;
    }
    transpose_quads(run);
    for (int p = 0; p < 4; ++p) std::memcpy(to + p * to_step, &run[p], sizeof(Quad));
  }
}

// Copies `count` neighbouring k's of one output channel and tap to their places in a panel: kr of
// them together, as one word.
void copy_run(const PackSpec& s, const std::byte* from, int64_t count, uint8_t flip,
              std::byte* to) {
  const auto size = static_cast<int64_t>(size_of(s.weights));
  const int64_t kr_bytes = s.kr * size, to_step = s.nr * kr_bytes;
  if (kr_bytes == 2 || kr_bytes == 4 || kr_bytes == 8) {
    const int64_t whole = count / s.kr;
    copy_words(kr_bytes, from, kr_bytes, to, to_step, whole, flip);
    from += whole * kr_bytes;
    to += whole * to_step;
    count -= whole * s.kr;
  }
  for (int64_t k = 0; k < std::min<int64_t>(s.kr, count); ++k)
    copy_words(size, from + k * size, kr_bytes, to + k * size, to_step, ceil_div(count - k, s.kr),
               flip);
}

// Copies `count` neighbouring k's of `channels` output channels, whose runs are `run_bytes` apart.
void copy_runs(const PackSpec& s, const std::byte* from, int64_t run_bytes, int32_t channels,
               int64_t count, uint8_t flip, std::byte* to) {
  const auto size = static_cast<int64_t>(size_of(s.weights));
  const int64_t kr_bytes = s.kr * size;
  const int64_t words = kr_bytes == 4 ? count / s.kr / 4 * 4 : 0;
  for (int32_t n = 0; n < channels; ++n, from += run_bytes, to += kr_bytes) {
    if (n % 4 == 0 && n + 4 <= channels)
      interleave_words(from, run_bytes, to, s.nr * kr_bytes, words, flip);
    const int64_t done = n < channels / 4 * 4 ? words : 0;
    copy_run(s, from + done * kr_bytes, count - done * s.kr, flip, to + done * s.nr * kr_bytes);
  }
}

// Copies the weights of one panel, `channels` of them from channel `first` on. Where k's are
// neighbours, in blocks of them, so that all channels write to the same few lines while these are
// in L1; else channel by channel.
void copy_panel(const PackSpec& s, const std::byte* weights, int32_t first, int32_t channels,
                uint8_t flip, std::byte* out) {
  const auto size = static_cast<int64_t>(size_of(s.weights));
  const int64_t block = s.in_stride == 1 && s.in_channels > 1 ? 64 * s.kr : 1;
  const int64_t tap_bytes = int64_t{k_blocks(s)} * s.kr * s.nr * size;
  for (int32_t tap = 0; tap < s.taps; ++tap, out += tap_bytes) {
    for (int64_t k = 0; k < s.in_channels; k += block) {
      const std::byte* from =
          weights + (tap * s.tap_stride + k * s.in_stride + first * s.out_stride) * size;
      std::byte* to = out + (k / s.kr * s.nr * s.kr + k % s.kr) * size;
      if (block > 1) {
        copy_runs(s, from, s.out_stride * size, channels, std::min(block, s.in_channels - k), flip,
                  to);
      } else {
        copy_words(size, from, s.out_stride * size, to, s.kr * size, channels, flip);
      }
    }
  }
}

// The sum of signed bytes, modulo 2^32, each with the bits of `flip` flipped: fields of 16 bits
// side by side, of the bytes as unsigned ones.
uint32_t sum_of_bytes(const std::byte* bytes, int64_t count, uint8_t flip) {
  constexpr uint64_t kBytes = 0x00ff00ff00ff00ffU, kFields = 0x0000ffff0000ffffU;
  constexpr int64_t kFit = 256 * 8;  // bytes, until a field could overflow
  flip ^= 0x80;
  uint32_t sum = 0;
  int64_t i = 0;
  while (count - i >= 8) {
    uint64_t even = 0, odd = 0;
    for (const int64_t end = std::min(i + kFit, count / 8 * 8); i < end; i += 8) {
      uint64_t word;
      std::memcpy(&word, bytes + i, 8);
      word ^= flip * 0x0101010101010101U;
      even += word & kBytes;
      odd += word >> 8 & kBytes;
    }
    const uint64_t sums =
        (even & kFields) + (even >> 16 & kFields) + (odd & kFields) + (odd >> 16 & kFields);
    sum += static_cast<uint32_t>(sums) + static_cast<uint32_t>(sums >> 32);
  }
  for (; i < count; ++i) sum += static_cast<uint8_t>(bytes[i]) ^ flip;
  return sum - 128 * static_cast<uint32_t>(count);
}

// The sum of one output channel's weights as kernels see them, modulo 2^32.
uint32_t sum_of_weights(const PackSpec& s, const std::byte* weights, int32_t channel,
                        uint8_t flip) {
  uint32_t sum = 0;
  for (int32_t tap = 0; tap < s.taps; ++tap) {
    const std::byte* w = weights + tap * s.tap_stride + channel * s.out_stride;
    if (s.in_stride == 1) {
      sum += sum_of_bytes(w, s.in_channels, flip);
      continue;
    }
    for (int32_t k = 0; k < s.in_channels; ++k) sum += sum_of_bytes(w + k * s.in_stride, 1, flip);
  }
  return sum;
}

// G g G' of the 3 x 3 weights g, whose taps are a distance apart (kernels/conv/winograd_shape.h).
void transform_weights(const float* g, int64_t tap_stride, std::byte* out, int64_t place_bytes) {
  double rows[4][3];
  for (int j = 0; j < 3; ++j) {
    const double a = g[j * tap_stride], b = g[(3 + j) * tap_stride], c = g[(6 + j) * tap_stride];
    rows[0][j] = a;
    rows[1][j] = (a + b + c) / 2;
    rows[2][j] = (a - b + c) / 2;
    rows[3][j] = c;
  }
  for (const auto& [a, b, c] : rows) {
    for (const double x : {a, (a + b + c) / 2, (a - b + c) / 2, c}) {
      const auto rounded = static_cast<float>(x);
      std::memcpy(out, &rounded, sizeof(rounded));
      out += place_bytes;
    }
  }
}

void pack_float_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                      bool bias_f16, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  if (s.packing == PackingId::kConvHalfTails && channels <= s.nr / 2) {
    PackSpec half = s;
    half.packing = PackingId::kConvSegments;
    half.nr /= 2;
    half.kr = 2;
    return pack_float_panel(half, weights, bias, bias_f16, first, panel);
  }
  const bool winograd = s.packing == PackingId::kConvWinograd;
  const int64_t place = winograd ? winograd_place_bytes(s.in_channels, s.nr) : 0;
  auto* out_bias = reinterpret_cast<float*>(panel + kWinogradBiasPlace * place);
  for (int32_t n = 0; bias != nullptr && n < channels; ++n) {
    out_bias[n] = bias_f16 ? to_float(reinterpret_cast<const Half*>(bias)[first + n])
                           : reinterpret_cast<const float*>(bias)[first + n];
  }
  panel += s.weights_offset();
  if (!winograd) return copy_panel(s, weights, first, channels, 0, panel);
  const auto* w = reinterpret_cast<const float*>(weights);
  for (int32_t k = 0; k < s.in_channels; ++k) {
    for (int32_t n = 0; n < channels; ++n) {
      const float* g = w + k * s.in_stride + (first + n) * s.out_stride;
      transform_weights(g, s.tap_stride, panel + (int64_t{k} * s.nr + n) * 4, place);
    }
  }
}

void pack_integer_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                        std::span<const float> scales, int32_t first, std::byte* panel) {
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  std::byte* const header = panel + (s.flagged() ? kPanelFlagBytes : (s.quads() ? kQuadBiasAt : 0));
  auto* out_bias = reinterpret_cast<uint32_t*>(header);
  auto* out_scale = reinterpret_cast<float*>(header + 4 * s.nr);
  const auto zx = static_cast<uint32_t>(s.input_zero_point + s.input_shift());
  const auto zw = static_cast<uint32_t>(s.seen_weights_zero_point());
  const uint8_t flip = s.weights_shift() != 0 ? 0x80 : 0;
  const uint32_t shift = s.weights == DType::kU8 && flip == 0 ? 128 : 0;
  const auto count = static_cast<uint32_t>(s.taps) * static_cast<uint32_t>(s.in_channels);
  for (int32_t n = 0; n < channels; ++n) {
    const auto c = static_cast<size_t>(first + n);
    const uint32_t b = bias == nullptr ? 0 : reinterpret_cast<const uint32_t*>(bias)[c];
    out_bias[n] = b + count * zx * zw;
    // Sums are those of signed bytes.
    if (zx != 0) {
      const uint8_t to_signed = shift != 0 ? 0x80 : flip;
      out_bias[n] -= zx * (sum_of_weights(s, weights, first + n, to_signed) + shift * count);
    }
    out_scale[n] = scales[c];
  }
  if (s.quads()) return finish_quad_panel(s, weights, scales, first, panel);
  copy_panel(s, weights, first, channels, flip, panel + s.weights_offset());
  if (s.flagged()) finish_flagged_panel(s, weights, bias, scales, first, panel);
}

// A panel of kConvMulls whose unsigned weights have their zero point subtracted; false if they do
// not fit.
bool pack_centered_panel(const PackSpec& s, const std::byte* weights, const std::byte* bias,
                         std::span<const float> scales, int32_t first, std::byte* panel) {
  if (s.packing != PackingId::kConvMulls || s.weights != DType::kU8) return false;
  PackSpec c = s;
  c.weights = DType::kI8;
  c.weights_zero_point = 0;
  c.out_channels = std::min(s.nr, s.out_channels - first);
  c.in_stride = 1;
  c.tap_stride = s.in_channels;
  c.out_stride = s.taps * c.tap_stride;
  std::vector<std::byte> centered(static_cast<size_t>(c.out_channels * c.out_stride));
  std::byte* to = centered.data();
  for (int32_t n = first; n < first + c.out_channels; ++n) {
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      const std::byte* from = weights + tap * s.tap_stride + n * s.out_stride;
      for (int32_t k = 0; k < s.in_channels; ++k, from += s.in_stride) {
        const int32_t w = static_cast<uint8_t>(*from) - s.weights_zero_point;
        if (w < -128 || w > 127) return false;
        *to++ = static_cast<std::byte>(w);
      }
    }
  }
  pack_integer_panel(c, centered.data(), bias == nullptr ? nullptr : bias + int64_t{4} * first,
                     scales.subspan(static_cast<size_t>(first)), 0, panel);
  return true;
}

}  // namespace

int64_t PackSpec::pad_bytes() const {
  return aligned(int64_t{pad_channels} * static_cast<int64_t>(size_of(input)));
}
int64_t PackSpec::weights_offset() const {
  if (dot()) return dot_weights_offset(nr);
  if (quads()) return QuadLists(in_channels).weights_at();
  return (flagged() ? kPanelFlagBytes : 0) + int64_t{nr} * (integer() ? 8 : 4);
}
int32_t PackSpec::input_shift() const {
  using enum PackingId;
  const bool as_unsigned = packing == kConvSegments || packing == kConvQuads ||
                           packing == kDepthwiseQuads || packing == kDepthwisePairs;
  const bool as_signed = packing == kConvMulls || packing == kDepthwiseDots;
  if (as_unsigned && input == DType::kI8) return 128;
  return as_signed && input == DType::kU8 ? -128 : 0;
}
int32_t PackSpec::weights_shift() const {
  return weights == DType::kU8 && packing != PackingId::kConvDots ? -128 : 0;
}
int64_t PackSpec::panel_bytes() const {
  if (row_pairs())
    return aligned(weights_offset() + 2 * pair_weights_bytes(kernel_h, taps / kernel_h));
  if (quads()) return QuadLists(in_channels).panel_bytes();
  if (dot()) {
    const int64_t columns = int64_t{dot_groups(kernel_h, shifts)} * (taps / kernel_h);
    const int64_t element = packing == PackingId::kDepthwisePairs ? 2 : 1;
    const int64_t quads = crossed ? kCrossedQuads : columns * shifts;
    return aligned(weights_offset() + dot_parts(*this) * quads * kGroupRows * nr * element);
  }
  if (packing == PackingId::kConvWinograd)
    return aligned(kWinogradPlaces * winograd_place_bytes(in_channels, nr));
  const int64_t count = int64_t{taps} * k_blocks(*this) * kr * nr;
  const int64_t element = wide() ? 2 : static_cast<int64_t>(size_of(weights));
  return aligned(weights_offset() + count * element);
}
int64_t PackSpec::total_bytes() const {
  return pad_bytes() + ceil_div(out_channels, nr) * panel_bytes();
}

std::string PackSpec::key() const {
  // By hand: a library of formats takes thousands of instructions for it, at every load.
  char text[192], *at = text;
  auto add = [&](std::string_view before, auto value) {
    at = std::copy(before.begin(), before.end(), at);
    if constexpr (std::is_same_v<decltype(value), int32_t>)
      at = std::to_chars(at, std::end(text), value).ptr;
    else
      at = std::copy_n(value, std::strlen(value), at);
  };
  add("", name_of(packing));
  add("/x=", name_of(input));
  add(",z=", input_zero_point);
  add(",p=", pad_channels);
  add("/w=", name_of(weights));
  add(",z=", weights_zero_point);
  add("/nr=", nr);
  add(",kr=", kr);
  add("/", taps);
  add("x", in_channels);
  add("x", out_channels);
  add("/h=", kernel_h);
  add(",s=", shifts);
  if (crossed) add(",crossed", "");
  return {text, at};
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
    } else if (spec.wide()) {
      pack_wide_panel(spec, weights, bias, scales, first, panel);
    } else if (spec.integer()) {
      if (!pack_centered_panel(spec, weights, bias, scales, first, panel))
        pack_integer_panel(spec, weights, bias, scales, first, panel);
    } else {
      pack_float_panel(spec, weights, bias, bias_f16, first, panel);
    }
    panel += spec.panel_bytes();
  }
}

}  // namespace pj
