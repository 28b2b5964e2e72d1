#include "kernels/registry.h"

#include <vector>

#include "kernels/catalog/kernel_list.h"
#include "kernels/reference/reference.h"

namespace pj {

// CMake defines PJ_HAVE_<LEVEL> where the compiler can build that level for this platform; other
// levels have no rows here.
#ifndef PJ_HAVE_AVX2
#undef PJ_KERNELS_AVX2
#define PJ_KERNELS_AVX2(X)
#endif
#ifndef PJ_HAVE_AVXVNNI
#undef PJ_KERNELS_AVXVNNI
#define PJ_KERNELS_AVXVNNI(X)
#endif
#ifndef PJ_HAVE_AVX512
#undef PJ_KERNELS_AVX512
#define PJ_KERNELS_AVX512(X)
#endif
#ifndef PJ_HAVE_AVX512VNNI
#undef PJ_KERNELS_AVX512VNNI
#define PJ_KERNELS_AVX512VNNI(X)
#endif
#ifndef PJ_HAVE_NEON
#undef PJ_KERNELS_NEON
#define PJ_KERNELS_NEON(X)
#endif
#ifndef PJ_HAVE_NEONDOT
#undef PJ_KERNELS_NEONDOT
#define PJ_KERNELS_NEONDOT(X)
#endif
#ifndef PJ_HAVE_NEONI8MM
#undef PJ_KERNELS_NEONI8MM
#define PJ_KERNELS_NEONI8MM(X)
#endif
#ifndef PJ_HAVE_NEONFP16
#undef PJ_KERNELS_NEONFP16
#define PJ_KERNELS_NEONFP16(X)
#endif
#ifndef PJ_HAVE_ELEMENTS_AVX2
#undef PJ_ELEMENTS_AVX2
#define PJ_ELEMENTS_AVX2(X)
#endif
#ifndef PJ_HAVE_ELEMENTS_AVX512
#undef PJ_ELEMENTS_AVX512
#define PJ_ELEMENTS_AVX512(X)
#endif
#ifndef PJ_HAVE_ELEMENTS_NEON
#undef PJ_ELEMENTS_NEON
#define PJ_ELEMENTS_NEON(X)
#endif

namespace kernels {
#define X(name, ...) void name(const Tile&);
PJ_KERNELS(X)
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
  PJ_KERNELS(X)
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
#ifdef PJ_HAVE_NEONFP16
  isa = isa | *isa_by_name("neonfp16");
#endif
  return isa;
}

}  // namespace pj
