#pragma once

#include "kernels/catalog/rows/portable.h"

#define PJ_KERNELS_AVX2(X) PJ_PORTABLE_ROWS(X, avx2, 16, 12.0f, 16, 4.0f)
