// Which layers a row of the catalog can compute: predicates named in kernel_list.h. Portable, so
// that any machine can plan with them.
#pragma once

#include "kernels/conv/conv.h"
#include "kernels/depthwise/row_pairs_shape.h"

namespace pj {

using FitsFn = bool (*)(const ConvKernelParams&);

namespace fits {

// Without epilogue, as all but those that name some.
inline bool any_layer(const ConvKernelParams& p) { return p.epilogue.is(EpilogueFn::kNone); }
// Floats: also with a sum or slopes. Functions of one argument are no faster here than as members
// of a band, which run over whole rows.
inline bool float_layer(const ConvKernelParams& p) { return !p.epilogue.is(EpilogueFn::kUnary); }
// At most so many output channels.
inline bool two_channels(const ConvKernelParams& p) {
  return float_layer(p) && p.out_channels <= 2;
}
inline bool eight_channels(const ConvKernelParams& p) {
  return float_layer(p) && p.out_channels <= 8;
}
// Eight channels to at most two, pixel by pixel.
inline bool eight_to_two(const ConvKernelParams& p) {
  return two_channels(p) && p.in_channels == 8 && p.stride_w == 1;
}
// Windows of 3 x 3 without steps between anything, whole vectors of channels, and weights that L2
// has room for after Winograd's transformation.
inline bool winograd(const ConvKernelParams& p) {
  return float_layer(p) && p.kernel_h == 3 && p.kernel_w == 3 && p.stride_h == 1 &&
         p.stride_w == 1 && p.dilation_h == 1 && p.dilation_w == 1 && p.in_channels >= 16 &&
         p.in_channels % 8 == 0 && p.out_channels % 8 == 0 &&
         int64_t{p.in_channels} * p.out_channels <= 64 * 64;
}
// Of depthwise layers: an output channel for each input channel.
inline bool no_multiplier(const ConvKernelParams& p) {
  return float_layer(p) && p.in_channels == p.out_channels;
}
// Of depthwise layers: eight channels and windows of 3 x 3 without steps between anything.
inline bool eight_by_threes(const ConvKernelParams& p) {
  return no_multiplier(p) && p.in_channels == 8 && p.kernel_h == 3 && p.kernel_w == 3 &&
         p.stride_h == 1 && p.stride_w == 1 && p.dilation_h == 1 && p.dilation_w == 1;
}
// Bytes, with the epilogues of kernels/conv/byte_epilogue.h too.
inline bool any_bytes(const ConvKernelParams& p) {
  return any_layer(p) || p.epilogue.is(EpilogueFn::kUnary) ||
         (p.epilogue.is(EpilogueFn::kAdd) && p.epilogue.sum.fixed_point != 0);
}
// Bytes whose k's can be listed in 16 bits, four by four (kernels/conv/quad_rows.h).
inline bool quads(const ConvKernelParams& p) {
  return any_bytes(p) && int64_t{p.kernel_h} * p.kernel_w * p.in_channels <= 4 * 65536;
}
// Depthwise layers without multiplier and dilation, whose windows are few pairs of rows.
inline bool row_pairs(const ConvKernelParams& p) {
  return any_layer(p) && p.in_channels == p.out_channels && p.dilation_h == 1 &&
         p.dilation_w == 1 && pj::row_pairs(p.kernel_h) <= kMostPairs;
}

}  // namespace fits
}  // namespace pj
