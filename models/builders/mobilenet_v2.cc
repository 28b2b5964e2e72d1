// Networks of inverted residuals: MobileNet V2 (Sandler et al. 2018), EfficientNet-Lite0 (Tan and
// Le 2019; the Lite variants, 2020), MobileNet V3 large (Howard et al. 2019).
#include <algorithm>
#include <span>

#include "models/builders/topologies.h"

namespace pj {
namespace {

using Value = Network::Value;

enum class Act { kRelu, kRelu6, kHardSwish };

struct Block {
  int32_t expanded, channels, kernel, stride;
  Act act;
  bool squeeze_excite;
};

// Hard-swish is an operator of its own; the others are part of the layer.
Activation fused(Act act) {
  return act == Act::kRelu    ? Activation::kRelu
         : act == Act::kRelu6 ? Activation::kRelu6
                              : Activation::kNone;
}

Value activate(Network& n, const std::string& name, Value x, Act act) {
  return act == Act::kHardSwish ? n.unary(name + "_swish", UnaryFn::kHardSwish, x) : x;
}

Value pointwise(Network& n, const std::string& name, Value x, int32_t channels, Act act) {
  return activate(n, name, n.conv(name, x, channels, square(1), fused(act)), act);
}

// relu6(x + 3) / 6, from operators as converters write it.
Value hard_sigmoid(Network& n, const std::string& name, Value x) {
  x = n.add(name + "_add", x, n.scalar(name + "_three", 3), Activation::kRelu6);
  return n.binary(name, BinaryFn::kMul, x, n.scalar(name + "_sixth", 1.0f / 6));
}

Value squeeze_excite(Network& n, const std::string& name, Value x, int32_t squeezed) {
  Value gate = n.mean(name + "_squeeze", x, {1, 2}, true);
  gate = n.conv(name + "_reduce", gate, squeezed, square(1), Activation::kRelu);
  gate = n.conv(name + "_restore", gate, n.channels(x), square(1));
  gate = hard_sigmoid(n, name + "_gate", gate);
  return n.binary(name, BinaryFn::kMul, x, gate);
}

Value inverted_residual(Network& n, const TopologySpec& spec, const std::string& name, Value x,
                        const Block& block) {
  const Value shortcut = x;
  if (block.expanded != n.channels(x))
    x = pointwise(n, name + "_expand", x, block.expanded, block.act);
  x = n.depthwise(name + "_depthwise", x, square(block.kernel, block.stride), fused(block.act));
  x = activate(n, name + "_depthwise", x, block.act);
  if (block.squeeze_excite) {
    // A quarter of the channels, as rounded as all numbers of channels.
    const TopologySpec unscaled{.topology = spec.topology, .size = spec.size};
    x = squeeze_excite(n, name + "_excite", x, unscaled.scaled(block.expanded / 4));
  }
  x = n.conv(name + "_project", x, block.channels, square(1));
  const bool residual = block.stride == 1 && n.channels(shortcut) == block.channels;
  return residual ? n.add(name, x, shortcut) : x;
}

// Blocks of the same kind; the first of each has the stride.
struct Stage {
  int32_t expansion, channels, repeats, stride, kernel;
};

Value relu6_network(Network& n, const TopologySpec& spec, std::span<const Stage> stages) {
  Value x = n.input({1, spec.size, spec.size, 3});
  x = n.conv("stem", x, spec.scaled(32), square(3, 2), Activation::kRelu6);
  int index = 0;
  for (const Stage& s : stages) {
    for (int32_t i = 0; i < s.repeats; ++i) {
      const Block block{n.channels(x) * s.expansion,
                        spec.scaled(s.channels),
                        s.kernel,
                        i == 0 ? s.stride : 1,
                        Act::kRelu6,
                        false};
      x = inverted_residual(n, spec, fmt::format("block{}", ++index), x, block);
    }
  }
  // Narrow networks keep the width of their last layer.
  x = pointwise(n, "head", x, std::max(1280, spec.scaled(1280)), Act::kRelu6);
  return n.dense("logits", n.global_mean(x), kPictureClasses);
}

}  // namespace

Value build_mobilenet_v2(Network& n, const TopologySpec& spec) {
  constexpr Stage kStages[] = {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3}, {6, 32, 3, 2, 3},
                               {6, 64, 4, 2, 3}, {6, 96, 3, 1, 3}, {6, 160, 3, 2, 3},
                               {6, 320, 1, 1, 3}};
  return relu6_network(n, spec, kStages);
}

Value build_efficientnet_lite0(Network& n, const TopologySpec& spec) {
  constexpr Stage kStages[] = {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5},
                               {6, 80, 3, 2, 3}, {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5},
                               {6, 320, 1, 1, 3}};
  return relu6_network(n, spec, kStages);
}

Value build_mobilenet_v3_large(Network& n, const TopologySpec& spec) {
  constexpr Act kRelu = Act::kRelu, kSwish = Act::kHardSwish;
  constexpr Block kBlocks[] = {{16, 16, 3, 1, kRelu, false},   {64, 24, 3, 2, kRelu, false},
                               {72, 24, 3, 1, kRelu, false},   {72, 40, 5, 2, kRelu, true},
                               {120, 40, 5, 1, kRelu, true},   {120, 40, 5, 1, kRelu, true},
                               {240, 80, 3, 2, kSwish, false}, {200, 80, 3, 1, kSwish, false},
                               {184, 80, 3, 1, kSwish, false}, {184, 80, 3, 1, kSwish, false},
                               {480, 112, 3, 1, kSwish, true}, {672, 112, 3, 1, kSwish, true},
                               {672, 160, 5, 2, kSwish, true}, {960, 160, 5, 1, kSwish, true},
                               {960, 160, 5, 1, kSwish, true}};
  Value x = n.input({1, spec.size, spec.size, 3});
  x = activate(n, "stem", n.conv("stem", x, spec.scaled(16), square(3, 2)), kSwish);
  int index = 0;
  for (Block block : kBlocks) {
    block.expanded = spec.scaled(block.expanded);
    block.channels = spec.scaled(block.channels);
    x = inverted_residual(n, spec, fmt::format("block{}", ++index), x, block);
  }
  x = pointwise(n, "head", x, spec.scaled(960), kSwish);
  x = n.mean("pool", x, {1, 2}, true);
  x = pointwise(n, "hidden", x, std::max(1280, spec.scaled(1280)), kSwish);
  x = n.conv("logits", x, kPictureClasses, square(1));
  return n.reshape("flat", x, {1, kPictureClasses});
}

}  // namespace pj
