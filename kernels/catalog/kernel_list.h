// Every hand-written kernel, one row each, by ISA level; reference kernels follow from
// PJ_OPERATORS. A row makes the kernel known to the catalog, the registry, the tests and the
// benches.
//
// X(name, class, idea, input, weights, output, isa level, mr, nr, kr, packing, fits, MACs per
// cycle)
//
// The code of a row is run_<idea><input, packed weights, mr, nr>, from a header that the level's
// file kernels/levels/<isa>.cc includes. `fits` names a predicate of kernels/catalog/fits.h: the
// layers that the row can compute. MACs per cycle are expectations that order candidates; the
// benches measure.
#pragma once

#include "kernels/catalog/rows/avx2.h"
#include "kernels/catalog/rows/avx512vnni.h"
#include "kernels/catalog/rows/avxvnni.h"
#include "kernels/catalog/rows/elements.h"
#include "kernels/catalog/rows/float.h"
#include "kernels/catalog/rows/neon.h"
#include "kernels/catalog/rows/neondot.h"
#include "kernels/catalog/rows/neonfp16.h"
#include "kernels/catalog/rows/neoni8mm.h"
#include "kernels/catalog/rows/scalar.h"

#define PJ_KERNELS(X)      \
  PJ_KERNELS_SCALAR(X)     \
  PJ_KERNELS_AVX2(X)       \
  PJ_KERNELS_AVXVNNI(X)    \
  PJ_KERNELS_AVX512(X)     \
  PJ_KERNELS_AVX512VNNI(X) \
  PJ_KERNELS_NEON(X)       \
  PJ_KERNELS_NEONDOT(X)    \
  PJ_KERNELS_NEONI8MM(X)   \
  PJ_KERNELS_NEONFP16(X)   \
  PJ_ELEMENTS_SCALAR(X)    \
  PJ_ELEMENTS_AVX2(X)      \
  PJ_ELEMENTS_AVX512(X)    \
  PJ_ELEMENTS_NEON(X)
