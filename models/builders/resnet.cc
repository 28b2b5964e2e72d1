// ResNet-18 and ResNet-50 (He et al. 2015), the latter with its strides in the 3x3 convolutions.
#include "models/builders/topologies.h"

namespace pj {
namespace {

using Value = Network::Value;

// The symmetric border of the original, which "same" padding is not where the stride is 2.
Window centred(int32_t kernel, int32_t stride) {
  return square(kernel, stride, explicit_padding(kernel / 2));
}

struct Block {
  int32_t channels, stride;
  bool bottleneck;
};

Value residual_path(Network& n, const std::string& name, Value x, const Block& b) {
  constexpr Activation kRelu = Activation::kRelu;
  if (!b.bottleneck) {
    x = n.conv(name + "_a", x, b.channels, centred(3, b.stride), kRelu);
    return n.conv(name + "_b", x, b.channels, centred(3, 1));
  }
  x = n.conv(name + "_reduce", x, b.channels, centred(1, 1), kRelu);
  x = n.conv(name + "_conv", x, b.channels, centred(3, b.stride), kRelu);
  return n.conv(name + "_restore", x, 4 * b.channels, centred(1, 1));
}

Value residual_block(Network& n, const std::string& name, Value x, const Block& b) {
  const Value y = residual_path(n, name, x, b);
  const bool same_shape = b.stride == 1 && n.channels(x) == n.channels(y);
  if (!same_shape) x = n.conv(name + "_shortcut", x, n.channels(y), centred(1, b.stride));
  return n.add(name, y, x, Activation::kRelu);
}

Value build_resnet(Network& n, const TopologySpec& spec, const int (&repeats)[4], bool bottleneck) {
  Value x = n.input({1, spec.size, spec.size, 3});
  x = n.conv("stem", x, spec.scaled(64), centred(7, 2), Activation::kRelu);
  x = n.pool("stem_pool", PoolFn::kMax, x, centred(3, 2));
  for (int stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < repeats[stage]; ++i) {
      const Block block{spec.scaled(64 << stage), stage > 0 && i == 0 ? 2 : 1, bottleneck};
      x = residual_block(n, fmt::format("stage{}_{}", stage + 1, i + 1), x, block);
    }
  }
  return n.dense("logits", n.global_mean(x), kPictureClasses);
}

}  // namespace

Value build_resnet18(Network& n, const TopologySpec& spec) {
  return build_resnet(n, spec, {2, 2, 2, 2}, false);
}

Value build_resnet50(Network& n, const TopologySpec& spec) {
  return build_resnet(n, spec, {3, 4, 6, 3}, true);
}

}  // namespace pj
