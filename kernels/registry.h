// From a row of the catalog to its code.
#pragma once

#include "kernels/catalog/catalog.h"
#include "kernels/kernel.h"

namespace pj {

// The function of a row of kernel_catalog(); null where this build does not contain it. Whether the
// CPU can run it is the caller's to check (KernelDesc::isa).
KernelFn kernel_function(KernelId id);

// The features whose kernels this build contains: what compiler and platform allowed.
IsaSet built_isa();

}  // namespace pj
