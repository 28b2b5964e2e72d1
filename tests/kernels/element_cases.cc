#include "tests/kernels/element_cases.h"

#include <gtest/gtest.h>

#include "tests/support/graphs.h"

namespace pj::testing {
namespace {

struct Spec {
  DType dtype;
  Shape shape;
  Quantization quant;
  std::vector<float> constant = {};  // its value, if it is one
};

struct Made {
  DType dtype;
  Quantization quant;
};

class Cases {
 public:
  // An operator with these inputs and outputs of this type; their shapes are inferred.
  void add(const std::string& name, OpKind kind, OpParams params, const std::vector<Spec>& inputs,
           DType dtype, const Quantization& quant = {}, int outputs = 1) {
    add(name, kind, params, inputs,
        std::vector<Made>(static_cast<size_t>(outputs), Made{dtype, quant}));
  }
  void add(const std::string& name, OpKind kind, OpParams params, const std::vector<Spec>& inputs,
           const std::vector<Made>& outputs) {
    GraphBuilder b;
    std::vector<TensorId> in, out;
    for (const Spec& s : inputs) {
      const std::string x = "x" + std::to_string(in.size());
      in.push_back(s.constant.empty()
                       ? b.input(x, s.dtype, s.shape, s.quant)
                       : b.constant(x, s.dtype, s.shape, std::as_bytes(std::span(s.constant))));
    }
    for (const Made& o : outputs)
      out.push_back(b.activation("y" + std::to_string(out.size()), o.dtype, {}, o.quant));
    b.op(kind, params, in, out);
    Result<Graph> graph = b.finish(out);
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
    const Quantization q = shifted(t, 0.1f, 77);
    for (int32_t c : {1, 3, 64, 300}) {
      const Spec x{t, {2, 5, 4, c}, q}, other{t, {2, 5, 4, c}, shifted(t, 0.13f, 70)};
      for (int32_t axis : {0, 2, 3})
        cases.add("concat of two scales, axis " + std::to_string(axis), OpKind::kConcat,
                  ConcatParams{axis, Activation::kNone}, {x, other, x}, t, q);
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

std::vector<ElementCase> float_binaries() {
  Cases cases;
  auto add = [&](const std::string& name, OpKind kind, OpParams params) {
    for (int32_t n : kLengths)
      cases.add(name + " " + std::to_string(n), kind, params,
                {{DType::kF32, {n}, {}}, {DType::kF32, {n}, {}}}, DType::kF32);
    for (const auto& [a, b] : kBroadcasts)
      if (kind == OpKind::kBinary || a.rank() >= b.rank())
        cases.add(name + " " + to_string(a) + " " + to_string(b), kind, params,
                  {{DType::kF32, a, {}}, {DType::kF32, b, {}}}, DType::kF32);
  };
  for (BinaryFn fn : {BinaryFn::kAdd, BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kDiv,
                      BinaryFn::kMinimum, BinaryFn::kMaximum, BinaryFn::kSquaredDifference})
    for (Activation a : {Activation::kNone, Activation::kReluN1To1})
      add(name_of(fn), OpKind::kBinary, BinaryParams{fn, a});
  return cases.take();
}

std::vector<ElementCase> prelus() {
  Cases cases;
  for (int32_t n : kLengths)
    cases.add("prelu " + std::to_string(n), OpKind::kPRelu, NoParams{},
              {{DType::kF32, {2, 3, 2, n}, {}}, {DType::kF32, {1, 1, n}, {}}}, DType::kF32);
  return cases.take();
}

std::vector<ElementCase> extremes(DType t) {
  Cases cases;
  const Quantization q = shifted(t, 0.05f, 100);
  for (BinaryFn fn : {BinaryFn::kMinimum, BinaryFn::kMaximum}) {
    auto add = [&](const Shape& a, const Shape& b, Activation activation) {
      cases.add(std::string(name_of(fn)) + " " + to_string(a) + " " + to_string(b), OpKind::kBinary,
                BinaryParams{fn, activation}, {{t, a, q}, {t, b, q}}, t, q);
    };
    for (int32_t n : kLengths) add({n}, {n}, n % 2 ? Activation::kNone : Activation::kReluN1To1);
    for (const auto& [a, b] : kBroadcasts) add(a, b, Activation::kNone);
  }
  return cases.take();
}

std::vector<ElementCase> quantized_prelus(DType t) {
  Cases cases;
  for (const Rescale& r : kRescales)
    for (int32_t n : kLengths)
      cases.add(
          "prelu " + std::to_string(n), OpKind::kPRelu, NoParams{},
          {{t, {2, 3, 2, n}, shifted(t, r.a, r.zero_a)}, {t, {1, 1, n}, shifted(t, r.b, r.zero_b)}},
          t, shifted(t, r.y, r.zero_y));
  return cases.take();
}

std::vector<ElementCase> arg_extremes(DType t) {
  Cases cases;
  const Quantization q = shifted(t, 0.05f, 100);
  for (bool maximum : {true, false})
    for (DType index : {DType::kI32, DType::kI64})
      for (int32_t n : kLengths) {
        ArgReduceParams p;
        p.axis = -1;
        p.maximum = maximum;
        cases.add("arg " + std::to_string(n) + (maximum ? " max" : " min"), OpKind::kArgReduce, p,
                  {{t, {2, 7, n}, q}}, index);
      }
  return cases.take();
}

std::vector<ElementCase> normalizations(DType t) {
  Cases cases;
  for (OpKind kind : {OpKind::kLogSoftmax, OpKind::kL2Normalization})
    for (int32_t n : kLengths)
      for (int32_t zero : {0, 100, 255})
        cases.add(std::string(name_of(kind)) + " " + std::to_string(n), kind, params_for(kind),
                  {{t, {2, 5, n}, shifted(t, 0.1f, zero)}}, t, shifted(t, 1.0f / 16, 255 - zero));
  return cases.take();
}

// Long rows, few and many of their elements; equal ones are found by Values::kLow and kHigh.
std::vector<ElementCase> top_ks(DType t) {
  Cases cases;
  const Quantization q = shifted(t, 0.05f, 100);
  for (int32_t n : kLengths)
    for (int32_t k : {1, 2, 5, n / 2, n})
      if (k >= 1 && k <= n)
        cases.add(std::to_string(k) + " of " + std::to_string(n), OpKind::kTopK, TopKParams{k},
                  {{t, {2, 3, n}, q}}, {{t, q}, {DType::kI32, {}}});
  return cases.take();
}

const DType kNumberTypes[] = {DType::kF32, DType::kF16, DType::kI8,  DType::kU8,
                              DType::kI16, DType::kI32, DType::kBool};

std::vector<ElementCase> numbers() {
  Cases cases;
  auto cast = [&](DType from, DType to) {
    for (int32_t n : {1, 7, 17, 256, 1009})
      cases.add(std::string("cast ") + name_of(from) + " to " + name_of(to), OpKind::kCast,
                NoParams{}, {{from, {n}, {}}}, to);
  };
  for (DType from : kNumberTypes)
    for (DType to : kNumberTypes) cast(from, to);
  for (DType t : {DType::kI8, DType::kU8, DType::kI16, DType::kI32}) {
    cast(DType::kI64, t);
    cast(t, DType::kI64);
  }
  cast(DType::kBool, DType::kI64);
  for (int32_t n : {1, 17, 256, 1009})
    cases.add("not " + std::to_string(n), OpKind::kUnary, UnaryParams{UnaryFn::kLogicalNot, 0},
              {{DType::kBool, {n}, {}}}, DType::kBool);

  auto binary = [&](BinaryFn fn, DType t, const Quantization& a, const Quantization& b, DType to,
                    const Quantization& y, Activation activation) {
    auto add = [&](const Shape& sa, const Shape& sb) {
      cases.add(
          std::string(name_of(fn)) + " " + name_of(t) + " " + to_string(sa) + " " + to_string(sb),
          OpKind::kBinary, BinaryParams{fn, activation}, {{t, sa, a}, {t, sb, b}}, to, y);
    };
    for (int32_t n : {1, 17, 256, 1009}) add({n}, {n});
    for (const auto& [sa, sb] : kBroadcasts) add(sa, sb);
  };
  const auto kBool = DType::kBool;
  for (BinaryFn fn : {BinaryFn::kEqual, BinaryFn::kNotEqual, BinaryFn::kLess, BinaryFn::kLessEqual,
                      BinaryFn::kGreater, BinaryFn::kGreaterEqual}) {
    for (DType t : {DType::kF32, DType::kI8, DType::kU8, DType::kI16, DType::kI32})
      binary(fn, t, {}, {}, kBool, {}, Activation::kNone);
    for (DType t : {DType::kI8, DType::kU8, DType::kI16})
      binary(fn, t, shifted(t, 0.02f, 131), shifted(t, 0.031f, 12), kBool, {}, Activation::kNone);
  }
  for (BinaryFn fn :
       {BinaryFn::kEqual, BinaryFn::kNotEqual, BinaryFn::kLogicalAnd, BinaryFn::kLogicalOr})
    binary(fn, kBool, {}, {}, kBool, {}, Activation::kNone);
  for (BinaryFn fn : {BinaryFn::kAdd, BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kMinimum,
                      BinaryFn::kMaximum, BinaryFn::kSquaredDifference})
    for (Activation a : {Activation::kNone, Activation::kRelu6})
      binary(fn, DType::kI32, {}, {}, DType::kI32, {}, a);
  for (BinaryFn fn :
       {BinaryFn::kDiv, BinaryFn::kMinimum, BinaryFn::kMaximum, BinaryFn::kSquaredDifference})
    for (DType t : {DType::kI8, DType::kU8})
      for (const Rescale& r : kRescales)
        if (r.a != r.b)
          binary(fn, t, shifted(t, r.a, r.zero_a), shifted(t, r.b, r.zero_b), t,
                 shifted(t, r.y, r.zero_y), Activation::kRelu6);
  return cases.take();
}

std::vector<ElementCase> selects(DType t) {
  Cases cases;
  auto add = [&](const Shape& condition, const Shape& a, const Shape& b) {
    cases.add(to_string(condition) + " " + to_string(a) + " " + to_string(b), OpKind::kSelect,
              NoParams{}, {{DType::kBool, condition, {}}, {t, a, {}}, {t, b, {}}}, t);
  };
  for (int32_t n : kLengths) add({n}, {n}, {n});
  for (const auto& [a, b] : kBroadcasts) {
    add(a, a, b);
    add(b, a, a);
    add(a, b, b);
  }
  return cases.take();
}

std::vector<ElementCase> gathers() {
  Cases cases;
  for (DType t : {DType::kU8, DType::kF32, DType::kI64}) {
    for (DType index : {DType::kI32, DType::kI64}) {
      for (int32_t c : {1, 3, 64, 300}) {
        const Spec x{t, {2, 3, 5, c}, {}};
        for (int32_t axis : {0, 1, 2, 3})
          cases.add("axis " + std::to_string(axis) + " of " + std::to_string(c), OpKind::kGather,
                    GatherParams{axis, 0}, {x, {index, {7, 2}, {}}}, t);
        cases.add("batches", OpKind::kGather, GatherParams{2, 1}, {x, {index, {2, 4}, {}}}, t);
        cases.add("rows of indices", OpKind::kGather, GatherParams{2, -1},
                  {x, {index, {2, 3, 6}, {}}}, t);
        cases.add("one", OpKind::kGather, GatherParams{-2, 0}, {x, {index, {}, {}}}, t);
        for (int32_t depth : {1, 2, 4})
          cases.add("depth " + std::to_string(depth), OpKind::kGatherNd, NoParams{},
                    {x, {index, {3, 5, depth}, {}}}, t);
      }
    }
  }
  return cases.take();
}

std::vector<ElementCase> float_unaries() {
  Cases cases;
  for (UnaryFn fn : {UnaryFn::kAbs,      UnaryFn::kNeg,   UnaryFn::kSquare,    UnaryFn::kSqrt,
                     UnaryFn::kRsqrt,    UnaryFn::kExp,   UnaryFn::kLog,       UnaryFn::kTanh,
                     UnaryFn::kLogistic, UnaryFn::kRelu,  UnaryFn::kRelu6,     UnaryFn::kReluN1To1,
                     UnaryFn::kElu,      UnaryFn::kGelu,  UnaryFn::kGeluTanh,  UnaryFn::kFloor,
                     UnaryFn::kCeil,     UnaryFn::kRound, UnaryFn::kHardSwish, UnaryFn::kLeakyRelu,
                     UnaryFn::kSilu})
    for (int32_t n : kLengths)
      cases.add(std::string(name_of(fn)) + " " + std::to_string(n), OpKind::kUnary,
                UnaryParams{fn, 0.3f}, {{DType::kF32, {1, 3, 1, n}, {}}}, DType::kF32);
  for (float exponent : {2.0f, 3.0f})
    cases.add("power " + std::to_string(exponent), OpKind::kBinary,
              BinaryParams{BinaryFn::kPow, Activation::kNone},
              {{DType::kF32, {3, 35}, {}}, {DType::kF32, {}, {}, {exponent}}}, DType::kF32);
  return cases.take();
}

std::vector<ElementCase> resizes(DType t, ResizeFn fn) {
  Cases cases;
  const Quantization q = shifted(t, 0.02f, 90);
  for (int32_t c : {1, 3, 4, 15, 16, 17, 65, 300}) {
    for (const auto& [h, w] : {std::pair{1, 1}, {7, 5}, {14, 10}, {13, 3}, {3, 29}}) {
      for (const auto& [align, half] : {std::pair{false, false}, {true, false}, {false, true}}) {
        ResizeParams p;
        p.fn = fn;
        p.out_h = h;
        p.out_w = w;
        p.align_corners = align;
        p.half_pixel = half;
        cases.add("to " + std::to_string(h) + "x" + std::to_string(w) + "x" + std::to_string(c),
                  OpKind::kResize, p, {{t, {2, 7, 5, c}, q}}, t, q);
      }
    }
  }
  return cases.take();
}

std::vector<ElementCase> transposes(DType t) {
  Cases cases;
  const std::pair<Shape, Dims> permutations[] = {{{5, 7}, {1, 0}},
                                                 {{64, 48}, {1, 0}},
                                                 {{33, 130}, {1, 0}},
                                                 {{1, 17, 19, 35}, {0, 3, 1, 2}},
                                                 {{1, 35, 17, 19}, {0, 2, 3, 1}},
                                                 {{2, 3, 4, 5}, {3, 2, 1, 0}},
                                                 {{3, 40, 20}, {1, 0, 2}},
                                                 {{3, 40, 20}, {2, 0, 1}},
                                                 {{2, 20, 3, 20}, {0, 3, 2, 1}},
                                                 {{1, 1, 1, 9}, {3, 1, 0, 2}},
                                                 {{16}, {0}}};
  for (const auto& [shape, perm] : permutations)
    cases.add(to_string(shape) + " by " + to_string(perm), OpKind::kTranspose,
              TransposeParams{perm}, {{t, shape, shifted(t, 0.1f, 9)}}, t, shifted(t, 0.1f, 9));
  return cases.take();
}

std::vector<ElementCase> copies() {
  Cases cases;
  for (DType t : {DType::kU8, DType::kF32, DType::kI64}) {
    const Quantization q = t == DType::kU8 ? quantized(0.1f, 77) : Quantization{};
    for (int32_t c : {1, 3, 4, 17, 64, 70, 300}) {
      const Spec x{t, {2, 5, 4, c}, q};
      for (int32_t axis : {0, 2, 3}) {
        const std::string at = " axis " + std::to_string(axis) + " " + std::to_string(c);
        cases.add("concat" + at, OpKind::kConcat, ConcatParams{axis, Activation::kNone}, {x, x, x},
                  t, q);
        cases.add("pack" + at, OpKind::kPack, PackParams{axis}, {x, x}, t, q);
        cases.add("unpack" + at, OpKind::kUnpack, UnpackParams{axis}, {x}, t, q, x.shape[axis]);
        cases.add("split" + at, OpKind::kSplit, SplitParams{axis, {x.shape[axis], 0}}, {x}, t, q,
                  2);
      }
      cases.add("slice", OpKind::kSlice, SliceParams{{1, 1, 0, 0}, {1, 3, 4, c}}, {x}, t, q);
      StridedSliceParams strided;
      strided.begin = {0, 4, 1, 0};
      strided.end = {2, 0, 4, c};
      strided.strides = {1, -2, 2, 1};
      cases.add("strided slice", OpKind::kStridedSlice, strided, {x}, t, q);
      const Dims before = {0, 1, 2, std::min(3, c - 1)}, after = {1, 0, 1, c / 2};
      for (PadFn fn : {PadFn::kConstant, PadFn::kReflect, PadFn::kSymmetric})
        cases.add("pad " + std::to_string(static_cast<int>(fn)), OpKind::kPad,
                  PadParams{fn, before, after}, {x}, t, q);
      cases.add("broadcast", OpKind::kBroadcastTo, BroadcastToParams{{3, 2, 5, 4, c}}, {x}, t, q);
      cases.add("tile", OpKind::kTile, TileParams{{1, 3, 1, 2}}, {x}, t, q);
      const Spec deep{t, {2, 3, 4, 4 * c}, q}, large{t, {2, 6, 4, c}, q}, many{t, {8, 3, 4, c}, q};
      cases.add("depth to space", OpKind::kDepthToSpace, BlockParams{2}, {deep}, t, q);
      cases.add("space to depth", OpKind::kSpaceToDepth, BlockParams{2}, {large}, t, q);
      cases.add("space to batch", OpKind::kSpaceToBatch, SpaceBatchParams{{2, 3}, {1, 0}, {1, 2}},
                {large}, t, q);
      cases.add("batch to space", OpKind::kBatchToSpace, SpaceBatchParams{{2, 2}, {1, 0}, {0, 3}},
                {many}, t, q);
    }
    if (size_of(t) == 8)
      cases.add("transpose", OpKind::kTranspose, TransposeParams{{0, 3, 1, 2}},
                {{t, {2, 5, 4, 7}, q}}, t, q);
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

std::vector<ElementCase> layer_norms() {
  Cases cases;
  for (int32_t n : {1, 2, 7, 8, 15, 16, 17, 64, 99})
    cases.add(std::to_string(n), OpKind::kLayerNorm, LayerNormParams{1e-3f},
              {{DType::kF32, {3, n}, {}}, {DType::kF32, {n}, {}}, {DType::kF32, {n}, {}}},
              DType::kF32);
  return cases.take();
}

// Sizes around those of blocks and panels; batches that one factor repeats for.
std::vector<ElementCase> products(DType t) {
  Cases cases;
  const Quantization qa = shifted(t, 0.02f, 131), qy = shifted(t, 0.7f, 120);
  // Zero points of int8 weights are 0; a factor of a product of matrices may have any.
  const Quantization qw = shifted(t, 0.01f, t == DType::kI8 ? 128 : 7);
  const Quantization qb = shifted(t, 0.01f, 7);
  const DType bias = t == DType::kF32 ? t : DType::kI32;
  const int32_t sizes[][3] = {{1, 1, 1},   {1, 16, 16},  {7, 5, 3},   {25, 31, 33},
                              {13, 64, 8}, {99, 99, 64}, {3, 130, 70}};
  for (const auto& [m, n, k] : sizes) {
    const std::string name = fmt::format("{}x{}x{}", m, n, k);
    for (Activation a : {Activation::kNone, Activation::kRelu6}) {
      const FullyConnectedParams p{false, a};
      cases.add(name, OpKind::kFullyConnected, p, {{t, {m, k}, qa}, {t, {n, k}, qw}}, t, qy);
      cases.add(name + " and bias", OpKind::kFullyConnected, p,
                {{t, {m, k}, qa}, {t, {n, k}, qw}, {bias, {n}, {}}}, t, qy);
    }
    for (bool transposed : {false, true}) {
      const Shape b = transposed ? Shape{n, k} : Shape{k, n};
      const Shape batched = transposed ? Shape{2, 3, n, k} : Shape{2, 3, k, n};
      const BatchMatMulParams p{false, transposed};
      cases.add(name + " shared b", OpKind::kBatchMatMul, p, {{t, {2, 3, m, k}, qa}, {t, b, qb}}, t,
                qy);
      cases.add(name + " shared a", OpKind::kBatchMatMul, p, {{t, {1, m, k}, qa}, {t, batched, qb}},
                t, qy);
      cases.add(name + " batch", OpKind::kBatchMatMul, p, {{t, {2, 3, m, k}, qa}, {t, batched, qb}},
                t, qy);
    }
  }
  return cases.take();
}

}  // namespace

std::vector<ElementCase> element_cases(const KernelDesc& row) {
  switch (row.cls) {
    case KernelClass::kMatmul:
      return products(row.input);
    case KernelClass::kSum:
      return binary(row.input, {BinaryFn::kAdd, BinaryFn::kSub});
    case KernelClass::kProduct:
      return binary(row.input, {BinaryFn::kMul});
    case KernelClass::kExtreme:
      return extremes(row.input);
    case KernelClass::kPRelu:
      return quantized_prelus(row.input);
    case KernelClass::kArgReduce:
      return arg_extremes(row.input);
    case KernelClass::kNormalize:
      return normalizations(row.input);
    case KernelClass::kTopK:
      return top_ks(row.input);
    case KernelClass::kNumbers:
      return numbers();
    case KernelClass::kSelect:
      return selects(row.input);
    case KernelClass::kGather:
      return gathers();
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
    case KernelClass::kLayerNorm:
      return layer_norms();
    case KernelClass::kBinary: {
      std::vector<ElementCase> all = float_binaries();
      std::vector<ElementCase> more = prelus();
      all.insert(all.end(), more.begin(), more.end());
      return all;
    }
    case KernelClass::kUnary:
      return float_unaries();
    case KernelClass::kCopy:
      return copies();
    case KernelClass::kNearest:
      return resizes(row.input, ResizeFn::kNearest);
    case KernelClass::kBilinear:
      return resizes(row.input, ResizeFn::kBilinear);
    case KernelClass::kTranspose:
      return transposes(size_of(row.input) == 4 ? DType::kF32 : row.input);
    default:
      return {};
  }
}

}  // namespace pj::testing
