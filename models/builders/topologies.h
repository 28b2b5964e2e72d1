// The functions behind the rows of models/topology.cc. Sources are the papers that introduced the
// networks; batch normalisation is folded into the convolutions, and classifiers end before the
// softmax unless said otherwise.
#pragma once

#include "models/topology.h"

namespace pj {

Network::Value build_mobilenet_v1(Network& n, const TopologySpec& spec);
Network::Value build_mobilenet_v2(Network& n, const TopologySpec& spec);
Network::Value build_mobilenet_v3_large(Network& n, const TopologySpec& spec);
Network::Value build_efficientnet_lite0(Network& n, const TopologySpec& spec);
Network::Value build_resnet18(Network& n, const TopologySpec& spec);
Network::Value build_resnet50(Network& n, const TopologySpec& spec);
Network::Value build_squeezenet(Network& n, const TopologySpec& spec);
Network::Value build_dscnn(Network& n, const TopologySpec& spec);
Network::Value build_fastdepth(Network& n, const TopologySpec& spec);
Network::Value build_transformer(Network& n, const TopologySpec& spec);

// What several share.
inline constexpr int32_t kPictureClasses = 1000;
// A depthwise convolution and a 1x1 convolution, each with its activation.
struct SeparableLayer {
  int32_t channels, kernel, stride;
  Activation activation;
};
Network::Value separable(Network& n, const std::string& name, Network::Value x,
                         const SeparableLayer& layer);
// The convolutional part of MobileNet V1. `taps[i]` is the last result at 1/2^(i+1) of the size.
std::vector<Network::Value> mobilenet_v1_stages(Network& n, const TopologySpec& spec);

}  // namespace pj
