#include "kernels/conv/vnni.h"
#include "kernels/depthwise/dot_ymm.h"
#include "kernels/levels/rows.h"

namespace pj::kernels {
PJ_KERNELS_AVXVNNI(PJ_DEFINE_ROW)
}  // namespace pj::kernels
