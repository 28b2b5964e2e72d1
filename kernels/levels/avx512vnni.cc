#include "kernels/conv/vnni.h"
#include "kernels/depthwise/dot_zmm.h"
#include "kernels/levels/rows.h"

namespace pj::kernels {
PJ_KERNELS_AVX512VNNI(PJ_DEFINE_ROW)
}  // namespace pj::kernels
