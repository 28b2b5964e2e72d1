#pragma once

#define PJ_KERNELS_AVXVNNI(X)
