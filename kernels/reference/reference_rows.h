// One function per operator; the files of this folder define them, reference.cc lists them.
#pragma once

#include "kernels/kernel.h"
#include "kernels/reference/reference.h"
#include "runtime/base/op_params.h"

namespace pj {

#define X(kind, name, params) void reference_##kind(const Tile& tile);
PJ_OPERATORS(X)
#undef X

int64_t detection_scratch_bytes(const ReferenceParams& p);

}  // namespace pj
