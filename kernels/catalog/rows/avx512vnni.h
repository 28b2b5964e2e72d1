#pragma once

#include "kernels/catalog/rows/vnni.h"

#define PJ_KERNELS_AVX512VNNI(X) PJ_VNNI_ROWS(X, avx512vnni, 24, 110.0f)
