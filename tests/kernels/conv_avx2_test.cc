// What only the convolutions on quads (kernels/conv/quads.h) have: blocks of pixels across rows,
// scratch of a fixed size, sums of 16 bits, and an output stage that leans on the saturation of
// instructions. Their rows are compared with the reference in catalog_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/conv/quad_rows.h"
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

// How weights and activations are chosen.
enum class WeightKind {
  kAny,
  kSmall,     // weights that mostly fit together
  kExtremes,  // nothing but the ends of the range and, of weights, one or two from them
};

struct Zeros {
  int32_t input = 0, weights = 0;  // zero points
};

// Everything is computed twice: by the kernel, as one tile, and as packing.h defines it.
template <typename X>
void check(const std::string& name, const Case& c, WeightKind kind = WeightKind::kAny,
           Zeros zeros = {0, std::is_unsigned_v<X> ? 131 : 0}) {
  SCOPED_TRACE(name + " " + std::to_string(c.channels) + " -> " + std::to_string(c.outputs) + " " +
               std::to_string(static_cast<int>(kind)) + " zero points " +
               std::to_string(zeros.input) + ", " + std::to_string(zeros.weights));
  const auto id = find_kernel(kernel_catalog(), name);
  ASSERT_TRUE(id);
  const KernelDesc& desc = kernel_catalog()[static_cast<size_t>(*id)];
  if (!(host_cpu().isa & built_isa()).includes(desc.isa)) GTEST_SKIP() << "no AVX2";

  const int32_t height = c.rows + c.kernel - 1, width = c.cols + c.kernel - 1;
  const int32_t k = c.kernel * c.kernel * c.channels;
  std::mt19937 random(7);
  using Limits = std::numeric_limits<X>;
  auto draw = [&](int32_t inside) {
    const int32_t end = static_cast<int32_t>(random() % static_cast<uint32_t>(inside + 1));
    if (random() % 2 == 0) return static_cast<X>(Limits::min() + end);
    return static_cast<X>(Limits::max() - end);
  };
  auto weight = [&] {
    const auto any = static_cast<X>(random());
    if (kind == WeightKind::kExtremes) return draw(2);
    if (kind == WeightKind::kAny || random() % 16 == 0) return any;
    return static_cast<X>(zeros.weights + static_cast<int8_t>(any) / 3);
  };
  std::vector<X> x(static_cast<size_t>(height * width * c.channels));
  for (X& v : x) v = kind == WeightKind::kAny ? static_cast<X>(random()) : draw(0);
  std::vector<X> w(static_cast<size_t>(k * c.outputs));
  for (X& v : w) v = weight();
  const int32_t zw = zeros.weights;
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
  spec.input_zero_point = zeros.input;
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
  const auto scratch_bytes = static_cast<size_t>(QuadRows(p).total_bytes());
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
      sum += (x[static_cast<size_t>(at)] - zeros.input) * (w[static_cast<size_t>(o * k + j)] - zw);
    }
    ASSERT_EQ(y[static_cast<size_t>(i)], requantize(sum, c.scale, p.stage))
        << "row " << row << " column " << col << " channel " << o << " sum " << sum;
  }
}

TEST(QuadConv, MatchesTheDefinition) {
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
    check<int8_t>("qs8_conv_6x16c4_avx2", c);
    check<uint8_t>("qu8_conv_6x16c4_avx2", c);
  }
}

// No sum of 16 bits may saturate, whatever meets: the ends of both ranges, and weights of which
// few, some or all can be paired.
TEST(QuadConv, SumsOf16BitsNeverSaturate) {
  for (const WeightKind kind : {WeightKind::kAny, WeightKind::kSmall, WeightKind::kExtremes}) {
    for (const int32_t channels : {1, 4, 15, 16, 31, 64, 200}) {
      const Case c = {1, 7, channels, 1, 24, 2e-4f, 3, Activation::kNone};
      for (const int32_t end : {-128, 0, 127}) {
        check<int8_t>("qs8_conv_6x16c4_avx2", c, kind, {end, 0});
        check<int8_t>("qs8_conv_6x16c4_avx2", c, kind, {0, end});
      }
      for (const int32_t end : {0, 1, 127, 128, 255}) {
        check<uint8_t>("qu8_conv_6x16c4_avx2", c, kind, {end, 128});
        check<uint8_t>("qu8_conv_6x16c4_avx2", c, kind, {7, end});
      }
    }
  }
}

}  // namespace
}  // namespace pj
