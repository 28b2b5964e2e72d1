#define PJ_ELEMENT_KERNEL(name) name##_avx2

#include "kernels/conv/float.h"
#include "kernels/conv/float_dot.h"
#include "kernels/conv/float_winograd.h"
#include "kernels/conv/quads.h"
#include "kernels/depthwise/dot_pairs.h"
#include "kernels/depthwise/float.h"
#include "kernels/depthwise/row_pairs.h"
#include "kernels/levels/rows.h"
#include "kernels/matmul/float.h"

namespace pj::kernels {
PJ_KERNELS_AVX2(PJ_DEFINE_ROW)
}  // namespace pj::kernels
