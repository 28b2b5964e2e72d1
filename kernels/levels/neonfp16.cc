#include "kernels/conv/half.h"
#include "kernels/depthwise/half.h"
#include "kernels/elementwise/half.h"
#include "kernels/levels/rows.h"
#include "kernels/pool/half.h"
#include "kernels/resize/half.h"

namespace pj::kernels {
PJ_KERNELS_NEONFP16(PJ_DEFINE_ROW)
}  // namespace pj::kernels
