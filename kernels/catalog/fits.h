// Which layers a row of the catalog can compute: predicates named in kernel_list.h. Portable, so
// that any machine can plan with them.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

using FitsFn = bool (*)(const ConvKernelParams&);

namespace fits {

inline bool any_layer(const ConvKernelParams&) { return true; }

}  // namespace fits
}  // namespace pj
