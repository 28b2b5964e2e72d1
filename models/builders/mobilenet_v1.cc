// MobileNet V1 (Howard et al. 2017), and FastDepth (Wofk et al. 2019) on top of it, before pruning.
#include "models/builders/topologies.h"

namespace pj {

using Value = Network::Value;

Value separable(Network& n, const std::string& name, Value x, const SeparableLayer& layer) {
  x = n.depthwise(name + "_depthwise", x, square(layer.kernel, layer.stride), layer.activation);
  return n.conv(name, x, layer.channels, square(1), layer.activation);
}

std::vector<Value> mobilenet_v1_stages(Network& n, const TopologySpec& spec) {
  constexpr struct {
    int32_t channels, stride;
  } kLayers[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                 {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  Value x = n.input({1, spec.size, spec.size, 3});
  x = n.conv("stem", x, spec.scaled(32), square(3, 2), Activation::kRelu6);
  std::vector<Value> stages;
  int index = 0;
  for (const auto& layer : kLayers) {
    if (layer.stride == 2) stages.push_back(x);
    x = separable(n, fmt::format("conv{}", ++index), x,
                  {spec.scaled(layer.channels), 3, layer.stride, Activation::kRelu6});
  }
  stages.push_back(x);
  return stages;
}

Value build_mobilenet_v1(Network& n, const TopologySpec& spec) {
  const Value x = mobilenet_v1_stages(n, spec).back();
  return n.dense("logits", n.global_mean(x), kPictureClasses);
}

Value build_fastdepth(Network& n, const TopologySpec& spec) {
  const std::vector<Value> stages = mobilenet_v1_stages(n, spec);
  Value x = stages.back();
  int32_t channels = 512;
  for (int i = 1; i <= 5; ++i, channels /= 2) {
    const std::string name = fmt::format("decode{}", i);
    x = separable(n, name, x, {spec.scaled(channels), 5, 1, Activation::kRelu});
    x = n.upsample(name + "_up", x);
    // The encoder's result of the same size and depth.
    if (i >= 2 && i <= 4) x = n.add(name + "_skip", x, stages[static_cast<size_t>(4 - i)]);
  }
  return n.conv("depth", x, 1, square(1), Activation::kRelu);
}

}  // namespace pj
