#include "kernels/catalog/catalog.h"

#include <vector>

#include "kernels/catalog/kernel_list.h"

namespace pj {
namespace {

// Ideas of the portable kernels (kernels/catalog/rows/portable.h).
bool is_portable(std::string_view idea) {
  return idea == "blocked_conv" || idea == "blocked_depthwise";
}

std::vector<KernelDesc> build_catalog() {
  std::vector<KernelDesc> rows;
  auto add = [&](const char* name, KernelClass cls, const char* idea, DType input, DType weights,
                 DType output, const char* isa, int mr, int nr, int kr, PackingId packing,
                 FitsFn fits, float macs) {
    rows.push_back({name, cls, OpKind::kConv2D, input, weights, output, *isa_by_name(isa),
                    static_cast<int16_t>(mr), static_cast<int16_t>(nr), static_cast<int16_t>(kr),
                    packing, fits, macs, !is_portable(idea)});
  };
#define X(name, cls, idea, input, weights, output, isa, mr, nr, kr, packing, predicate, macs)    \
  add(#name, KernelClass::cls, #idea, DType::input, DType::weights, DType::output, #isa, mr, nr, \
      kr, PackingId::packing, fits::predicate, macs);
  PJ_KERNELS(X)
#undef X
#define X(kind, name, params)                                                                      \
  rows.push_back({"ref_" name, KernelClass::kReference, OpKind::k##kind, DType::kF32, DType::kF32, \
                  DType::kF32, IsaSet{}, 1, 1, 1, PackingId::kNone, nullptr, 0.5f, false});
  PJ_OPERATORS(X)
#undef X
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
