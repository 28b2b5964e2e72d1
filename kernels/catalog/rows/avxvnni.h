#pragma once

#include "kernels/catalog/rows/depthwise.h"
#include "kernels/catalog/rows/vnni.h"

#define PJ_KERNELS_AVXVNNI(X)        \
  PJ_VNNI_ROWS(X, avxvnni, 6, 55.0f) \
  PJ_DOT_DEPTHWISE(X, avxvnni, dot_ymm, 2, 32, 4, kDepthwiseQuads, 15.0f)
