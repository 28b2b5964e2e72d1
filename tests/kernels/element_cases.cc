#include "tests/kernels/element_cases.h"

#include <gtest/gtest.h>

#include "tests/support/graphs.h"

namespace pj::testing {
namespace {

struct Spec {
  DType dtype;
  Shape shape;
  Quantization quant;
};

class Cases {
 public:
  // An operator with these inputs and an output of this type; its shape is inferred.
  void add(const std::string& name, OpKind kind, OpParams params, const std::vector<Spec>& inputs,
           DType dtype, Quantization quant = {}) {
    GraphBuilder b;
    std::vector<TensorId> in;
    for (const Spec& s : inputs)
      in.push_back(b.input("x" + std::to_string(in.size()), s.dtype, s.shape, s.quant));
    const TensorId y = b.activation("y", dtype, {}, std::move(quant));
    b.op(kind, params, in, {y});
    Result<Graph> graph = b.finish({y});
    EXPECT_TRUE(graph) << name << ": " << graph.error().message;
    if (graph) cases_.push_back({name, *graph});
  }
  std::vector<ElementCase> take() { return std::move(cases_); }

 private:
  std::vector<ElementCase> cases_;
};

// Around the widths of vectors, blocks of four, and primes.
const int32_t kLengths[] = {1, 2, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 257, 1009};

// Shapes of two inputs: equal, a number or a vector against the rest, and both repeating.
const std::vector<std::pair<Shape, Shape>> kBroadcasts = {{{2, 3, 5, 7}, {2, 3, 5, 7}},
                                                          {{1, 40, 40, 3}, {1, 40, 40, 3}},
                                                          {{3, 5, 66}, {66}},
                                                          {{66}, {3, 5, 66}},
                                                          {{4, 9, 1}, {1}},
                                                          {{1}, {1, 7, 130}},
                                                          {{2, 1, 5, 1}, {1, 3, 1, 70}},
                                                          {{2, 3, 4, 5}, {2, 3, 1, 1}},
                                                          {{}, {}}};

Quantization shifted(DType t, float scale, int32_t above_minimum) {
  if (t == DType::kF32) return {};
  return quantized(scale, range_of(t).min + above_minimum);
}

struct Rescale {
  float a, b, y;
  int32_t zero_a, zero_b, zero_y;  // above the type's minimum
};
// Ordinary ones; zero points at the ends; ratios that leave the fixed point; saturation.
const Rescale kRescales[] = {
    {0.02f, 0.031f, 0.04f, 131, 12, 120},  {0.5f, 0.001f, 0.3f, 0, 255, 255},
    {1e-6f, 0.2f, 0.1f, 255, 0, 0},        {30.0f, 0.2f, 0.001f, 77, 128, 3},
    {1e30f, 1e30f, 1e-30f, 100, 100, 100}, {0.1f, 0.1f, 20.0f, 128, 128, 128}};

std::vector<ElementCase> binary(DType t, std::initializer_list<BinaryFn> functions) {
  Cases cases;
  for (BinaryFn fn : functions) {
    int i = 0;
    for (const Rescale& r : kRescales) {
      const Activation activation = i % 2 == 0 ? Activation::kNone : Activation::kRelu6;
      const Quantization a = shifted(t, r.a, r.zero_a), b = shifted(t, r.b, r.zero_b),
                         y = shifted(t, r.y, r.zero_y);
      auto add = [&](const Shape& sa, const Shape& sb) {
        cases.add(std::string(name_of(fn)) + " " + to_string(sa) + " " + to_string(sb) + " #" +
                      std::to_string(i),
                  OpKind::kBinary, BinaryParams{fn, activation}, {{t, sa, a}, {t, sb, b}}, t, y);
      };
      for (int32_t n : kLengths) add({n}, {n});
      for (const auto& [sa, sb] : kBroadcasts) add(sa, sb);
      ++i;
    }
  }
  return cases.take();
}

std::vector<ElementCase> tables() {
  Cases cases;
  for (DType t : {DType::kI8, DType::kU8}) {
    for (int32_t n : {1, 15, 64, 65, 1009, 70000}) {
      for (UnaryFn fn : {UnaryFn::kLogistic, UnaryFn::kHardSwish, UnaryFn::kLeakyRelu})
        cases.add(std::string(name_of(fn)) + std::to_string(n), OpKind::kUnary,
                  UnaryParams{fn, 0.1f}, {{t, {n}, shifted(t, 0.05f, 120)}}, t,
                  shifted(t, 0.03f, 7));
      for (DType to : {DType::kI8, DType::kU8})
        cases.add("requantize" + std::to_string(n), OpKind::kQuantize, NoParams{},
                  {{t, {n}, shifted(t, 0.05f, 120)}}, to, shifted(to, 0.01f, 99));
    }
  }
  return cases.take();
}

std::vector<ElementCase> conversions(OpKind kind, DType from, DType to) {
  Cases cases;
  for (int32_t n : kLengths)
    for (int32_t zero : {0, 100, 255})
      cases.add(std::to_string(n) + " zero " + std::to_string(zero), kind, NoParams{},
                {{from, {1, n}, shifted(from, 0.004f, zero)}}, to, shifted(to, 0.004f, zero));
  return cases.take();
}

std::vector<ElementCase> pools(DType t) {
  Cases cases;
  const Quantization q = shifted(t, 0.02f, 121);
  for (PoolFn fn : {PoolFn::kAverage, PoolFn::kMax}) {
    for (int32_t c : {1, 3, 15, 16, 17, 64, 65, 130}) {
      for (const auto& [kernel, stride, pad] :
           {std::tuple{2, 2, PadMode::kValid}, {3, 1, PadMode::kSame}, {7, 3, PadMode::kSame}}) {
        Pool2DParams p;
        p.fn = fn;
        p.kernel_h = kernel;
        p.kernel_w = kernel - 1;
        p.stride_h = stride;
        p.stride_w = 1;
        p.padding.mode = pad;
        p.activation = c == 17 ? Activation::kRelu6 : Activation::kNone;
        cases.add(std::string(name_of(fn)) + " " + std::to_string(c) + " window " +
                      std::to_string(kernel),
                  OpKind::kPool2D, p, {{t, {2, 9, 7, c}, q}}, t, q);
      }
    }
  }
  return cases.take();
}

std::vector<ElementCase> reductions(DType t) {
  Cases cases;
  const Quantization x = shifted(t, 0.02f, 121), y = shifted(t, 0.013f, 5);
  for (ReduceFn fn : {ReduceFn::kMean, ReduceFn::kSum, ReduceFn::kMax, ReduceFn::kMin}) {
    const bool extreme = fn == ReduceFn::kMax || fn == ReduceFn::kMin;
    for (int32_t c : {1, 2, 7, 16, 17, 64, 65, 131}) {
      for (const Dims& axes : {Dims{1, 2}, Dims{3}, Dims{-1, 0, 1, 2}, Dims{0}, Dims{1}}) {
        ReduceParams p;
        p.fn = fn;
        p.axes = axes;
        cases.add(std::string(name_of(fn)) + " " + std::to_string(c) + " axes " + to_string(axes),
                  OpKind::kReduce, p, {{t, {3, 5, 4, c}, x}}, t, extreme ? x : y);
      }
    }
  }
  return cases.take();
}

std::vector<ElementCase> softmaxes(DType t) {
  Cases cases;
  const Quantization y = shifted(t, 1.0f / 256, 0);
  for (int32_t n : {1, 2, 12, 63, 64, 65, 1001})
    for (float beta : {1.0f, 0.1f})
      for (float scale : {0.001f, 0.08f, 3.0f})
        cases.add(std::to_string(n) + " beta " + std::to_string(beta), OpKind::kSoftmax,
                  SoftmaxParams{beta}, {{t, {3, n}, shifted(t, scale, 77)}}, t, y);
  return cases.take();
}

}  // namespace

std::vector<ElementCase> element_cases(const KernelDesc& row) {
  switch (row.cls) {
    case KernelClass::kSum:
      return binary(row.input, {BinaryFn::kAdd, BinaryFn::kSub});
    case KernelClass::kProduct:
      return binary(row.input, {BinaryFn::kMul});
    case KernelClass::kTable:
      return tables();
    case KernelClass::kQuantize:
      return conversions(OpKind::kQuantize, row.input, row.output);
    case KernelClass::kDequantize:
      return conversions(OpKind::kDequantize, row.input, row.output);
    case KernelClass::kPool:
      return pools(row.input);
    case KernelClass::kReduce:
      return reductions(row.input);
    case KernelClass::kSoftmax:
      return softmaxes(row.input);
    default:
      return {};
  }
}

}  // namespace pj::testing
