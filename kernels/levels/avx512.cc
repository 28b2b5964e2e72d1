#define PJ_ELEMENT_KERNEL(name) name##_avx512

#include "kernels/conv/float.h"
#include "kernels/conv/float_dot.h"
#include "kernels/conv/float_halves.h"
#include "kernels/conv/float_pairs.h"
#include "kernels/depthwise/float.h"
#include "kernels/depthwise/float_halves.h"
#include "kernels/levels/rows.h"
#include "kernels/matmul/float.h"

namespace pj::kernels {
PJ_KERNELS_AVX512(PJ_DEFINE_ROW)
}  // namespace pj::kernels
