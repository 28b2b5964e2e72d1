// `Floats`: what the hand-written float kernels (kernels/conv/float.h, kernels/depthwise/float.h)
// need of an instruction set. Each file that defines it documents the members alike.
//
// Not Highway: a kernel that fills all registers depends on which instruction an operation becomes.
#pragma once

#if defined(__AVX512F__)
#include "kernels/common/float_512.h"
#elif defined(__aarch64__)
#include "kernels/common/float_neon.h"
#else
#include "kernels/common/float_256.h"
#endif
