// What only the widened convolutions (kernels/conv/widened.h) have: blocks of pixels across rows,
// scratch of a fixed size, and an output stage that leans on the saturation of instructions. Their
// rows are compared with the reference in catalog_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/conv/widened_rows.h"
#include "kernels/packing/packing.h"
#include "kernels/registry.h"
#include "runtime/base/aligned.h"
#include "runtime/base/cpu.h"

namespace pj {
namespace {

// A window of `kernel` x `kernel` pixels without padding over rows x cols output pixels.
struct Case {
  int32_t rows, cols, channels, kernel, outputs;
  float scale;
  int32_t zero_point;
  Activation activation;
};

// Everything is computed twice: by the kernel, as one tile, and as packing.h defines it.
template <typename X>
void check(const std::string& name, const Case& c) {
  SCOPED_TRACE(name + " " + std::to_string(c.channels) + " -> " + std::to_string(c.outputs));
  const auto id = find_kernel(kernel_catalog(), name);
  ASSERT_TRUE(id);
  const KernelDesc& desc = kernel_catalog()[static_cast<size_t>(*id)];
  if (!(host_cpu().isa & built_isa()).includes(desc.isa)) GTEST_SKIP() << "no AVX2";

  const int32_t height = c.rows + c.kernel - 1, width = c.cols + c.kernel - 1;
  const int32_t k = c.kernel * c.kernel * c.channels;
  std::mt19937 random(7);
  auto fill = [&](size_t count) {
    std::vector<X> values(count);
    for (X& v : values) v = static_cast<X>(random());
    return values;
  };
  const std::vector<X> x = fill(static_cast<size_t>(height * width * c.channels));
  const std::vector<X> w = fill(static_cast<size_t>(k * c.outputs));
  const int32_t zw = desc.weights == DType::kU8 ? 131 : 0;
  const std::vector<float> scales(static_cast<size_t>(c.outputs), c.scale);

  PackSpec spec;
  spec.packing = desc.packing;
  spec.input = desc.input;
  spec.weights = desc.weights;
  spec.nr = desc.nr;
  spec.kr = desc.kr;
  spec.in_channels = k;
  spec.out_channels = c.outputs;
  spec.pad_channels = c.channels;
  spec.weights_zero_point = zw;
  spec.out_stride = k;
  AlignedBuffer packed(static_cast<size_t>(spec.total_bytes()));
  std::memset(packed.data(), 0, packed.size());
  pack_weights(spec, reinterpret_cast<const std::byte*>(w.data()), nullptr, false, scales,
               {packed.data(), packed.size()});

  ConvKernelParams p;
  p.kernel_h = p.kernel_w = c.kernel;
  p.in_width = width;
  p.in_channels = c.channels;
  p.out_channels = c.outputs;
  p.in_col_bytes = c.channels;
  p.out_col_bytes = c.outputs;
  p.out_row_bytes = c.cols * c.outputs;
  p.panel_bytes = spec.panel_bytes();
  p.stage = make_output_stage(desc.output, 1.0f, c.zero_point, c.activation);
  p.weights_zero_point = signed_zero_point(desc.weights, zw);

  constexpr size_t kGuard = 64;
  const auto scratch_bytes = static_cast<size_t>(WidenedRows(p).total_bytes());
  AlignedBuffer scratch(scratch_bytes + kGuard);
  std::memset(scratch.data(), 0xA5, scratch.size());
  std::vector<X> y(static_cast<size_t>(c.rows * c.cols * c.outputs) + kGuard, X{0x5A});
  std::vector<const std::byte*> rows;
  for (int32_t row = 0; row < height; ++row)
    rows.push_back(reinterpret_cast<const std::byte*>(x.data()) + row * width * c.channels);
  const std::byte* in[] = {nullptr, packed.data() + spec.pad_bytes(), packed.data()};
  std::byte* out[] = {reinterpret_cast<std::byte*>(y.data())};
  kernel_function (*id)(
      {{0, 0, 0, 0}, {1, c.rows, c.cols, c.outputs}, in, out, rows.data(), scratch.data(), &p});

  for (size_t i = 0; i < kGuard; ++i) {
    ASSERT_EQ(scratch.data()[scratch_bytes + i], std::byte{0xA5});
    ASSERT_EQ(y[y.size() - 1 - i], X{0x5A});
  }
  for (int32_t i = 0; i < c.rows * c.cols * c.outputs; ++i) {
    const int32_t o = i % c.outputs, col = i / c.outputs % c.cols, row = i / c.outputs / c.cols;
    int32_t sum = 0;
    for (int32_t j = 0; j < k; ++j) {
      const int32_t run = c.kernel * c.channels;
      const int32_t at = ((row + j / run) * width + col) * c.channels + j % run;
      sum += x[static_cast<size_t>(at)] * (w[static_cast<size_t>(o * k + j)] - zw);
    }
    ASSERT_EQ(y[static_cast<size_t>(i)], requantize(sum, c.scale, p.stage))
        << "row " << row << " column " << col << " channel " << o << " sum " << sum;
  }
}

TEST(WidenedConv, MatchesTheDefinition) {
  const Case cases[] = {
      // Blocks that begin and end inside rows; every number of pixels and channels left over.
      {29, 7, 16, 1, 16, 1e-3f, 5, Activation::kNone},
      {29, 7, 24, 1, 8, 1e-3f, 5, Activation::kRelu},
      {13, 17, 1, 3, 17, 1e-2f, -3, Activation::kNone},
      {5, 13, 3, 3, 31, 1e-2f, 0, Activation::kRelu6},
      {3, 11, 40, 3, 5, 1e-3f, 9, Activation::kNone},
      // A block of the least size, pixels at a multiple of 512 bytes.
      {1, 19, 1024, 1, 33, 1e-4f, 1, Activation::kNone},
      {2, 3, 300, 3, 9, 1e-4f, 1, Activation::kNone},
      // Products far outside of int32, of both signs, and zero.
      {2, 9, 33, 1, 16, 1e9f, 100, Activation::kNone},
      {2, 9, 33, 1, 16, 3e38f, -100, Activation::kRelu},
      {2, 9, 33, 1, 16, 0.0f, 17, Activation::kNone},
  };
  for (const Case& c : cases) {
    check<int8_t>("qs8_conv_6x16c2_avx2", c);
    check<uint8_t>("qu8_conv_6x16c2_avx2", c);
  }
}

}  // namespace
}  // namespace pj
