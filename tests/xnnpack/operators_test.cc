// Every operator that XNNPACK offers against the reference kernels, over awkward shapes: integers
// bit by bit, floats within bounds.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "runtime/exec/xnnpack/xnnpack.h"
#include "tests/support/graphs.h"
#include "tests/xnnpack/require.h"

namespace pj {
namespace {

using Bytes = std::vector<std::byte>;
using testing::GraphBuilder;

// --- one operator --------------------------------------------------------------------------------

enum class Values { kRandom, kLow, kHigh };  // or all at an end of their range

struct Case {
  const char* name;
  OpKind kind;
  int32_t batch, height, width, in_c, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation;
  Padding pad;
  Activation activation = Activation::kNone;
  PoolFn fn = PoolFn::kMax;
  int32_t group_in = 0;  // 0: one group
};

constexpr Padding kSame{PadMode::kSame};
constexpr Padding kValid{PadMode::kValid};
constexpr Padding lopsided(int32_t top, int32_t bottom, int32_t left, int32_t right) {
  return {PadMode::kExplicit, top, bottom, left, right};
}

constexpr auto kConv = OpKind::kConv2D, kDw = OpKind::kDepthwiseConv2D,
               kFc = OpKind::kFullyConnected, kDeconv = OpKind::kTransposeConv2D,
               kPool = OpKind::kPool2D;

const Case kCases[] = {
    {"conv_one_value", kConv, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, kValid},
    {"conv_stem", kConv, 1, 15, 17, 3, 16, 3, 3, 2, 2, 1, kSame, Activation::kRelu6},
    {"conv_pointwise", kConv, 2, 6, 5, 17, 31, 1, 1, 1, 1, 1, kValid},
    {"conv_pointwise_stride", kConv, 1, 9, 8, 33, 40, 1, 1, 2, 2, 1, kSame},
    {"conv_dilated", kConv, 1, 9, 9, 8, 33, 3, 3, 1, 1, 2, kSame, Activation::kRelu},
    {"conv_wide", kConv, 1, 4, 13, 15, 7, 5, 5, 1, 1, 1, kSame, Activation::kReluN1To1},
    {"conv_tall_window", kConv, 3, 5, 3, 64, 65, 3, 1, 2, 1, 1, kValid},
    {"conv_window_larger_than_image", kConv, 1, 2, 2, 2, 5, 5, 5, 1, 1, 1, kSame},
    {"conv_uneven_strides", kConv, 1, 8, 8, 4, 12, 2, 4, 3, 2, 1, kSame},
    {"conv_lopsided_padding", kConv, 1, 7, 6, 5, 9, 3, 3, 1, 1, 1, lopsided(2, 0, 1, 2)},
    {"conv_groups", kConv, 1, 5, 5, 12, 18, 3, 3, 1, 1, 1, kSame, Activation::kNone, {}, 4},
    {"conv_long_sums", kConv, 1, 3, 5, 600, 24, 3, 3, 1, 1, 1, kSame},
    {"dw_3x3", kDw, 1, 9, 11, 37, 37, 3, 3, 1, 1, 1, kSame, Activation::kRelu6},
    {"dw_3x3_stride", kDw, 2, 14, 9, 16, 16, 3, 3, 2, 2, 1, kSame},
    {"dw_5x5", kDw, 1, 7, 7, 41, 41, 5, 5, 1, 1, 1, kSame},
    {"dw_7x7", kDw, 1, 8, 9, 19, 19, 7, 7, 1, 1, 1, kSame},
    {"dw_dilated", kDw, 1, 9, 9, 10, 10, 3, 3, 1, 1, 3, kSame},
    {"dw_1x1", kDw, 1, 4, 4, 21, 21, 1, 1, 1, 1, 1, kValid},
    {"dw_multiplier", kDw, 1, 6, 6, 5, 15, 3, 3, 1, 1, 1, kSame},
    {"dw_one_channel", kDw, 1, 9, 5, 1, 8, 3, 3, 2, 2, 1, kSame},
    {"dw_lopsided_padding", kDw, 1, 8, 8, 24, 24, 3, 3, 2, 2, 1, lopsided(0, 1, 0, 1)},
    {"fc_row", kFc, 1, 1, 1, 130, 11, 1, 1, 1, 1, 1, kValid},
    {"fc_rows", kFc, 7, 1, 1, 66, 35, 1, 1, 1, 1, 1, kValid, Activation::kRelu},
    {"deconv_2x2", kDeconv, 1, 5, 7, 9, 10, 2, 2, 2, 2, 1, kSame},
    {"deconv_3x3", kDeconv, 2, 4, 5, 17, 6, 3, 3, 2, 2, 1, kSame, Activation::kRelu},
    {"deconv_4x4_valid", kDeconv, 1, 3, 4, 8, 5, 4, 4, 2, 2, 1, kValid},
    {"deconv_stride_above_kernel", kDeconv, 1, 4, 3, 6, 7, 2, 2, 3, 3, 1, kSame},
    {"deconv_stride_1", kDeconv, 1, 6, 6, 3, 33, 3, 3, 1, 1, 1, kSame},
    {"max_3x3", kPool, 1, 9, 8, 19, 19, 3, 3, 2, 2, 1, kSame, Activation::kRelu},
    {"max_2x2", kPool, 2, 7, 9, 33, 33, 2, 2, 2, 2, 1, kValid},
    {"max_large", kPool, 1, 13, 13, 5, 5, 7, 5, 1, 1, 1, kSame},
    {"max_global", kPool, 1, 5, 6, 40, 40, 5, 6, 1, 1, 1, kValid},
    {"max_lopsided", kPool, 1, 6, 6, 3, 3, 3, 3, 1, 1, 1, lopsided(2, 0, 0, 2)},
    {"avg_2x2", kPool, 1, 6, 8, 21, 21, 2, 2, 2, 2, 1, kValid, {}, PoolFn::kAverage},
    {"avg_3x3_same", kPool, 2, 7, 5, 9, 9, 3, 3, 1, 1, 1, kSame, {}, PoolFn::kAverage},
    {"avg_global", kPool, 1, 7, 7, 64, 64, 7, 7, 1, 1, 1, kValid, Activation::kRelu6,
     PoolFn::kAverage},
};

struct Types {
  const char* name;
  DType activations, weights;
  bool per_channel;
};
const Types kTypes[] = {
    {"f32", DType::kF32, DType::kF32, false},
    {"f32_f16_weights", DType::kF32, DType::kF16, false},
    {"i8_per_channel", DType::kI8, DType::kI8, true},
    {"i8_one_scale", DType::kI8, DType::kI8, false},
    {"u8", DType::kU8, DType::kU8, false},
};

Quantization activation_quant(DType type, Values v, float scale) {
  if (type == DType::kF32) return {};
  const IntRange r = range_of(type);
  const int32_t zero = v == Values::kRandom ? r.min + 93 : (v == Values::kLow ? r.max : r.min);
  return testing::quantized(scale, zero);
}

// All elements `v` of its type, for values at an end of the range.
void flood(DType type, Values v, std::span<std::byte> bytes) {
  if (v == Values::kRandom || size_of(type) != 1) return;
  const IntRange r = range_of(type);
  std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(v == Values::kLow ? r.min : r.max));
}

TensorId make_weights(GraphBuilder& b, const Case& c, const Types& t, Values v) {
  Shape shape{c.out_c, c.kernel_h, c.kernel_w, c.group_in > 0 ? c.group_in : c.in_c};
  if (c.kind == kDw) shape = {1, c.kernel_h, c.kernel_w, c.out_c};
  if (c.kind == kFc) shape = {c.out_c, c.in_c};
  Quantization q;
  if (t.weights == DType::kI8) q = testing::quantized(0.0007f, 0);
  if (t.weights == DType::kU8) q = testing::quantized(0.0007f, v == Values::kHigh ? 0 : 131);
  if (t.per_channel) q = testing::per_channel(c.out_c, c.kind == kDw ? 3 : 0, 0.0007f);
  Bytes bytes(static_cast<size_t>(elements(shape)) * size_of(t.weights));
  b.fill(t.weights, bytes);
  flood(t.weights, v, bytes);
  return b.constant("w", t.weights, shape, bytes, q);
}

// Integer sums at an end of their range wrap.
TensorId make_bias(GraphBuilder& b, const Case& c, const Types& t, Values v) {
  const bool integer = t.activations != DType::kF32;
  const DType type = integer ? DType::kI32 : t.weights;
  Bytes bytes(static_cast<size_t>(c.out_c) * size_of(type));
  b.fill(type, bytes);
  const int32_t extreme = v == Values::kLow ? INT32_MIN : INT32_MAX;
  for (size_t i = 0; integer && v != Values::kRandom && i < bytes.size(); i += 4)
    std::memcpy(bytes.data() + i, &extreme, 4);
  return b.constant("bias", type, {c.out_c}, bytes);
}

OpParams params_of(const Case& c) {
  Conv2DParams conv{c.stride_h, c.stride_w, c.dilation, c.dilation, c.pad, c.activation};
  if (c.kind == kConv) return conv;
  if (c.kind == kDw) return DepthwiseConv2DParams{conv};
  if (c.kind == kFc) return FullyConnectedParams{false, c.activation};
  if (c.kind == kPool)
    return Pool2DParams{c.fn, c.kernel_h, c.kernel_w, c.stride_h, c.stride_w, c.pad, c.activation};
  // The largest output that convolves to this input.
  auto out = [&](int32_t in, int32_t kernel, int32_t stride) {
    return c.pad.mode == PadMode::kSame ? in * stride : (in - 1) * stride + kernel + stride - 1;
  };
  return TransposeConv2DParams{c.stride_h,
                               c.stride_w,
                               out(c.height, c.kernel_h, c.stride_h),
                               out(c.width, c.kernel_w, c.stride_w),
                               c.pad,
                               c.activation};
}

Result<Graph> single_op(const Case& c, const Types& t, Values v, bool with_bias = true) {
  GraphBuilder b(static_cast<uint32_t>(c.height * 31 + c.in_c));
  const Shape shape =
      c.kind == kFc ? Shape{c.batch, c.in_c} : Shape{c.batch, c.height, c.width, c.in_c};
  const Quantization xq = activation_quant(t.activations, v, 0.031f);
  std::vector<TensorId> in = {b.input("x", t.activations, shape, xq)};
  Quantization yq = xq;  // of pooling
  if (c.kind != kPool) {
    in.push_back(make_weights(b, c, t, v));
    if (with_bias) in.push_back(make_bias(b, c, t, v));
    if (t.activations == DType::kI8) yq = testing::quantized(0.17f, -11);
    if (t.activations == DType::kU8) yq = testing::quantized(0.17f, 120);
  }
  const TensorId y = b.activation("y", t.activations, {}, yq);
  b.op(c.kind, params_of(c), in, {y});
  return b.finish({y});
}

// --- running it ----------------------------------------------------------------------------------

// A catalog of reference kernels alone; rows keep their places, so that ids stay valid.
std::span<const KernelDesc> reference_catalog() {
  static const std::vector<KernelDesc> rows = [] {
    std::vector<KernelDesc> all(kernel_catalog().begin(), kernel_catalog().end());
    for (KernelDesc& k : all)
      if (k.cls != KernelClass::kReference) k.isa = IsaSet::from_bits(~uint64_t{0});
    return all;
  }();
  return rows;
}

std::unique_ptr<Session> session_of(const Graph& graph, XnnpackMode mode,
                                    const SessionOptions& session_options = {}) {
  ModelOptions options;
  options.catalog = reference_catalog();
  EXPECT_TRUE(use_xnnpack(mode, options));
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, session_options);
  EXPECT_TRUE(session) << session.error().message;
  return session ? std::move(*session) : nullptr;
}

Bytes run(Session& s, const Bytes& input) {
  std::copy(input.begin(), input.end(), s.input_data(0).begin());
  const Status status = s.run();
  EXPECT_TRUE(status) << status.error().message;
  return {s.output_data(0).begin(), s.output_data(0).end()};
}

Bytes input_for(const Graph& graph, Values v) {
  const Tensor& x = graph.tensor(graph.inputs[0]);
  Bytes input(static_cast<size_t>(byte_size(x)));
  GraphBuilder(99).fill(x.dtype, input);
  flood(x.dtype, v, input);
  return input;
}

// Sums of n products of numbers below 1 in another order differ by at most about n * 2^-24 of the
// sum of magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
void expect_close(const Bytes& a, const Bytes& b, int32_t terms) {
  ASSERT_EQ(a.size(), b.size());
  const float bound = static_cast<float>(terms + 1) * static_cast<float>(terms + 1) * 6e-8f;
  for (size_t i = 0; i < a.size(); i += 4) {
    float x, y;
    std::memcpy(&x, a.data() + i, 4);
    std::memcpy(&y, b.data() + i, 4);
    ASSERT_LE(std::fabs(x - y), bound) << "element " << i / 4;
  }
}

// What is not offered, and why: XNNPACK's integer average pooling rounds otherwise; the generation
// of 2022 has no deconvolution with a scale for each channel; limits must not be equal, as they are
// where an activation cuts off all but the largest number.
bool expected_offer(const Case& c, const Types& t, Values v) {
  const bool one_result = c.kind == kPool && c.activation == Activation::kRelu && v == Values::kLow;
  if (one_result && t.activations != DType::kF32) return false;
  if (c.kind == kPool && c.fn == PoolFn::kAverage) return t.activations == DType::kF32;
  if (c.kind == kDeconv && t.per_channel) return std::string(xnnpack_generation()) != "2022";
  return true;
}

// On NEON one scale for all channels has its own rounding, which is found when XNNPACK is first
// used.
bool surely_exact(const Case& c, const Types& t) {
#if defined(__x86_64__) || defined(__i386__)
  constexpr bool x86 = true;
#else
  constexpr bool x86 = false;
#endif
  return x86 || t.activations == DType::kF32 || c.kind == kPool || t.per_channel ||
         (t.activations == DType::kI8 && c.kind != kDeconv);
}

using Param = std::tuple<Case, Types>;
class Offered : public ::testing::TestWithParam<Param> {};

TEST_P(Offered, MatchesTheReference) {
  PJ_REQUIRE_XNNPACK();
  const auto& [c, t] = GetParam();
  for (Values v : {Values::kRandom, Values::kLow, Values::kHigh}) {
    SCOPED_TRACE(static_cast<int>(v));
    const Result<Graph> graph = single_op(c, t, v, v != Values::kLow || c.out_c % 2 == 1);
    ASSERT_TRUE(graph) << graph.error().message;
    const Bytes input = input_for(*graph, v);
    const Bytes expected = run(*session_of(*graph, XnnpackMode::kOff), input);
    for (const int threads : {1, 2}) {
      auto session = session_of(*graph, XnnpackMode::kOnly, {.threads = threads});
      ASSERT_NE(session, nullptr);
      const bool offered = session->program().steps[0].prepared;
      EXPECT_TRUE(offered == expected_offer(c, t, v) || !surely_exact(c, t));
      if (!offered) continue;
      const Bytes actual = run(*session, input);
      if (t.activations == DType::kF32) {
        expect_close(actual, expected, c.in_c * c.kernel_h * c.kernel_w);
      } else {
        EXPECT_EQ(actual, expected);
      }
    }
  }
}

// Pooling has no weights: one of the types that differ only in them is enough.
std::vector<Param> params() {
  std::vector<Param> all;
  for (const Case& c : kCases)
    for (const Types& t : kTypes)
      if (c.kind != kPool || (t.weights == t.activations && !t.per_channel)) all.push_back({c, t});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Xnnpack, Offered, ::testing::ValuesIn(params()), [](const auto& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param).name;
});

}  // namespace
}  // namespace pj
