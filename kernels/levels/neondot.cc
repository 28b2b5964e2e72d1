#include "kernels/conv/neon_dot.h"
#include "kernels/depthwise/dot_neon_direct.h"
#include "kernels/levels/rows.h"

namespace pj::kernels {
PJ_KERNELS_NEONDOT(PJ_DEFINE_ROW)
}  // namespace pj::kernels
