#include "runtime/base/op_params.h"

#include <algorithm>
#include <limits>

namespace pj {

const char* name_of(OpKind kind) {
  switch (kind) {
#define X(kind, name, params) \
  case OpKind::k##kind:       \
    return name;
    PJ_OPERATORS(X)
#undef X
  }
  return "?";
}

OpParams params_for(OpKind kind) {
  switch (kind) {
#define X(kind, name, params) \
  case OpKind::k##kind:       \
    return params{};
    PJ_OPERATORS(X)
#undef X
  }
  return NoParams{};
}

const char* name_of(Activation a) {
  constexpr const char* names[] = {"none", "relu", "relu6", "relu_n1_to_1"};
  return names[static_cast<int>(a)];
}
const char* name_of(BinaryFn fn) {
  constexpr const char* names[] = {"add",
                                   "sub",
                                   "mul",
                                   "div",
                                   "minimum",
                                   "maximum",
                                   "squared_difference",
                                   "pow",
                                   "floor_div",
                                   "floor_mod",
                                   "equal",
                                   "not_equal",
                                   "less",
                                   "less_equal",
                                   "greater",
                                   "greater_equal",
                                   "logical_and",
                                   "logical_or"};
  return names[static_cast<int>(fn)];
}
const char* name_of(UnaryFn fn) {
  constexpr const char* names[] = {"abs",      "neg",       "exp",         "log",          "sqrt",
                                   "rsqrt",    "square",    "sin",         "cos",          "tanh",
                                   "logistic", "relu",      "relu6",       "relu_n1_to_1", "elu",
                                   "gelu",     "gelu_tanh", "hard_swish",  "leaky_relu",   "floor",
                                   "ceil",     "round",     "logical_not", "silu"};
  return names[static_cast<int>(fn)];
}
const char* name_of(PoolFn fn) { return fn == PoolFn::kMax ? "max_pool" : "average_pool"; }
const char* name_of(ReduceFn fn) {
  constexpr const char* names[] = {"mean", "sum", "reduce_max", "reduce_min", "reduce_prod"};
  return names[static_cast<int>(fn)];
}

const char* display_name(OpKind kind, const OpParams& params) {
  if (const auto* p = std::get_if<BinaryParams>(&params)) return name_of(p->fn);
  if (const auto* p = std::get_if<UnaryParams>(&params)) return name_of(p->fn);
  if (const auto* p = std::get_if<Pool2DParams>(&params)) return name_of(p->fn);
  if (const auto* p = std::get_if<ReduceParams>(&params)) return name_of(p->fn);
  if (const auto* p = std::get_if<ArgReduceParams>(&params))
    return p->maximum ? "arg_max" : "arg_min";
  if (const auto* p = std::get_if<ResizeParams>(&params))
    return p->fn == ResizeFn::kNearest ? "resize_nearest" : "resize_bilinear";
  return name_of(kind);
}

Epilogue* epilogue_of(OpParams& params) {
  if (auto* p = std::get_if<Conv2DParams>(&params)) return &p->epilogue;
  if (auto* p = std::get_if<DepthwiseConv2DParams>(&params)) return &p->epilogue;
  if (auto* p = std::get_if<FullyConnectedParams>(&params)) return &p->epilogue;
  return nullptr;
}
const Epilogue* epilogue_of(const OpParams& params) {
  return epilogue_of(const_cast<OpParams&>(params));
}
const char* name_of(const Epilogue& e) {
  if (e.fn == EpilogueFn::kUnary) return name_of(e.unary);
  return e.fn == EpilogueFn::kAdd ? name_of(BinaryFn::kAdd) : name_of(OpKind::kPRelu);
}
bool has_epilogue(const OpParams& params) {
  const Epilogue* e = epilogue_of(params);
  return e != nullptr && e->present();
}

ActivationLimits limits_of(Activation a) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (a) {
    case Activation::kRelu:
      return {0.0f, kInfinity};
    case Activation::kRelu6:
      return {0.0f, 6.0f};
    case Activation::kReluN1To1:
      return {-1.0f, 1.0f};
    case Activation::kNone:
      break;
  }
  return {-kInfinity, kInfinity};
}

Padding resolve_padding(const Padding& p, int32_t in_h, int32_t in_w, int32_t kernel_h,
                        int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dilation_h,
                        int32_t dilation_w) {
  if (p.mode == PadMode::kExplicit) return p;
  Padding r;
  if (p.mode == PadMode::kValid) return r;
  auto same = [](int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int32_t& before,
                 int32_t& after) {
    const int64_t out = (in + stride - 1) / stride;
    const int64_t needed = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
    const int64_t total = std::max<int64_t>(0, needed);
    before = static_cast<int32_t>(total / 2);
    after = static_cast<int32_t>(total - total / 2);
  };
  same(in_h, kernel_h, stride_h, dilation_h, r.top, r.bottom);
  same(in_w, kernel_w, stride_w, dilation_w, r.left, r.right);
  return r;
}

}  // namespace pj
