#include "kernels/registry.h"

#include <iterator>

#include "kernels/catalog/kernel_list.h"
#include "kernels/reference/reference.h"

namespace pj {

namespace kernels {
#define X(name, ...) void name(const Tile&);
PJ_KERNELS(X)
#undef X
}  // namespace kernels

namespace {

// Of each row of the catalog, in its order. CMake defines PJ_HAVE_<LEVEL> where the compiler can
// build that level for this platform.
#define PRESENT(name, ...) kernels::name,
#define ABSENT(name, ...) nullptr,
// clang-format off
constexpr KernelFn kFunctions[] = {
    PJ_KERNELS_SCALAR(PRESENT)
#ifdef PJ_HAVE_AVX2
    PJ_KERNELS_AVX2(PRESENT)
#else
    PJ_KERNELS_AVX2(ABSENT)
#endif
#ifdef PJ_HAVE_AVXVNNI
    PJ_KERNELS_AVXVNNI(PRESENT)
#else
    PJ_KERNELS_AVXVNNI(ABSENT)
#endif
#ifdef PJ_HAVE_AVX512
    PJ_KERNELS_AVX512(PRESENT)
#else
    PJ_KERNELS_AVX512(ABSENT)
#endif
#ifdef PJ_HAVE_AVX512VNNI
    PJ_KERNELS_AVX512VNNI(PRESENT)
#else
    PJ_KERNELS_AVX512VNNI(ABSENT)
#endif
#ifdef PJ_HAVE_NEON
    PJ_KERNELS_NEON(PRESENT)
#else
    PJ_KERNELS_NEON(ABSENT)
#endif
#ifdef PJ_HAVE_NEONDOT
    PJ_KERNELS_NEONDOT(PRESENT)
#else
    PJ_KERNELS_NEONDOT(ABSENT)
#endif
#ifdef PJ_HAVE_NEONI8MM
    PJ_KERNELS_NEONI8MM(PRESENT)
#else
    PJ_KERNELS_NEONI8MM(ABSENT)
#endif
#ifdef PJ_HAVE_NEONFP16
    PJ_KERNELS_NEONFP16(PRESENT)
#else
    PJ_KERNELS_NEONFP16(ABSENT)
#endif
    PJ_ELEMENTS_SCALAR(PRESENT)
#ifdef PJ_HAVE_ELEMENTS_AVX2
    PJ_ELEMENTS_AVX2(PRESENT)
#else
    PJ_ELEMENTS_AVX2(ABSENT)
#endif
#ifdef PJ_HAVE_ELEMENTS_AVX512
    PJ_ELEMENTS_AVX512(PRESENT)
#else
    PJ_ELEMENTS_AVX512(ABSENT)
#endif
#ifdef PJ_HAVE_ELEMENTS_NEON
    PJ_ELEMENTS_NEON(PRESENT)
#else
    PJ_ELEMENTS_NEON(ABSENT)
#endif
};
// clang-format on
#undef PRESENT
#undef ABSENT

// A level that the list of kernels has is above too.
constexpr size_t kWritten = 0
#define X(...) +1
    PJ_KERNELS(X)
#undef X
    ;
static_assert(std::size(kFunctions) == kWritten);

}  // namespace

KernelFn kernel_function(KernelId id) {
  const auto row = static_cast<size_t>(id);
  return row < kWritten ? kFunctions[row] : reference_kernel(kernel_catalog()[row].op);
}

IsaSet built_isa() {
  IsaSet isa;
#ifdef PJ_HAVE_AVX2
  isa = isa | *isa_by_name("avx2");
#endif
#ifdef PJ_HAVE_ELEMENTS_AVX512
  isa = isa | *isa_by_name("avx512");
#endif
#ifdef PJ_HAVE_AVXVNNI
  isa = isa | *isa_by_name("avxvnni");
#endif
#ifdef PJ_HAVE_AVX512VNNI
  isa = isa | *isa_by_name("avx512vnni");
#endif
#ifdef PJ_HAVE_NEON
  isa = isa | *isa_by_name("neon");
#endif
#ifdef PJ_HAVE_NEONDOT
  isa = isa | *isa_by_name("neondot");
#endif
#ifdef PJ_HAVE_NEONI8MM
  isa = isa | *isa_by_name("neoni8mm");
#endif
#ifdef PJ_HAVE_NEONFP16
  isa = isa | *isa_by_name("neonfp16");
#endif
  return isa;
}

}  // namespace pj
