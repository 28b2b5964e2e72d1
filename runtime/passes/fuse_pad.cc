#include <algorithm>
#include <limits>
#include <optional>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// Zeros above, below, left and right of images, and nothing else.
bool pads_image(const Graph& graph, const Op& op) {
  if (op.kind != OpKind::kPad || op.inputs.size() != 1) return false;
  const auto& p = op.as<PadParams>();
  const bool spatial = p.before.rank() == 4 && p.after.rank() == 4 && p.before[0] == 0 &&
                       p.after[0] == 0 && p.before[3] == 0 && p.after[3] == 0;
  // The pad writes its output's zero point, the convolution takes that of what it reads.
  return p.fn == PadFn::kConstant && spatial &&
         same_values(graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0]));
}

Conv2DParams* conv_params(Op& op) {
  if (op.kind == OpKind::kConv2D) return &op.as<Conv2DParams>();
  if (op.kind == OpKind::kDepthwiseConv2D) return &op.as<DepthwiseConv2DParams>();
  return nullptr;
}

// The padding of the convolution and that before it in one; nothing if the sizes that it depends on
// are not known, or the numbers are beyond reason.
std::optional<Padding> joined_padding(const Graph& graph, const Op& conv,
                                      const Conv2DParams& params, const PadParams& pad) {
  const Shape& in = graph.tensor(conv.inputs[0]).shape;
  const Shape& kernel = graph.tensor(conv.inputs[1]).shape;
  if (params.padding.mode == PadMode::kSame && !(is_static(in) && is_static(kernel)))
    return std::nullopt;
  const Padding own =
      resolve_padding(params.padding, in[1], in[2], kernel[1], kernel[2], params.stride_h,
                      params.stride_w, params.dilation_h, params.dilation_w);
  constexpr int64_t kMaxPadding = std::numeric_limits<int16_t>::max();
  bool fits = true;
  auto sum = [&](int32_t a, int32_t b) {
    fits &= int64_t{a} + b <= kMaxPadding;
    return fits ? a + b : 0;
  };
  Padding joined;
  joined.mode = PadMode::kExplicit;
  joined.top = sum(own.top, pad.before[1]);
  joined.bottom = sum(own.bottom, pad.after[1]);
  joined.left = sum(own.left, pad.before[2]);
  joined.right = sum(own.right, pad.after[2]);
  return fits ? std::optional(joined) : std::nullopt;
}

// The paddings of all consumers if every one is a convolution that reads the padded image; else
// none.
std::vector<Padding> consumer_paddings(Graph& graph, const Op& pad, const Uses& uses) {
  std::vector<Padding> paddings;
  if (uses.is_output[static_cast<size_t>(pad.outputs[0])]) return {};
  for (int32_t index : uses.consumers(pad.outputs[0])) {
    Op& consumer = graph.ops[static_cast<size_t>(index)];
    const Conv2DParams* params = conv_params(consumer);
    const bool reads_image =
        params != nullptr && consumer.inputs[0] == pad.outputs[0] &&
        std::count(consumer.inputs.begin(), consumer.inputs.end(), pad.outputs[0]) == 1;
    if (!reads_image) return {};
    const std::optional<Padding> joined =
        joined_padding(graph, consumer, *params, pad.as<PadParams>());
    if (!joined) return {};
    paddings.push_back(*joined);
  }
  return paddings;
}

}  // namespace

Result<int> fuse_pad(Graph& graph) {
  const Uses uses = find_uses(graph);
  std::vector<bool> fused(graph.ops.size(), false);
  int rewrites = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& pad = graph.ops[i];
    if (!pads_image(graph, pad)) continue;
    const std::vector<Padding> paddings = consumer_paddings(graph, pad, uses);
    if (paddings.empty()) continue;
    const std::span<const int32_t> consumers = uses.consumers(pad.outputs[0]);
    for (size_t k = 0; k < consumers.size(); ++k) {
      Op& conv = graph.ops[static_cast<size_t>(consumers[k])];
      conv_params(conv)->padding = paddings[k];
      conv.inputs[0] = pad.inputs[0];
    }
    fused[i] = true;
    ++rewrites;
  }
  remove_ops(graph, fused);
  return rewrites;
}

}  // namespace pj
