#pragma once

#include "kernels/catalog/rows/depthwise.h"
#include "kernels/catalog/rows/vnni.h"

#define PJ_KERNELS_AVX512VNNI(X)          \
  PJ_VNNI_ROWS(X, avx512vnni, 24, 110.0f) \
  PJ_DOT_DEPTHWISE(X, avx512vnni, dot_zmm, 4, 64, 4, kDepthwiseQuads, 25.0f)
