// Float convolution of 3 x 3 windows by Winograd's F(2 x 2, 3 x 3) (kernels/conv/winograd_shape.h):
// inputs of a chunk of output blocks are transformed to scratch, multiplied place by place with the
// blocks of kernels/conv/float_block.h, two vectors of channels at a time, and the products
// transformed to outputs.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/conv/float.h"
#include "kernels/conv/winograd_shape.h"

namespace pj {
namespace {

// Panels that are multiplied at once.
inline constexpr int kWinogradPanels = 2 / Floats::kPanelVectors;

// Blocks [row, row + rows) x [col, col + cols) of a tile.
struct WinogradPart {
  int32_t row, col, rows, cols;
};

// B' d B of `channels` channels of one block, whose rows begin at x[i]; place by place to `out`.
PJ_INLINE void winograd_input(const uint8_t* const (&x)[4], int64_t step, int32_t channels,
                              uint8_t* out, int64_t place_bytes) {
  for (int32_t c = 0; c < channels; c += Floats::kLanes) {
    const int64_t at = c * static_cast<int64_t>(sizeof(float));
    auto load = [&](int i, int j) PJ_INLINE_LAMBDA {
      return Floats::load(reinterpret_cast<const float*>(x[i] + j * step + at));
    };
    Floats::Vec t[4][4];
    unrolled<4>([&](auto j) PJ_INLINE_LAMBDA {
      const Floats::Vec d1 = load(1, j), d2 = load(2, j);
      t[0][j] = Floats::subtract(load(0, j), d2);
      t[1][j] = Floats::add(d1, d2);
      t[2][j] = Floats::subtract(d2, d1);
      t[3][j] = Floats::subtract(d1, load(3, j));
    });
    uint8_t* to = out + at;
    auto store = [&](Floats::Vec v) PJ_INLINE_LAMBDA {
      Floats::store(reinterpret_cast<float*>(to), v);
      advance(to, place_bytes);
    };
    unrolled<4>([&](auto i) PJ_INLINE_LAMBDA {
      store(Floats::subtract(t[i][0], t[i][2]));
      store(Floats::add(t[i][1], t[i][2]));
      store(Floats::subtract(t[i][2], t[i][1]));
      store(Floats::subtract(t[i][1], t[i][3]));
    });
  }
}

// The inputs of a part. Of blocks that hang over the sides of the image, or over those of the tile,
// copies are transformed, with zeros outside.
void winograd_inputs(const Tile& t, const ConvKernelParams& p, const WinogradPart& part,
                     uint8_t* block, uint8_t* out, int64_t place_bytes) {
  const int64_t pixel = p.in_channels * static_cast<int64_t>(sizeof(float));
  const int32_t first = t.begin[kCol] - p.pad_left;
  const int32_t rows = t.size[kRow] + 2, cols = t.size[kCol] + 2;  // that windows see
  for (int32_t row = part.row; row < part.row + part.rows; ++row) {
    for (int32_t col = part.col; col < part.col + part.cols; ++col, out += pixel) {
      const uint8_t* x[4];
      const int32_t column = first + 2 * col;
      bool inside = column >= 0 && column + 4 <= p.in_width && 2 * col + 4 <= cols;
      for (int32_t i = 0; i < 4; ++i) {
        const std::byte* from = 2 * row + i < rows ? t.rows[2 * row + i] : nullptr;
        inside = inside && from != nullptr;
        x[i] = reinterpret_cast<const uint8_t*>(from);
      }
      int64_t step = p.in_col_bytes;
      for (int32_t i = 0; i < 4; ++i) {
        if (inside) {
          x[i] += column * step;
          continue;
        }
        for (int32_t j = 0; j < 4; ++j) {
          const bool there =
              x[i] != nullptr && 2 * col + j < cols && column + j >= 0 && column + j < p.in_width;
          uint8_t* to = block + (4 * i + j) * pixel;
          if (there) {
            std::memcpy(to, x[i] + (column + j) * p.in_col_bytes, static_cast<size_t>(pixel));
          } else {
            std::memset(to, 0, static_cast<size_t>(pixel));
          }
        }
        x[i] = block + 4 * i * pixel;
      }
      if (!inside) step = pixel;
      winograd_input(x, step, p.in_channels, out, place_bytes);
    }
  }
}

// A' m A of all blocks of a part: `channels` channels of outputs, from `out` on for block (0, 0) of
// the tile.
void winograd_outputs(const Tile& t, const ConvKernelParams& p, const WinogradPart& part,
                      const uint8_t* m, int64_t place_bytes, int32_t channels, uint8_t* out) {
  const int64_t block_bytes = kWinogradPanels * kFloatPanel * sizeof(float);
  for (int32_t row = part.row; row < part.row + part.rows; ++row) {
    for (int32_t col = part.col; col < part.col + part.cols; ++col, m += block_bytes) {
      uint8_t* const to = out + 2 * row * p.out_row_bytes + 2 * col * p.out_col_bytes;
      const bool below = 2 * row + 1 < t.size[kRow], right = 2 * col + 1 < t.size[kCol];
      for (int32_t c = 0; c < channels; c += Floats::kLanes) {
        const int64_t at = c * static_cast<int64_t>(sizeof(float));
        auto load = [&](int i) PJ_INLINE_LAMBDA {
          return Floats::load(reinterpret_cast<const float*>(m + i * place_bytes + at));
        };
        Floats::Vec s[4], d[4];  // upper and lower sums of each column of places
        unrolled<4>([&](auto j) PJ_INLINE_LAMBDA {
          const Floats::Vec m1 = load(4 + j), m2 = load(8 + j);
          s[j] = Floats::add(Floats::add(load(j), m1), m2);
          d[j] = Floats::subtract(Floats::subtract(m1, m2), load(12 + j));
        });
        auto store = [&](int64_t offset, Floats::Vec v) PJ_INLINE_LAMBDA {
          Floats::store(reinterpret_cast<float*>(to + offset + at), limited(v, p.low, p.high));
        };
        auto store_row = [&](int64_t offset, const Floats::Vec(&v)[4]) PJ_INLINE_LAMBDA {
          store(offset, Floats::add(Floats::add(v[0], v[1]), v[2]));
          if (right)
            store(offset + p.out_col_bytes, Floats::subtract(Floats::subtract(v[1], v[2]), v[3]));
        };
        store_row(0, s);
        if (below) store_row(p.out_row_bytes, d);
      }
    }
  }
}

template <typename X, typename W, int mr, int nr>
void run_float_winograd(const Tile& t) {
  static_assert(std::is_same_v<X, float> && std::is_same_v<W, float> && nr == kFloatPanel);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  // Parts of about equal width, as many rows of them as there is room for.
  const int32_t rows = (t.size[kRow] + 1) / 2, cols = (t.size[kCol] + 1) / 2;
  const int32_t most = winograd_blocks(p.in_channels), pieces = (cols + most - 1) / most;
  const int32_t part_cols = (cols + pieces - 1) / pieces, part_rows = most / part_cols;
  const WinogradScratch scratch(most, p.in_channels, nr);
  auto* const inputs = reinterpret_cast<uint8_t*>(t.scratch);
  uint8_t* const products = inputs + scratch.products_at;
  const FloatTile f{.kernel_h = 1,
                    .segments = 1,
                    .count = p.in_channels,
                    .row_step = 0,
                    .segment_step = 0,
                    .pixel_step = p.in_channels * static_cast<int64_t>(sizeof(float)),
                    .panel_bytes = p.panel_bytes,
                    .out_step = kWinogradPanels * nr * sizeof(float),
                    .limits = Limits(-kInfinity, kInfinity)};
  const FloatEpilogue epilogue(t);
  WinogradPart part{};
  for (part.row = 0; part.row < rows; part.row += part_rows) {
    part.rows = rows - part.row < part_rows ? rows - part.row : part_rows;
    for (part.col = 0; part.col < cols; part.col += part_cols) {
      part.cols = cols - part.col < part_cols ? cols - part.col : part_cols;
      winograd_inputs(t, p, part, inputs + scratch.block_at, inputs, scratch.inputs);
      const auto* panel = reinterpret_cast<const uint8_t*>(t.in[1]);
      constexpr int32_t kMost = kWinogradPanels * nr;
      for (int32_t c = 0; c < t.size[kChannel]; c += kMost) {
        const int32_t left = t.size[kChannel] - c;
        FloatRow r{};
        r.channels = left < kMost ? nr : kMost;
        RowCut<FloatBlocksFn> cut;
        cut_row(0, part.rows * part.cols, float_sizes<float>(r.channels / nr, p.in_order != 0),
                cut);
        for (int32_t place = 0; place < kWinogradPlaces; ++place) {
          const uint8_t* x = inputs + place * scratch.inputs;
          r.rows = &x;
          r.panel = panel + place * winograd_place_bytes(p.in_channels, nr);
          r.out = products + place * scratch.products;
          for (int32_t i = 0; i < cut.count; ++i)
            cut.runs[i].blocks(f, r, cut.runs[i].col, cut.runs[i].count);
        }
        auto* out = reinterpret_cast<uint8_t*>(t.out[0]) + c * static_cast<int64_t>(sizeof(float));
        winograd_outputs(t, p, part, products, scratch.products, r.channels, out);
        panel += kWinogradPanels * p.panel_bytes;
      }
      if (!epilogue.present()) continue;
      const int32_t right = t.size[kCol] - 2 * part.col, below = t.size[kRow] - 2 * part.row;
      epilogue.finish(reinterpret_cast<uint8_t*>(t.out[0]) + 2 * part.row * p.out_row_bytes +
                          2 * part.col * p.out_col_bytes,
                      below < 2 * part.rows ? below : 2 * part.rows,
                      right < 2 * part.cols ? right : 2 * part.cols, 0, t.size[kChannel]);
    }
  }
}

}  // namespace
}  // namespace pj
