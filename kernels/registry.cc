#include "kernels/registry.h"

#include <vector>

#include "kernels/catalog/kernel_list.h"
#include "kernels/reference/reference.h"

namespace pj {

// CMake defines PJ_HAVE_<LEVEL> where the compiler can build that level for this platform.
namespace kernels {
#define X(name, ...) void name(const Tile&);
PJ_KERNELS_SCALAR(X)
#ifdef PJ_HAVE_AVX2
PJ_KERNELS_AVX2(X)
#endif
#ifdef PJ_HAVE_AVXVNNI
PJ_KERNELS_AVXVNNI(X)
#endif
#ifdef PJ_HAVE_AVX512
PJ_KERNELS_AVX512(X)
#endif
#ifdef PJ_HAVE_AVX512VNNI
PJ_KERNELS_AVX512VNNI(X)
#endif
#ifdef PJ_HAVE_NEON
PJ_KERNELS_NEON(X)
#endif
#ifdef PJ_HAVE_NEONDOT
PJ_KERNELS_NEONDOT(X)
#endif
#ifdef PJ_HAVE_NEONI8MM
PJ_KERNELS_NEONI8MM(X)
#endif
PJ_ELEMENTS_SCALAR(X)
#ifdef PJ_HAVE_ELEMENTS_AVX2
PJ_ELEMENTS_AVX2(X)
#endif
#ifdef PJ_HAVE_ELEMENTS_AVX512
PJ_ELEMENTS_AVX512(X)
#endif
#ifdef PJ_HAVE_ELEMENTS_NEON
PJ_ELEMENTS_NEON(X)
#endif
#undef X
}  // namespace kernels

namespace {

std::vector<KernelFn> build_registry() {
  std::vector<KernelFn> functions(kernel_catalog().size(), nullptr);
  const std::span<const KernelDesc> catalog = kernel_catalog();
  // Names come in the catalog's order, so that the next one is nearly always the one to find.
  size_t at = 0;
  auto put = [&](std::string_view name, KernelFn f) {
    while (name != catalog[at].name) at = at + 1 < catalog.size() ? at + 1 : 0;
    functions[at] = f;
  };
#define X(name, ...) put(#name, kernels::name);
  PJ_KERNELS_SCALAR(X)
#ifdef PJ_HAVE_AVX2
  PJ_KERNELS_AVX2(X)
#endif
#ifdef PJ_HAVE_AVXVNNI
  PJ_KERNELS_AVXVNNI(X)
#endif
#ifdef PJ_HAVE_AVX512
  PJ_KERNELS_AVX512(X)
#endif
#ifdef PJ_HAVE_AVX512VNNI
  PJ_KERNELS_AVX512VNNI(X)
#endif
#ifdef PJ_HAVE_NEON
  PJ_KERNELS_NEON(X)
#endif
#ifdef PJ_HAVE_NEONDOT
  PJ_KERNELS_NEONDOT(X)
#endif
#ifdef PJ_HAVE_NEONI8MM
  PJ_KERNELS_NEONI8MM(X)
#endif
  PJ_ELEMENTS_SCALAR(X)
#ifdef PJ_HAVE_ELEMENTS_AVX2
  PJ_ELEMENTS_AVX2(X)
#endif
#ifdef PJ_HAVE_ELEMENTS_AVX512
  PJ_ELEMENTS_AVX512(X)
#endif
#ifdef PJ_HAVE_ELEMENTS_NEON
  PJ_ELEMENTS_NEON(X)
#endif
#undef X
#define X(kind, name, params) put("ref_" name, reference_kernel(OpKind::k##kind));
  PJ_OPERATORS(X)
#undef X
  return functions;
}

}  // namespace

KernelFn kernel_function(KernelId id) {
  static const std::vector<KernelFn> functions = build_registry();
  return functions[static_cast<size_t>(id)];
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
  return isa;
}

}  // namespace pj
