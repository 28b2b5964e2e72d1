// Keyword spotters: DS-CNN (Zhang et al. 2017, in the size of MLPerf Tiny), which ends with its
// softmax, and a transformer encoder (Vaswani et al. 2017) of the size of the Keyword Transformer
// (Berg et al. 2021), normalising before each part.
#include "models/builders/topologies.h"

namespace pj {

using Value = Network::Value;

Value build_dscnn(Network& n, const TopologySpec& spec) {
  constexpr Activation kRelu = Activation::kRelu;
  const int32_t channels = spec.scaled(64);
  Value x = n.input({1, 49, 10, 1});
  x = n.conv("stem", x, channels, {10, 4, 2, 2, kSamePadding}, kRelu);
  for (int i = 1; i <= 4; ++i)
    x = separable(n, fmt::format("conv{}", i), x, {channels, 3, 1, kRelu});
  const int32_t h = n.shape(x)[1], w = n.shape(x)[2];
  x = n.pool("pool", PoolFn::kAverage, x, {h, w, h, w, kValidPadding});
  x = n.reshape("flat", x, {1, channels});
  return n.softmax("probabilities", n.dense("logits", x, 12));
}

namespace {

constexpr int32_t kHeadSize = 32;

// (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last dimension, from operators as
// converters write it.
Value layer_norm(Network& n, const std::string& name, Value x) {
  const Shape width{n.channels(x)};
  const Value mean = n.mean(name + "_mean", x, {-1}, true);
  Value scale = n.binary(name + "_squares", BinaryFn::kSquaredDifference, x, mean);
  scale = n.mean(name + "_variance", scale, {-1}, true);
  scale = n.add(name + "_positive", scale, n.scalar(name + "_epsilon", 1e-3f));
  scale = n.unary(name + "_scale", UnaryFn::kRsqrt, scale);
  Value y = n.binary(name + "_centred", BinaryFn::kSub, x, mean);
  y = n.binary(name + "_normal", BinaryFn::kMul, y, scale);
  y = n.binary(name + "_gain", BinaryFn::kMul, y, n.vector(name + "_gamma", width, 1, 0.2f));
  return n.add(name, y, n.vector(name + "_beta", width, 0, 0.1f));
}

// [1, T, D] -> [1, heads, T, kHeadSize]
Value heads_of(Network& n, const std::string& name, Value x) {
  const int32_t tokens = n.shape(x)[1], width = n.channels(x);
  const Value y = n.dense(name, x, width);
  const Value split = n.reshape(name + "_split", y, {1, tokens, width / kHeadSize, kHeadSize});
  return n.transpose(name + "_heads", split, {0, 2, 1, 3});
}

Value attention(Network& n, const std::string& name, Value x) {
  const int32_t tokens = n.shape(x)[1], width = n.channels(x);
  const Value q = heads_of(n, name + "_q", x), k = heads_of(n, name + "_k", x),
              v = heads_of(n, name + "_v", x);
  Value scores = n.matmul(name + "_scores", q, k, true);
  // 1 / sqrt(kHeadSize)
  scores = n.binary(name + "_scaled", BinaryFn::kMul, scores, n.scalar(name + "_root", 0.1767767f));
  const Value weights = n.softmax(name + "_weights", scores);
  Value y = n.matmul(name + "_mixed", weights, v, false);
  y = n.transpose(name + "_tokens", y, {0, 2, 1, 3});
  y = n.reshape(name + "_joined", y, {1, tokens, width});
  return n.dense(name, y, width);
}

Value feed_forward(Network& n, const std::string& name, Value x) {
  Value y = n.dense(name + "_widen", x, 4 * n.channels(x));
  y = n.unary(name + "_gelu", UnaryFn::kGelu, y);
  return n.dense(name, y, n.channels(x));
}

}  // namespace

Value build_transformer(Network& n, const TopologySpec& spec) {
  constexpr int kLayers = 6, kFeatures = 40, kClasses = 35;
  const int32_t heads = (spec.scaled(128) + kHeadSize - 1) / kHeadSize;
  const int32_t width = heads * kHeadSize;
  Value x = n.dense("embedding", n.input({1, spec.size, kFeatures}), width);
  x = n.add("positioned", x, n.vector("positions", {1, spec.size, width}, 0, 0.5f));
  for (int i = 1; i <= kLayers; ++i) {
    const std::string name = fmt::format("layer{}", i);
    Value y = attention(n, name + "_attention", layer_norm(n, name + "_norm1", x));
    x = n.add(name + "_middle", x, y);
    y = feed_forward(n, name + "_mlp", layer_norm(n, name + "_norm2", x));
    x = n.add(name, x, y);
  }
  x = layer_norm(n, "norm", x);
  return n.dense("logits", n.mean("pool", x, {1}, false), kClasses);
}

}  // namespace pj
