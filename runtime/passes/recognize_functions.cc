// Functions that exporters write out in primitive operators become one operator:
//
//   x * logistic(x)                                            silu
//   x * relu6(x + 3) * 1/6                                     hard_swish
//   x * 1/2 * (1 + tanh(0.797.. * (x + 0.0447.. * x^3)))       gelu_tanh
//   (x - mean) * rsqrt(variance + epsilon) * gamma + beta      layer_norm
//   softmax(x * 1/8)                                           softmax with beta 1/8
//
// Products are compared as sets of factors with one constant, so that neither their order nor where
// the constant stands matters. Only the last operator is replaced; the others go when nobody else
// uses them.
#include <algorithm>
#include <cmath>
#include <optional>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

struct Product {
  std::vector<TensorId> factors;  // sorted
  double constant = 1;
};

struct Sum {
  TensorId term;
  double constant;
};

class Recognizer {
 public:
  explicit Recognizer(Graph& graph) : graph_(graph), uses_(find_uses(graph)) {}

  int run() {
    int rewrites = 0;
    for (Op& op : graph_.ops) {
      if (op.kind == OpKind::kSoftmax) rewrites += scaled_softmax(op) ? 1 : 0;
      if (op.kind != OpKind::kBinary || graph_.tensor(op.outputs[0]).dtype != DType::kF32) continue;
      if (function_of_one(op) || layer_norm(op)) ++rewrites;
    }
    return rewrites;
  }

 private:
  Shape shape(TensorId id) const { return graph_.tensor(id).shape; }

  const Op* producer(TensorId id, OpKind kind) {
    const Op* op = producer_of(graph_, uses_, id);
    return op != nullptr && op->kind == kind ? op : nullptr;
  }
  const Op* binary(TensorId id, BinaryFn fn, Activation activation = Activation::kNone) {
    const Op* op = producer(id, OpKind::kBinary);
    const bool same = op != nullptr && op->as<BinaryParams>().fn == fn &&
                      op->as<BinaryParams>().activation == activation;
    return same ? op : nullptr;
  }
  // What the function is applied to; kNoTensor if the tensor is no such function.
  TensorId argument(TensorId id, UnaryFn fn) {
    const Op* op = producer(id, OpKind::kUnary);
    return op != nullptr && op->as<UnaryParams>().fn == fn ? op->inputs[0] : kNoTensor;
  }

  std::optional<double> scalar(TensorId id) const {
    const Tensor& t = graph_.tensor(id);
    if (!t.constant || t.dtype != DType::kF32 || elements(t.shape) != 1) return std::nullopt;
    return t.as<float>()[0];
  }
  bool is(TensorId id, double value) const {
    const std::optional<double> c = scalar(id);
    return c && near(*c, value);
  }
  static bool near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

  void collect(TensorId id, Product& product, int depth) {
    constexpr int kMaxDepth = 8;
    if (const std::optional<double> c = scalar(id)) {
      product.constant *= *c;
      return;
    }
    const Op* mul = depth < kMaxDepth ? binary(id, BinaryFn::kMul) : nullptr;
    if (mul == nullptr) {
      product.factors.push_back(id);
      return;
    }
    for (TensorId factor : mul->inputs) collect(factor, product, depth + 1);
  }
  Product product_of(std::span<const TensorId> inputs) {
    Product product;
    for (TensorId id : inputs) collect(id, product, 0);
    std::sort(product.factors.begin(), product.factors.end());
    return product;
  }

  // A term plus a constant.
  std::optional<Sum> sum_with_constant(TensorId id, Activation activation = Activation::kNone) {
    const Op* add = binary(id, BinaryFn::kAdd, activation);
    if (add == nullptr) return std::nullopt;
    for (int i = 0; i < 2; ++i) {
      const auto k = static_cast<size_t>(i);
      if (const std::optional<double> c = scalar(add->inputs[1 - k]))
        return Sum{add->inputs[k], *c};
    }
    return std::nullopt;
  }

  bool is_cube(TensorId id, TensorId x) {
    if (const Op* pow = binary(id, BinaryFn::kPow))
      return pow->inputs[0] == x && is(pow->inputs[1], 3);
    return false;
  }

  // constant * x^3, as a power or as a product.
  bool is_cubic_term(TensorId id, TensorId x, double constant) {
    const Product p = product_of(std::span(&id, 1));
    if (!near(p.constant, constant)) return false;
    if (p.factors.size() == 1) return is_cube(p.factors[0], x);
    return p.factors.size() == 3 && p.factors[0] == x && p.factors[2] == x;
  }

  // 0.797.. * (x + 0.0447.. * x^3), the argument of gelu's tanh.
  bool is_gelu_argument(TensorId id, TensorId x) {
    const Product p = product_of(std::span(&id, 1));
    if (p.factors.size() != 1 || !near(p.constant, std::sqrt(2 / M_PI))) return false;
    const Op* add = binary(p.factors[0], BinaryFn::kAdd);
    if (add == nullptr) return false;
    return (add->inputs[0] == x && is_cubic_term(add->inputs[1], x, 0.044715)) ||
           (add->inputs[1] == x && is_cubic_term(add->inputs[0], x, 0.044715));
  }

  // gate(x) of a function x * gate(x) * constant.
  std::optional<UnaryFn> function_with_gate(TensorId gate, TensorId x, double constant) {
    if (near(constant, 1) && argument(gate, UnaryFn::kLogistic) == x) return UnaryFn::kSilu;
    if (near(constant, 0.5)) {
      const std::optional<Sum> sum = sum_with_constant(gate);
      if (!sum || sum->constant != 1) return std::nullopt;
      const TensorId inner = argument(sum->term, UnaryFn::kTanh);
      if (inner != kNoTensor && is_gelu_argument(inner, x)) return UnaryFn::kGeluTanh;
    }
    if (near(constant, 1.0 / 6)) {
      const TensorId unfused = argument(gate, UnaryFn::kRelu6);
      const std::optional<Sum> sum = unfused != kNoTensor
                                         ? sum_with_constant(unfused)
                                         : sum_with_constant(gate, Activation::kRelu6);
      if (sum && sum->constant == 3 && sum->term == x) return UnaryFn::kHardSwish;
    }
    return std::nullopt;
  }

  bool function_of_one(Op& op) {
    const auto& p = op.as<BinaryParams>();
    if (p.fn != BinaryFn::kMul || p.activation != Activation::kNone) return false;
    const Product product = product_of(op.inputs);
    if (product.factors.size() != 2) return false;
    for (int i = 0; i < 2; ++i) {
      const TensorId x = product.factors[static_cast<size_t>(i)];
      const TensorId gate = product.factors[static_cast<size_t>(1 - i)];
      if (!(shape(x) == shape(op.outputs[0]))) continue;
      const std::optional<UnaryFn> fn = function_with_gate(gate, x, product.constant);
      if (!fn) continue;
      op.kind = OpKind::kUnary;
      op.params = UnaryParams{*fn, 0};
      op.inputs = {x};
      return true;
    }
    return false;
  }

  // What a mean over the last dimension, which stays, is taken of; kNoTensor if `id` is none.
  TensorId averaged(TensorId id) {
    const Op* op = producer(id, OpKind::kReduce);
    if (op == nullptr || op->inputs.size() != 1) return kNoTensor;
    const auto& p = op->as<ReduceParams>();
    const int32_t rank = shape(op->inputs[0]).rank();
    const bool last = p.fn == ReduceFn::kMean && p.keep_dims && p.axes.rank() == 1 && rank > 0 &&
                      normalize_axis(p.axes[0], rank) == rank - 1;
    return last ? op->inputs[0] : kNoTensor;
  }

  // x of x - mean(x).
  TensorId centered(TensorId id) {
    const Op* sub = binary(id, BinaryFn::kSub);
    if (sub == nullptr || averaged(sub->inputs[1]) != sub->inputs[0]) return kNoTensor;
    return sub->inputs[0];
  }

  // x of (x - mean(x))^2.
  TensorId squared_distance(TensorId id) {
    if (const Op* op = binary(id, BinaryFn::kSquaredDifference)) {
      if (averaged(op->inputs[1]) == op->inputs[0]) return op->inputs[0];
      if (averaged(op->inputs[0]) == op->inputs[1]) return op->inputs[1];
      return kNoTensor;
    }
    const TensorId squared = argument(id, UnaryFn::kSquare);
    if (squared != kNoTensor) return centered(squared);
    const Op* mul = binary(id, BinaryFn::kMul);
    return mul != nullptr && mul->inputs[0] == mul->inputs[1] ? centered(mul->inputs[0])
                                                              : kNoTensor;
  }

  // rsqrt(variance(x) + epsilon).
  std::optional<Sum> inverse_deviation(TensorId id) {
    const TensorId under = argument(id, UnaryFn::kRsqrt);
    if (under == kNoTensor) return std::nullopt;
    const std::optional<Sum> sum = sum_with_constant(under);
    if (!sum || averaged(sum->term) == kNoTensor) return std::nullopt;
    const TensorId x = squared_distance(averaged(sum->term));
    return x != kNoTensor ? std::optional(Sum{x, sum->constant}) : std::nullopt;
  }

  bool is_channel_vector(TensorId id, TensorId x) const {
    const Tensor& t = graph_.tensor(id);
    return t.constant && t.dtype == DType::kF32 && t.shape.rank() == 1 && shape(x).rank() > 0 &&
           t.shape[0] == shape(x).back(0);
  }

  struct Norm {
    TensorId x, gamma;
    double epsilon;
  };
  // Reads factors that are `first` (if not kNoTensor), the inverse deviation, and gamma.
  std::optional<Norm> scaled(const Product& product, TensorId first) {
    if (product.constant != 1 || product.factors.size() != (first == kNoTensor ? 2u : 3u))
      return std::nullopt;
    std::vector<TensorId> rest = product.factors;
    if (first != kNoTensor) rest.erase(std::find(rest.begin(), rest.end(), first));
    for (int i = 0; i < 2; ++i) {
      const std::optional<Sum> deviation = inverse_deviation(rest[static_cast<size_t>(i)]);
      const TensorId gamma = rest[static_cast<size_t>(1 - i)];
      if (deviation && is_channel_vector(gamma, deviation->term))
        return Norm{deviation->term, gamma, deviation->constant};
    }
    return std::nullopt;
  }

  static bool has(const Product& p, TensorId id) {
    return std::find(p.factors.begin(), p.factors.end(), id) != p.factors.end();
  }

  // product + rest, with product = (x - mean) * deviation * gamma and rest = beta.
  std::optional<Norm> direct_norm(const Product& product) {
    for (TensorId id : product.factors) {
      const TensorId x = centered(id);
      if (x == kNoTensor) continue;
      const std::optional<Norm> norm = scaled(product, id);
      return norm && norm->x == x ? norm : std::nullopt;
    }
    return std::nullopt;
  }

  // product = x * deviation * gamma and rest = beta - mean * deviation * gamma.
  std::optional<Norm> folded_norm(const Product& product, const Op& rest) {
    for (TensorId x : product.factors) {
      const std::optional<Norm> norm = scaled(product, x);
      if (!norm || norm->x != x) continue;
      Product shift = product_of(std::span(rest.inputs).subspan(1));
      for (TensorId& id : shift.factors)
        if (averaged(id) == x) id = x;
      std::sort(shift.factors.begin(), shift.factors.end());
      if (shift.constant == 1 && shift.factors == product.factors) return norm;
    }
    return std::nullopt;
  }

  bool layer_norm(Op& op) {
    const auto& p = op.as<BinaryParams>();
    if (p.fn != BinaryFn::kAdd || p.activation != Activation::kNone) return false;
    for (size_t i = 0; i < 2; ++i) {
      const Product product = product_of(std::span(op.inputs).subspan(i, 1));
      TensorId beta = op.inputs[1 - i];
      const Op* rest = binary(beta, BinaryFn::kSub);
      if (rest != nullptr) beta = rest->inputs[0];
      const std::optional<Norm> norm =
          rest != nullptr ? folded_norm(product, *rest) : direct_norm(product);
      if (!norm || !is_channel_vector(beta, norm->x)) continue;
      op.kind = OpKind::kLayerNorm;
      op.params = LayerNormParams{static_cast<float>(norm->epsilon)};
      op.inputs = {norm->x, norm->gamma, beta};
      return true;
    }
    return false;
  }

  // Attention scales the products that a softmax, perhaps behind a reshape, is taken of.
  bool scaled_softmax(Op& op) {
    Op* reader = &op;
    if (Op* reshape = producer_of(graph_, uses_, op.inputs[0]); reshape != nullptr &&
                                                                reshape->kind == OpKind::kReshape &&
                                                                has_single_use(uses_, op.inputs[0]))
      reader = reshape;
    const Op* mul = binary(reader->inputs[0], BinaryFn::kMul);
    if (mul == nullptr || graph_.tensor(op.inputs[0]).dtype != DType::kF32) return false;
    const Product product = product_of(mul->inputs);
    const bool scales = product.factors.size() == 1 && product.constant > 0 &&
                        std::isnormal(static_cast<float>(product.constant));
    if (!scales || !(shape(product.factors[0]) == shape(mul->outputs[0]))) return false;
    reader->inputs[0] = product.factors[0];
    std::get<SoftmaxParams>(op.params).beta *= static_cast<float>(product.constant);
    return true;
  }

  Graph& graph_;
  Uses uses_;
};

}  // namespace

Result<int> recognize_functions(Graph& graph) { return Recognizer(graph).run(); }

}  // namespace pj
