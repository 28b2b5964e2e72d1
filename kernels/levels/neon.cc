#define PJ_ELEMENT_KERNEL(name) name##_neon

#include "kernels/conv/float.h"
#include "kernels/conv/float_dot.h"
#include "kernels/conv/float_winograd.h"
#include "kernels/conv/neon_mull.h"
#include "kernels/depthwise/float.h"
#include "kernels/depthwise/neon_mlal.h"
#include "kernels/levels/rows.h"
#include "kernels/matmul/float.h"

namespace pj::kernels {
PJ_KERNELS_NEON(PJ_DEFINE_ROW)
}  // namespace pj::kernels
