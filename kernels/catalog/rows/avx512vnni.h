#pragma once

#define PJ_KERNELS_AVX512VNNI(X)
