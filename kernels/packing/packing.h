// Packing: from the portable weights of a model to the layout that a kernel reads. Portable code
// without intrinsics: a PC packs for a board that it is not, byte for byte as the board would.
//
// Weights of a convolution with O output channels, in panels of nr output channels:
//
//   pad pixel   in_channels elements of the input's zero (its zero point), rounded up to 64 bytes
//   panel 0     bias[nr]   int32 or f32; integers: with the zero points folded in, see below
//               scale[nr]  f32, integers only: the requantisation scale
//               weights    [taps][ceil(in_channels / kr)][nr][kr], rounded up to 64 bytes
//   panel 1 ...
//
// kConvQuads has taps and input channels as one run of k's: taps = 1, and in_channels the k's of a
// whole window. Its panels (kernels/conv/quad_rows.h) say which k's are multiplied together.
// Weights have their zero point subtracted, unless a panel is marked. Kernels see int8 activations
// as unsigned, x + 128.
//
// kConvSegments is like kConvPanels with rows of the window as taps: where the input is contiguous,
// the taps and channels of a row are one long K (kernels/conv/segments.h). Its kernels see int8
// activations as unsigned, x + 128, and their zero point with them.
//
// kConvHalfTails is kConvSegments for floats with kr = 1, but for a last panel of at most nr / 2
// channels: that is one of nr / 2 channels and kr = 2, at the same place.
//
// kConvWinograd: of windows of 3 x 3, transformed; see kernels/conv/winograd_shape.h.
//
// kConvDots and kConvMulls are kConvSegments for ARM: a panel begins with flags
// (kernels/packing/panel_flags.h), the bias of calm panels includes kCalmBits
// (kernels/common/calm_sums.h), and int8 activations are seen as they are. kConvDots leaves
// unsigned weights unsigned too; kernels of kConvMulls see uint8 activations as signed, x - 128.
//
// kConvMulls has nr = 8, kr = 16, and steps of kr k's in the order in which activations are turned
// (kernels/conv/neon_mull.h): [turn 0..3][channels 0..3, 4..7][pair i 0..7][2], where i is of
// channel i % 4 and has k's 2 * ((i + turn) % 8) and the next. If a step, the last of a tap, has at
// most 8 k's, there are pairs 0..3, turned among themselves, in the first half of its bytes. In
// panels whose unsigned weights fit 8 bits without their zero point, it is subtracted.
//
// kDepthwisePanels is the same with weights [taps][nr]. Channels past O and k's past in_channels
// are zero. Unsigned weights become signed by subtracting 128, and their zero point with them.
//
// kDepthwiseQuads and kDepthwisePairs are for kernels that see the rows of the input four by four
// (kernels/depthwise/dot.h). A panel is
//
//               parts      int32: how many weights sum up to one
//               limited    int32: 1 if a scale is 1 or more; then padding to 64 bytes
//               bias[nr]   int32
//               scale[nr]  f32
//               weights    [parts][groups of 4 rows][kernel_w][shifts][4 / kr][nr][kr], of int8 for
//               quads (kr 4), of int16 for pairs (kr 2)
//
// with channels in the order in which unpack instructions leave them, and repeated if a panel has
// at most half of nr. With `crossed`, of windows of 5x5 (kernels/depthwise/dot_crossed.h), weights
// are [parts][nr / 16][kCrossedQuads][16][4]: for each column of the window, and for the upper and
// the lower one of two output rows, the rows that the two share; then, for the row that only one of
// them sees, upper and lower, for each of four output columns, eight columns from the first one's
// on. Weights have their zero point subtracted: the result may need 9 bits, so
// quads are the sum of up to three parts. Kernels see int8 inputs as x + 128; bias accounts for it.
//
// kDepthwiseRowPairs is for kernels that see them two by two (kernels/depthwise/row_pairs.h), and
// inputs as they are: like kDepthwisePairs, but with weights [2 places][pairs of rows][kernel_w]
// [nr][2] of int16.
//
// kDepthwiseDots is kDepthwiseQuads for kernels that see uint8 inputs as x - 128 and int8 ones as
// they are; `calm` follows `limited`, and the bias of calm panels includes kCalmBits.
//
// kDepthwiseWide: flags as kConvDots has them, bias, scale, weights [taps][nr] of int16 with their
// zero point subtracted.
//
// Zero points. A kernel that sums products of raw activations x and packed weights w gets
//   sum (x - zx)(w - zw) = sum x*w - zw * sum x + [taps*in_channels * zx*zw - zx * sum w]
// where the bracket is a constant of the channel: packing adds it to the bias. The kernel subtracts
// zw * sum x itself, where zw is not 0. Padding is x = zx, which the formula makes vanish. Sums
// wrap modulo 2^32 as the accumulators do.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernels/catalog/catalog.h"

namespace pj {

// What packing needs to know of one layer. Plain data.
struct PackSpec {
  PackingId packing = PackingId::kNone;
  DType input = DType::kF32, weights = DType::kF32;
  int32_t nr = 1, kr = 1;
  int32_t taps = 1;                  // kernel height x width
  int32_t kernel_h = 1, shifts = 1;  // dot() only
  bool crossed = false;              // kDepthwiseQuads only
  int32_t in_channels = 1;           // a tap of an output channel; 1 for depthwise packings
  int32_t out_channels = 1;
  int32_t pad_channels = 1;  // elements of the pad pixel: the input's channels
  int32_t input_zero_point = 0;
  int32_t weights_zero_point = 0;  // as in the model
  // Distances in the portable weights, in elements: of taps, of input and of output channels.
  // [O,kh,kw,I]: {I, 1, taps*I}; depthwise [1,kh,kw,C]: {C, 0, 1}.
  int64_t tap_stride = 1, in_stride = 1, out_stride = 1;

  bool dot() const {
    return packing == PackingId::kDepthwiseQuads || packing == PackingId::kDepthwisePairs ||
           row_pairs() || packing == PackingId::kDepthwiseDots;
  }
  bool row_pairs() const { return packing == PackingId::kDepthwiseRowPairs; }
  bool quads() const { return packing == PackingId::kConvQuads; }
  bool wide() const { return packing == PackingId::kDepthwiseWide; }
  // Rows of the window are taps (kernels/conv/segments.h).
  bool segments() const {
    return packing == PackingId::kConvSegments || packing == PackingId::kConvHalfTails ||
           packing == PackingId::kConvDots || packing == PackingId::kConvMulls;
  }
  bool flagged() const {
    return packing == PackingId::kConvDots || packing == PackingId::kConvMulls || wide();
  }
  // What kernels see activations and weights shifted by, and so their zero points: 128, -128 or 0.
  int32_t input_shift() const;
  int32_t weights_shift() const;
  // The weights' zero point as kernels of convolutions see it.
  int32_t seen_weights_zero_point() const { return weights_zero_point + weights_shift(); }
  bool integer() const { return !is_float(input); }
  int64_t pad_bytes() const;       // of the pad pixel
  int64_t panel_bytes() const;     // distance of two panels
  int64_t weights_offset() const;  // of the weights in a panel
  int64_t total_bytes() const;
  // Layout and every number that the bytes depend on, as text; the key of a packed section.
  std::string key() const;
};

// The weights' zero point after moving unsigned weights to signed.
constexpr int32_t signed_zero_point(DType weights, int32_t zero_point) {
  return weights == DType::kU8 ? zero_point - 128 : zero_point;
}

// kDepthwiseQuads, kDepthwisePairs: the most parts that weights of this type and zero point need.
int32_t dot_parts(const PackSpec& spec);
// One panel of theirs, from channel `first`. For pack_weights().
void pack_dot_panel(const PackSpec& spec, const std::byte* weights, const std::byte* bias,
                    std::span<const float> scales, int32_t first, std::byte* panel);

// One of kConvQuads, likewise: all but bias and scales.
void finish_quad_panel(const PackSpec& spec, const std::byte* weights,
                       std::span<const float> scales, int32_t first, std::byte* panel);

// One of kDepthwiseWide, likewise.
void pack_wide_panel(const PackSpec& spec, const std::byte* weights, const std::byte* bias,
                     std::span<const float> scales, int32_t first, std::byte* panel);

// Fills in the flags of a panel of convolutions that is packed otherwise, and the bits that calm
// panels have in their bias. Likewise.
void finish_flagged_panel(const PackSpec& spec, const std::byte* weights, const std::byte* bias,
                          std::span<const float> scales, int32_t first, std::byte* panel);

// The largest difference of an activation to its zero point.
int32_t input_reach(const PackSpec& spec);

// Fills `packed`, which has spec.total_bytes() zeroed bytes. `weights` holds the portable weights,
// `bias` one int32 or f32 (f16 if bias_f16) a channel or nothing, `scales` one requantisation scale
// a channel (integers only).
void pack_weights(const PackSpec& spec, const std::byte* weights, const std::byte* bias,
                  bool bias_f16, std::span<const float> scales, std::span<std::byte> packed);

}  // namespace pj
