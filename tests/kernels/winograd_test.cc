// Winograd's convolutions: their error against 64 bits and its bound
// (kernels/conv/winograd_shape.h), tiles of any size anywhere in the image, and what infinities
// become.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/conv/winograd_shape.h"
#include "kernels/packing/packing.h"
#include "kernels/registry.h"
#include "runtime/base/aligned.h"
#include "runtime/base/cpu.h"

namespace pj {
namespace {

// A layer with a padding of 1 on all sides.
struct WinogradLayer {
  int32_t height, width, in_c, out_c;
  std::vector<float> x, w, bias;  // w: [out_c][3][3][in_c]

  WinogradLayer(int32_t h, int32_t wide, int32_t in, int32_t out, float magnitude)
      : height(h), width(wide), in_c(in), out_c(out) {
    std::mt19937 random(static_cast<uint32_t>(h * 31 + in));
    std::uniform_real_distribution<float> any(-magnitude, magnitude), weight(-1, 1);
    auto fill = [&](std::vector<float>& values, int32_t count, auto& distribution) {
      for (int32_t i = 0; i < count; ++i) values.push_back(distribution(random));
    };
    fill(x, height * width * in_c, any);
    fill(w, out_c * 9 * in_c, weight);
    fill(bias, out_c, any);
  }

  double input(int32_t row, int32_t col, int32_t k) const {
    if (row < 0 || row >= height || col < 0 || col >= width) return 0;
    return x[static_cast<size_t>((row * width + col) * in_c + k)];
  }
  double weight(int32_t n, int32_t tap, int32_t k) const {
    return w[static_cast<size_t>((n * 9 + tap) * in_c + k)];
  }
};

// A tile of the output.
struct WinogradBox {
  int32_t row, col, rows, cols;
};

class Winograd : public ::testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < kernel_catalog().size(); ++i) {
      const KernelDesc& k = kernel_catalog()[i];
      if (k.packing == PackingId::kConvWinograd && (host_cpu().isa & built_isa()).includes(k.isa))
        id_ = static_cast<KernelId>(i);
    }
    if (id_ < 0) GTEST_SKIP() << "no level of this CPU has such a kernel";
  }

  // The whole output, where only `box` is computed; the rest is NaN.
  std::vector<float> run(const WinogradLayer& l, const WinogradBox& box) const {
    const KernelDesc& k = kernel_catalog()[static_cast<size_t>(id_)];
    PackSpec spec;
    spec.packing = k.packing;
    spec.nr = k.nr;
    spec.kr = k.kr;
    spec.taps = 9;
    spec.in_channels = spec.pad_channels = l.in_c;
    spec.out_channels = l.out_c;
    spec.tap_stride = l.in_c;
    spec.out_stride = 9 * l.in_c;
    AlignedBuffer packed(static_cast<size_t>(spec.total_bytes()));
    std::memset(packed.data(), 0, packed.size());
    pack_weights(spec, reinterpret_cast<const std::byte*>(l.w.data()),
                 reinterpret_cast<const std::byte*>(l.bias.data()), false, {},
                 {packed.data(), packed.size()});
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ConvKernelParams p;
    p.kernel_h = p.kernel_w = 3;
    p.pad_left = 1;
    p.in_width = l.width;
    p.in_channels = l.in_c;
    p.out_channels = l.out_c;
    p.in_col_bytes = l.in_c * 4;
    p.out_col_bytes = l.out_c * 4;
    p.out_row_bytes = l.width * p.out_col_bytes;
    p.panel_bytes = spec.panel_bytes();
    p.low = -kInfinity;
    p.high = kInfinity;
    std::vector<const std::byte*> rows;
    for (int32_t row = box.row - 1; row <= box.row + box.rows; ++row) {
      const bool inside = row >= 0 && row < l.height;
      rows.push_back(inside ? reinterpret_cast<const std::byte*>(l.x.data()) +
                                  row * l.width * p.in_col_bytes
                            : nullptr);
    }
    const WinogradScratch scratch(winograd_blocks(l.in_c), l.in_c, k.nr);
    AlignedBuffer memory(static_cast<size_t>(scratch.total));
    std::vector<float> y(static_cast<size_t>(l.height * l.width * l.out_c), std::nanf(""));
    const std::byte* in[] = {nullptr, packed.data() + spec.pad_bytes(), packed.data(), nullptr};
    std::byte* out[] = {reinterpret_cast<std::byte*>(y.data()) + box.row * p.out_row_bytes +
                        box.col * p.out_col_bytes};
    kernel_function(id_)({{0, box.row, box.col, 0},
                          {1, box.rows, box.cols, l.out_c},
                          in,
                          out,
                          rows.data(),
                          memory.data(),
                          &p});
    return y;
  }

  KernelId id_ = -1;
};

// What the formula gives for output (row, col, n) with the magnitudes of all its numbers.
double winograd_magnitude(const WinogradLayer& l, int32_t row, int32_t col, int32_t n) {
  constexpr double kG[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, .5, .5}, {0, 0, 1}};
  constexpr double kB[4][4] = {{1, 0, 1, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 1, 0, 1}};
  constexpr double kA[2][4] = {{1, 1, 1, 0}, {0, 1, 1, 1}};
  double sum = std::fabs(l.bias[static_cast<size_t>(n)]);
  for (int32_t k = 0; k < l.in_c; ++k) {
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        double u = 0, v = 0;
        for (int a = 0; a < 3; ++a)
          for (int b = 0; b < 3; ++b)
            u += kG[i][a] * kG[j][b] * std::fabs(l.weight(n, 3 * a + b, k));
        for (int a = 0; a < 4; ++a)
          for (int b = 0; b < 4; ++b)
            v += kB[i][a] * kB[j][b] *
                 std::fabs(l.input(row / 2 * 2 - 1 + a, col / 2 * 2 - 1 + b, k));
        sum += kA[row % 2][i] * kA[col % 2][j] * u * v;
      }
    }
  }
  return sum;
}

double direct_convolution(const WinogradLayer& l, int32_t row, int32_t col, int32_t n) {
  double sum = l.bias[static_cast<size_t>(n)];
  for (int32_t tap = 0; tap < 9; ++tap)
    for (int32_t k = 0; k < l.in_c; ++k)
      sum += l.input(row - 1 + tap / 3, col - 1 + tap % 3, k) * l.weight(n, tap, k);
  return sum;
}

TEST_F(Winograd, StaysWithinItsBound) {
  for (const float magnitude : {1.0f, 1e-30f, 1e30f}) {
    for (const auto& [height, width, in_c, out_c] :
         std::vector<std::array<int32_t, 4>>{{7, 9, 16, 24}, {3, 53, 24, 8}, {6, 6, 64, 40}}) {
      const WinogradLayer l(height, width, in_c, out_c, magnitude);
      const std::vector<float> y = run(l, {0, 0, height, width});
      const double bound = (in_c + 10) * std::ldexp(1, -24);
      for (int32_t i = 0; i < height * width * out_c; i += 7) {
        const int32_t n = i % out_c, col = i / out_c % width, row = i / out_c / width;
        ASSERT_NEAR(y[static_cast<size_t>(i)], direct_convolution(l, row, col, n),
                    bound * winograd_magnitude(l, row, col, n))
            << row << ", " << col << ", " << n << " of magnitude " << magnitude;
      }
    }
  }
}

TEST_F(Winograd, ComputesTilesAndNothingElse) {
  const WinogradLayer l(9, 11, 16, 16, 1);
  for (const WinogradBox& box : std::vector<WinogradBox>{
           {0, 0, 1, 1}, {8, 10, 1, 1}, {1, 1, 2, 3}, {3, 0, 5, 11}, {0, 4, 9, 7}, {2, 5, 4, 2}}) {
    const std::vector<float> y = run(l, box);
    for (int32_t i = 0; i < 9 * 11 * 16; ++i) {
      const int32_t col = i / 16 % 11, row = i / 16 / 11;
      const bool inside =
          row >= box.row && row < box.row + box.rows && col >= box.col && col < box.col + box.cols;
      if (inside) {
        ASSERT_NEAR(y[static_cast<size_t>(i)], direct_convolution(l, row, col, i % 16), 1e-4);
      } else {
        ASSERT_TRUE(std::isnan(y[static_cast<size_t>(i)])) << row << ", " << col;
      }
    }
  }
}

TEST_F(Winograd, ShowsInfinitiesToThoseWhoSeeThem) {
  WinogradLayer l(8, 8, 16, 8, 1);
  for (int32_t at = 0; at < 64; ++at) {
    l.x[static_cast<size_t>(at * 16)] = std::numeric_limits<float>::infinity();
    const std::vector<float> y = run(l, {0, 0, 8, 8});
    for (int32_t pixel = 0; pixel < 64; ++pixel) {
      const bool sees = std::abs(pixel / 8 - at / 8) <= 1 && std::abs(pixel % 8 - at % 8) <= 1;
      EXPECT_EQ(std::isfinite(y[static_cast<size_t>(pixel * 8)]), !sees) << at << ", " << pixel;
    }
    l.x[static_cast<size_t>(at * 16)] = 0;
  }
}

}  // namespace
}  // namespace pj
