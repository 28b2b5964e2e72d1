#pragma once

#include "kernels/catalog/rows/vnni.h"

#define PJ_KERNELS_AVXVNNI(X) PJ_VNNI_ROWS(X, avxvnni, 6, 55.0f)
