// Which layers a row of the catalog can compute: predicates named in kernel_list.h. Portable, so
// that any machine can plan with them.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

using FitsFn = bool (*)(const ConvKernelParams&);

namespace fits {

inline bool any_layer(const ConvKernelParams&) { return true; }
// At most so many output channels.
inline bool two_channels(const ConvKernelParams& p) { return p.out_channels <= 2; }
inline bool eight_channels(const ConvKernelParams& p) { return p.out_channels <= 8; }
// Of depthwise layers: an output channel for each input channel.
inline bool no_multiplier(const ConvKernelParams& p) { return p.in_channels == p.out_channels; }

}  // namespace fits
}  // namespace pj
