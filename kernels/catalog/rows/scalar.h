#pragma once

#include "kernels/catalog/rows/portable.h"

#define PJ_KERNELS_SCALAR(X) PJ_PORTABLE_ROWS(X, scalar, 8, 2.0f, 8, 1.5f)
