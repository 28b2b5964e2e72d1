#include "kernels/conv/neon_mull.h"
#include "kernels/depthwise/neon_mlal.h"
#include "kernels/levels/rows.h"

namespace pj::kernels {
PJ_KERNELS_NEON(PJ_DEFINE_ROW)
}  // namespace pj::kernels
