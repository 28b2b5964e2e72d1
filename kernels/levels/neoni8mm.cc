#include "kernels/conv/neon_mmla.h"
#include "kernels/levels/rows.h"

namespace pj::kernels {
PJ_KERNELS_NEONI8MM(PJ_DEFINE_ROW)
}  // namespace pj::kernels
