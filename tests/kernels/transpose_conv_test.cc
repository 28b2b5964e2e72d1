// Transposed convolutions, planned as convolutions of their phases, against the reference.
#include <gmock/gmock.h>

#include <cmath>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using Bytes = std::vector<std::byte>;

struct TransposeCase {
  int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w;
  Padding pad;
  Activation activation = Activation::kNone;
};

constexpr Padding kSame{PadMode::kSame}, kValid{PadMode::kValid};

const TransposeCase kCases[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, kValid},
    // As upsampling layers have it: windows side by side, and overlapping.
    {1, 4, 5, 8, 8, 10, 16, 2, 2, 2, 2, kSame, Activation::kRelu},
    {2, 5, 4, 19, 10, 8, 21, 4, 4, 2, 2, kSame},
    {1, 6, 7, 3, 12, 14, 5, 3, 3, 2, 2, kSame, Activation::kRelu6},
    {1, 6, 7, 16, 13, 15, 33, 3, 3, 2, 2, kValid},
    // Stride 1 is a convolution with turned taps.
    {1, 5, 6, 7, 5, 6, 12, 3, 3, 1, 1, kSame},
    {1, 5, 6, 4, 8, 7, 12, 4, 2, 1, 1, kValid},
    // Odd sizes, different steps, more taps than inputs.
    {2, 3, 4, 5, 7, 4, 9, 5, 3, 3, 1, kSame},
    {1, 3, 4, 6, 11, 12, 8, 5, 3, 3, 3, kValid},
    {1, 2, 2, 9, 3, 4, 17, 7, 6, 2, 2, kSame},
    {1, 3, 2, 4, 13, 11, 3, 9, 8, 2, 3, kValid},
    // Kernels smaller than the stride leave outputs that are only bias.
    {1, 4, 3, 5, 12, 9, 18, 1, 1, 3, 3, kSame},
    {2, 4, 3, 5, 8, 9, 7, 1, 2, 2, 3, kSame},
    {1, 3, 3, 4, 8, 7, 6, 2, 1, 3, 3, kValid},
    // Borders that are cut off: phases that begin inside the input.
    {1, 4, 4, 6, 3, 4, 10, 3, 3, 2, 2, {PadMode::kExplicit, 4, 2, 1, 4}},
    {1, 5, 4, 1, 7, 7, 4, 1, 1, 2, 2, {PadMode::kExplicit, 2, 0, 0, 0}},
};

Result<Graph> transposed(const KernelDesc& k, const TransposeCase& c) {
  testing::GraphBuilder b(static_cast<uint32_t>(c.out_h * 31 + c.in_c));
  const bool integer = k.input != DType::kF32;
  auto quant = [&](float scale, int32_t zero) {
    return integer ? testing::quantized(scale, zero) : Quantization{};
  };
  const TensorId x =
      b.input("x", k.input, {c.batch, c.in_h, c.in_w, c.in_c}, quant(0.031f, integer ? 7 : 0));
  const Quantization wq = k.weights == DType::kI8 ? testing::per_channel(c.out_c, 0, 0.0007f)
                          : integer               ? quant(0.0007f, 131)
                                                  : Quantization{};
  const TensorId w = b.constant("w", k.weights, {c.out_c, c.kernel_h, c.kernel_w, c.in_c}, wq);
  const TensorId bias = b.constant("bias", integer ? DType::kI32 : k.weights, {c.out_c});
  const TensorId y =
      b.activation("y", k.output, {}, quant(0.05f, k.output == DType::kU8 ? 120 : -11));
  TransposeConv2DParams p;
  p.stride_h = c.stride_h;
  p.stride_w = c.stride_w;
  p.out_h = c.out_h;
  p.out_w = c.out_w;
  p.padding = c.pad;
  p.activation = c.activation;
  b.op(OpKind::kTransposeConv2D, p, {x, w, bias}, {y});
  return b.finish({y});
}

struct RunResult {
  Bytes output;
  std::vector<std::string> kernels;
};

// Runs the graph with one row or, with none, the reference.
RunResult run(const Graph& graph, const KernelDesc* row, int threads) {
  std::vector<KernelDesc> catalog(kernel_catalog().begin(), kernel_catalog().end());
  for (KernelDesc& k : catalog) {
    const bool keep = k.cls == KernelClass::kReference ||
                      (row != nullptr && std::string_view(k.name) == row->name);
    if (!keep) k.isa = IsaSet::from_bits(~uint64_t{0});
  }
  ModelOptions options;
  options.catalog = catalog;
  options.target.isa = host_cpu().isa & built_isa();
  options.target.l1_bytes = options.target.l2_bytes = 2048;  // several tiles
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  Session& s = **session;
  testing::GraphBuilder(99).fill(s.input(0).dtype, s.input_data(0));
  // What nothing writes is not right by chance.
  Bytes out(s.output_data(0).size(), std::byte{0xA5});
  EXPECT_TRUE(s.bind_output(0, out));
  EXPECT_TRUE(s.run());
  RunResult result{out, {}};
  EXPECT_EQ(s.program().steps.size(), 1u);
  for (const LoopNest& nest : s.program().steps[0].members)
    result.kernels.push_back(catalog[static_cast<size_t>(nest.kernel)].name);
  const auto seen = s.step_output(0, 0);
  EXPECT_TRUE(std::equal(seen.begin(), seen.end(), out.begin(), out.end()));
  return result;
}

void expect_close(const Bytes& a, const Bytes& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i += 4) {
    float x, y;
    std::memcpy(&x, a.data() + i, 4);
    std::memcpy(&y, b.data() + i, 4);
    ASSERT_LE(std::fabs(x - y), 1e-4f) << "element " << i / 4;
  }
}

TEST(TransposeConv, EveryConvolutionKernelMatchesTheReference) {
  for (const KernelDesc& row : kernel_catalog()) {
    if (row.input == DType::kF16) continue;  // tests/exec/half_test.cc
    if (row.packing == PackingId::kConvWinograd) continue;  // is for whole 3x3 windows
    if (row.cls != KernelClass::kConv || !(host_cpu().isa & built_isa()).includes(row.isa))
      continue;
    for (TransposeCase c : kCases) {
      ConvKernelParams layer;
      layer.in_channels = c.in_c;
      // Fewer channels, if the row is for few.
      for (layer.out_channels = c.out_c; !row.fits(layer) && c.out_c > 1;)
        layer.out_channels = c.out_c = c.out_c / 2;
      if (!row.fits(layer)) layer.in_channels = c.in_c = 8;
      SCOPED_TRACE(fmt::format("{}: {}x{}x{}x{} -> {}x{}x{}, {}x{}, stride {}x{}", row.name,
                               c.batch, c.in_h, c.in_w, c.in_c, c.out_h, c.out_w, c.out_c,
                               c.kernel_h, c.kernel_w, c.stride_h, c.stride_w));
      const Result<Graph> graph = transposed(row, c);
      ASSERT_TRUE(graph) << graph.error().message;
      const RunResult expected = run(*graph, nullptr, 1);
      ASSERT_THAT(expected.kernels, ::testing::ElementsAre("ref_transpose_conv_2d"));
      for (int threads : {1, 2}) {
        const RunResult actual = run(*graph, &row, threads);
        const auto phases =
            static_cast<size_t>(std::min(c.stride_h, c.out_h) * std::min(c.stride_w, c.out_w));
        ASSERT_EQ(actual.kernels.size(), phases);
        ASSERT_THAT(actual.kernels, ::testing::Each(std::string(row.name)));
        if (row.input == DType::kF32) {
          expect_close(actual.output, expected.output);
        } else {
          ASSERT_EQ(actual.output, expected.output);
        }
      }
    }
  }
}

// In the arena, between other operators: each phase has its place in the tensor.
TEST(TransposeConv, BetweenOtherOperators) {
  testing::GraphBuilder b(5);
  const Quantization q = testing::quantized(0.05f, 3);
  const TensorId x = b.input("x", DType::kI8, {1, 6, 5, 8}, q);
  auto weights = [&](Shape shape) {
    return b.constant("w", DType::kI8, shape, testing::per_channel(shape[0], 0, 0.002f));
  };
  const TensorId before = b.activation("before", DType::kI8, {}, q);
  b.op(OpKind::kConv2D, Conv2DParams{}, {x, weights({16, 1, 1, 8})}, {before});
  const TensorId up = b.activation("up", DType::kI8, {}, q);
  TransposeConv2DParams p;
  p.stride_h = p.stride_w = 2;
  p.out_h = 12;
  p.out_w = 10;
  p.padding = kSame;
  b.op(OpKind::kTransposeConv2D, p, {before, weights({12, 3, 3, 16})}, {up});
  const TensorId after = b.activation("after", DType::kI8, {}, q);
  b.op(OpKind::kConv2D, Conv2DParams{}, {up, weights({4, 1, 1, 12})}, {after});
  const Result<Graph> graph = b.finish({after});
  ASSERT_TRUE(graph) << graph.error().message;

  auto output = [&](bool reference) {
    std::vector<KernelDesc> catalog(kernel_catalog().begin(), kernel_catalog().end());
    for (KernelDesc& k : catalog)
      if (reference && k.cls != KernelClass::kReference) k.isa = IsaSet::from_bits(~uint64_t{0});
    ModelOptions options;
    options.catalog = catalog;
    options.target.isa = host_cpu().isa & built_isa();
    auto session = *Session::create(*Model::create(*graph, options));
    testing::GraphBuilder(99).fill(DType::kI8, session->input_data(0));
    EXPECT_TRUE(session->run());
    return Bytes(session->output_data(0).begin(), session->output_data(0).end());
  };
  EXPECT_EQ(output(false), output(true));
}

}  // namespace
}  // namespace pj
