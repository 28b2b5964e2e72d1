// SqueezeNet 1.1 (Iandola et al. 2016).
#include "models/builders/topologies.h"

namespace pj {
namespace {

using Value = Network::Value;
constexpr Activation kRelu = Activation::kRelu;

// A 1x1 convolution narrows; a 1x1 and a 3x3 widen side by side.
Value fire(Network& n, const std::string& name, Value x, int32_t squeezed, int32_t expanded) {
  x = n.conv(name + "_squeeze", x, squeezed, square(1), kRelu);
  const Value small = n.conv(name + "_expand1", x, expanded, square(1), kRelu);
  const Value large = n.conv(name + "_expand3", x, expanded, square(3), kRelu);
  return n.concat(name, {small, large});
}

}  // namespace

Value build_squeezenet(Network& n, const TopologySpec& spec) {
  constexpr struct {
    int32_t squeezed, expanded;
    bool pool_before;
  } kFires[] = {{16, 64, true},  {16, 64, false},  {32, 128, true},  {32, 128, false},
                {48, 192, true}, {48, 192, false}, {64, 256, false}, {64, 256, false}};
  Value x = n.input({1, spec.size, spec.size, 3});
  x = n.conv("stem", x, spec.scaled(64), square(3, 2, kValidPadding), kRelu);
  int index = 0;
  for (const auto& f : kFires) {
    const std::string name = fmt::format("fire{}", ++index);
    if (f.pool_before) x = n.pool(name + "_pool", PoolFn::kMax, x, square(3, 2, kValidPadding));
    x = fire(n, name, x, spec.scaled(f.squeezed), spec.scaled(f.expanded));
  }
  return n.global_mean(n.conv("classes", x, kPictureClasses, square(1), kRelu));
}

}  // namespace pj
