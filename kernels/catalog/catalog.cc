#include "kernels/catalog/catalog.h"

#include <cstring>
#include <vector>

#include "kernels/catalog/kernel_list.h"
#include "runtime/base/isa_levels.h"

namespace pj {
namespace {

// Ideas of the portable kernels (kernels/catalog/rows/portable.h).
constexpr bool is_portable(std::string_view idea) {
  return idea == "blocked_conv" || idea == "blocked_depthwise";
}

// The predicates, and each row's number in them: rows without pointers need no relocation.
constexpr FitsFn kFitsOfRows[] = {
#define X(name, cls, idea, input, weights, output, isa, mr, nr, kr, packing, predicate, macs) \
  fits::predicate,
    PJ_KERNELS(X)
#undef X
};
// Their names: gcc 12 cannot compare functions at compile time with -fsanitize=undefined.
constexpr std::string_view kFitsNames[] = {
#define X(name, cls, idea, input, weights, output, isa, mr, nr, kr, packing, predicate, macs) \
#predicate,
    PJ_KERNELS(X)
#undef X
};
constexpr size_t kWritten = std::size(kFitsOfRows);  // the rows besides those of the reference

struct Predicates {
  FitsFn fits[64] = {};
  uint8_t count = 0, of_row[kWritten] = {};
};
constexpr Predicates kPredicates = [] {
  Predicates p;
  std::string_view names[std::size(p.fits)];
  for (size_t row = 0; row < kWritten; ++row) {
    uint8_t i = 0;
    while (i < p.count && names[i] != kFitsNames[row]) ++i;
    if (i == p.count) {
      names[i] = kFitsNames[row];
      p.fits[p.count++] = kFitsOfRows[row];
    }
    p.of_row[row] = i;
  }
  return p;
}();

struct Row {
  KernelClass cls;
  DType input, weights, output;
  PackingId packing;
  uint8_t isa;
  bool tuned;
  int16_t mr, nr, kr;
  float macs;
};

constexpr uint8_t isa_index(std::string_view name) {
  uint8_t i = 0;
  while (kIsaLevels[i].name != name) ++i;
  return i;
}

constexpr Row kRows[] = {
#define X(name, cls, idea, input, weights, output, isa, mr, nr, kr, packing, predicate, macs) \
  {KernelClass::cls,                                                                          \
   DType::input,                                                                              \
   DType::weights,                                                                            \
   DType::output,                                                                             \
   PackingId::packing,                                                                        \
   isa_index(#isa),                                                                           \
   !is_portable(#idea),                                                                       \
   mr,                                                                                        \
   nr,                                                                                        \
   kr,                                                                                        \
   macs},
    PJ_KERNELS(X)
#undef X
};

// One after the other.
constexpr char kNames[] =
#define X(name, ...) #name "\0"
    PJ_KERNELS(X)
#undef X
#define X(kind, name, params) "ref_" name "\0"
        PJ_OPERATORS(X);
#undef X

constexpr OpKind kReferenceKinds[] = {
#define X(kind, name, params) OpKind::k##kind,
    PJ_OPERATORS(X)
#undef X
};

std::vector<KernelDesc> build_catalog() {
  std::vector<KernelDesc> rows;
  rows.reserve(kWritten + std::size(kReferenceKinds));
  const char* name = kNames;
  auto add = [&](KernelDesc row) {
    row.name = name;
    name += std::strlen(name) + 1;
    rows.push_back(row);
  };
  for (size_t i = 0; i < kWritten; ++i) {
    const Row& r = kRows[i];
    add({nullptr, r.cls, OpKind::kConv2D, r.input, r.weights, r.output, kIsaLevels[r.isa].features,
         r.mr, r.nr, r.kr, r.packing, kPredicates.fits[kPredicates.of_row[i]], r.macs, r.tuned});
  }
  for (const OpKind kind : kReferenceKinds) {
    add({nullptr, KernelClass::kReference, kind, DType::kF32, DType::kF32, DType::kF32, IsaSet{}, 1,
         1, 1, PackingId::kNone, nullptr, 0.5f, false});
  }
  return rows;
}

}  // namespace

const char* name_of(PackingId id) {
  switch (id) {
    case PackingId::kConvPanels:
      return "conv_panels";
    case PackingId::kConvQuads:
      return "conv_quads";
    case PackingId::kDepthwisePanels:
      return "depthwise_panels";
    case PackingId::kConvSegments:
      return "conv_segments";
    case PackingId::kConvHalfTails:
      return "conv_half_tails";
    case PackingId::kConvDots:
      return "conv_dots";
    case PackingId::kConvMulls:
      return "conv_mull_sums";
    case PackingId::kDepthwiseQuads:
      return "depthwise_quads";
    case PackingId::kDepthwisePairs:
      return "depthwise_pairs";
    case PackingId::kDepthwiseRowPairs:
      return "depthwise_row_pairs";
    case PackingId::kDepthwiseDots:
      return "depthwise_dots";
    case PackingId::kDepthwiseWide:
      return "depthwise_wide";
    case PackingId::kConvWinograd:
      return "conv_winograd";
    case PackingId::kNone:
      break;
  }
  return "none";
}

std::span<const KernelDesc> kernel_catalog() {
  static const std::vector<KernelDesc> rows = build_catalog();
  return rows;
}

std::optional<KernelId> find_kernel(std::span<const KernelDesc> catalog, std::string_view name) {
  for (size_t i = 0; i < catalog.size(); ++i)
    if (name == catalog[i].name) return static_cast<KernelId>(i);
  return std::nullopt;
}

}  // namespace pj
