#include "runtime/plan/access.h"

#include <cstring>

#include "kernels/conv/conv.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/conv/segments.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/move/move.h"
#include "kernels/packing/packing.h"
#include "kernels/reduce/reduce.h"

namespace pj {
namespace {

template <typename P>
P params_of(const LoopNest& nest) {
  P p;
  std::memcpy(&p, nest.params.data(), sizeof(p));
  return p;
}

// What the kernels of convolutions share.
struct ConvAccess {
  const Access& a;
  CacheModel& caches;
  const ConvKernelParams p;
  const KernelDesc& k;
  const int64_t x_size = static_cast<int64_t>(size_of(k.input)),
                w_size = static_cast<int64_t>(size_of(k.weights));

  ConvAccess(const Access& access, CacheModel& c)
      : a(access), caches(c), p(params_of<ConvKernelParams>(*a.nest)), k(*a.kernel) {}

  int32_t rows() const { return a.tile.size[kRow]; }
  int32_t cols() const { return a.tile.size[kCol]; }
  int32_t channels() const { return a.tile.size[kChannel]; }
  int64_t header_bytes() const { return k.nr * (is_float(k.input) ? 4 : 8); }
  uint64_t panel(int32_t channel) const {
    return a.in[1] + static_cast<uint64_t>(channel / k.nr * p.panel_bytes);
  }
  // Where the weights of a panel are read from, after their f16 are widened to scratch.
  uint64_t widened(int32_t channel, int64_t elements) {
    const uint64_t weights = panel(channel) + static_cast<uint64_t>(header_bytes());
    if (k.weights != DType::kF16 || k.input == DType::kF16) return weights;
    replay_streams({{weights, elements * 2, false}, {a.scratch, elements * 4, true}}, caches);
    return a.scratch;
  }
  // Bytes of a weight as it is read.
  int64_t read_size() const {
    return k.weights == DType::kF16 && k.input == DType::kF32 ? 4 : w_size;
  }
  // The first input column under output column `col` of the tile.
  int64_t first_column(int32_t col) const {
    return int64_t{a.tile.begin[kCol] + col} * p.stride_w - p.pad_left;
  }
  uint64_t row_under(int32_t row, int32_t ky) const {
    return a.rows[static_cast<size_t>(row * p.stride_h + ky * p.dilation_h)];
  }

  // What a kernel has in memory for each of its register blocks: constants of the output stage,
  // registers that were put aside.
  void touch_stack() {
    constexpr int64_t kRead = 256, kWritten = 64;
    caches.read(a.stack, kRead);
    caches.write(a.stack + kRead, kWritten);
  }
  // `columns` columns of an input row, as far as they exist.
  void read_columns(uint64_t row, int64_t first, int64_t columns, int64_t bytes) {
    const int64_t begin = std::max<int64_t>(first, 0);
    const int64_t end = std::min<int64_t>(first + columns, p.in_width);
    if (row == 0 || end <= begin) return;
    caches.read(row + static_cast<uint64_t>(begin * p.in_col_bytes),
                (end - begin - 1) * p.in_col_bytes + bytes);
  }
  // `pixels` pixels of the output from column `col` of row `row` on, of which an operand that is
  // added is read first.
  void write_pixels(int32_t row, int32_t col, int32_t pixels, int32_t channel, int32_t count) {
    const auto at =
        static_cast<uint64_t>(row * p.out_row_bytes + col * p.out_col_bytes + channel * x_size);
    for (int32_t i = 0; i < pixels; ++i) {
      const uint64_t pixel = at + static_cast<uint64_t>(i * p.out_col_bytes);
      for (size_t in = 3; in < a.in.size(); ++in)
        if (a.in[in] != 0) caches.read(a.in[in] + pixel, count * x_size);
      caches.write(a.out[0] + pixel, count * x_size);
    }
  }
};

// `runs` runs of `bytes` bytes each for every pixel of a register block, times panels of weights:
// a line of each pixel, and the weights that it is multiplied with.
struct RegisterBlock {
  std::vector<uint64_t> pixels;  // 0: a pad pixel
  uint64_t weights;
  int64_t panel_bytes;
  int32_t panels;
  int64_t weights_per_byte;  // bytes of weights of a panel for each byte of a pixel

  // Moves `weights` on.
  void multiply(CacheModel& caches, int64_t bytes) {
    for (int64_t at = 0; at < bytes; at += kLineBytes) {
      const int64_t piece = std::min(kLineBytes, bytes - at);
      for (int32_t i = 0; i < panels; ++i)
        caches.read(weights + static_cast<uint64_t>(i * panel_bytes), piece * weights_per_byte);
      for (const uint64_t pixel : pixels)
        if (pixel != 0) caches.read(pixel + static_cast<uint64_t>(at), piece);
      weights += static_cast<uint64_t>(piece * weights_per_byte);
    }
  }
};

// A block of pixels of kernels/conv/quads.h, from pixel `first` of a run that begins with row
// `row`: their windows go to scratch unless they can be read in place, then all panels pass.
void replay_quad_block(ConvAccess& c, const QuadRows& block, bool in_place, int32_t row,
                       int32_t first, int32_t count) {
  const ConvKernelParams& p = c.p;
  const int64_t run = int64_t{p.kernel_w} * p.in_channels;
  std::vector<uint64_t> pixels;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t col = (first + i) % c.cols(), r = row + (first + i) / c.cols();
    if (in_place) {
      pixels.push_back(c.row_under(r, 0) +
                       static_cast<uint64_t>(c.first_column(col) * p.in_col_bytes));
      continue;
    }
    pixels.push_back(c.a.scratch + static_cast<uint64_t>(i * block.pitch));
    for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
      c.read_columns(c.row_under(r, ky), c.first_column(col), (p.kernel_w - 1) * p.dilation_w + 1,
                     p.in_channels);
      c.caches.write(pixels.back() + static_cast<uint64_t>(ky * run), run);
    }
  }
  const QuadLists lists(block.k);
  const int64_t quads = ceil_div(block.k, 4);
  for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) {
    for (int32_t i = 0; i < count; i += c.k.mr) {
      const int32_t some = std::min<int32_t>(count - i, c.k.mr);
      RegisterBlock b{{}, c.panel(channel), p.panel_bytes, 1, kQuadChannels};
      c.touch_stack();
      c.caches.read(b.weights, lists.weights_at());
      c.caches.read(b.weights + static_cast<uint64_t>(lists.positions_at()), quads * 2);
      b.weights += static_cast<uint64_t>(lists.weights_at());
      b.pixels.assign(pixels.begin() + i, pixels.begin() + i + some);
      b.multiply(c.caches, quads * 4);
      c.write_pixels(row, first + i, some, channel,
                     std::min<int32_t>(c.channels() - channel, c.k.nr));
    }
  }
}

void replay_quads(ConvAccess& c) {
  const QuadRows block(c.p);
  const bool joined = c.p.out_row_bytes == c.cols() * c.p.out_col_bytes;
  const int32_t run = joined ? c.cols() * c.rows() : c.cols();
  const bool in_place = c.k.input == DType::kU8 && block.k % kQuadBlock == 0 &&
                        c.p.kernel_h * c.p.kernel_w * c.p.stride_h * c.p.stride_w == 1 &&
                        c.a.nest->in[0].ring_rows == 0;
  for (int32_t row = 0; row < c.rows(); row += run / c.cols())
    for (int32_t first = 0; first < run; first += block.pixels)
      replay_quad_block(c, block, in_place, row, first, std::min(run - first, block.pixels));
}

// Panels that kernels/conv/vnni.h computes side by side.
int32_t integer_panels(const ConvAccess& c, int32_t cols) {
  if (c.k.mr < 24) return 1;
  return 4 * c.p.panel_bytes > (28 << 10) && cols >= 12 ? 2 : 4;
}
// Likewise kernels/conv/float.h: four for rows that are shorter than their blocks.
int32_t float_panels(const ConvAccess& c, int32_t cols) { return cols <= c.k.mr / 4 ? 4 : 2; }

// kernels/conv/vnni.h and float.h: a few panels side by side, all pixels of the tile for each. Rows
// with padding are copied to scratch first.
void replay_segments(ConvAccess& c) {
  const ConvKernelParams& p = c.p;
  const Segments segments = segments_of(p);
  const bool floats = c.k.input == DType::kF32;
  const int64_t segment_bytes =
      floats ? segments.bytes * c.x_size : int64_t{segments.quads()} * kQuadUnit;
  const SegmentScratch layout = segment_scratch(p, c.rows(), c.cols());
  std::vector<uint64_t> rows = c.a.rows;  // from pixel 0 of the tile on
  uint64_t line = c.a.scratch + static_cast<uint64_t>(layout.lines_at);
  const bool in_place = inside_row(p, c.a.tile.begin[kCol], c.cols());
  for (uint64_t& row : rows) {
    if (in_place && row != 0) {
      row += static_cast<uint64_t>(c.first_column(0) * p.in_col_bytes);
      continue;
    }
    c.read_columns(row, c.first_column(0), layout.line_bytes / std::max<int64_t>(p.in_col_bytes, 1),
                   p.in_channels);
    c.caches.write(line, layout.line_bytes);
    row = line;
    line += static_cast<uint64_t>(layout.line_bytes);
  }
  const bool one_row = p.kernel_h * p.kernel_w * p.stride_h * p.stride_w == 1 &&
                       p.out_row_bytes == c.cols() * p.out_col_bytes &&
                       c.a.nest->in[0].ring_rows == 0;
  const int32_t cols = one_row ? c.cols() * c.rows() : c.cols();
  const int32_t most = floats ? float_panels(c, cols) : integer_panels(c, cols);
  for (int32_t channel = 0; channel < c.channels();) {
    const int32_t left = c.channels() - channel;
    int32_t panels = most;
    while (panels > ceil_div(left, c.k.nr)) panels /= 2;
    const int32_t mr = c.k.mr / panels;
    for (int32_t row = 0; row < (one_row ? 1 : c.rows()); ++row) {
      for (int32_t col = 0; col < cols; col += mr) {
        const int32_t pixels = std::min(mr, cols - col);
        RegisterBlock b{{}, c.panel(channel), p.panel_bytes, panels, c.k.nr * c.w_size / c.x_size};
        c.touch_stack();
        for (int32_t i = 0; i < panels; ++i)
          c.caches.read(b.weights + static_cast<uint64_t>(i * p.panel_bytes), c.header_bytes());
        b.weights += static_cast<uint64_t>(c.header_bytes());
        for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
          for (int32_t s = 0; s < segments.per_row; ++s) {
            const uint64_t start = rows[static_cast<size_t>(row * p.stride_h + ky * p.dilation_h)] +
                                   static_cast<uint64_t>(s * segments.step);
            b.pixels.clear();
            for (int32_t i = 0; i < pixels; ++i)
              b.pixels.push_back(start +
                                 static_cast<uint64_t>((col + i) * p.stride_w * p.in_col_bytes));
            b.multiply(c.caches, segment_bytes);
          }
        }
        c.write_pixels(row, col, pixels, channel, std::min(left, panels * c.k.nr));
      }
    }
    channel += panels * c.k.nr;
  }
}

// kernels/conv/blocked.h: panel by panel, mr pixels of a row at a time.
void replay_panels(ConvAccess& c) {
  const ConvKernelParams& p = c.p;
  const int64_t taps = int64_t{p.kernel_h} * p.kernel_w;
  for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) {
    const uint64_t weights = c.widened(channel, taps * p.in_channels * c.k.nr);
    for (int32_t row = 0; row < c.rows(); ++row) {
      for (int32_t col = 0; col < c.cols(); col += c.k.mr) {
        const int32_t pixels = std::min<int32_t>(c.cols() - col, c.k.mr);
        RegisterBlock b{{}, weights, p.panel_bytes, 1, c.k.nr * c.read_size() / c.x_size};
        c.touch_stack();
        c.caches.read(c.panel(channel), c.header_bytes());
        for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
          const uint64_t in_row = c.row_under(row, ky);
          for (int32_t kx = 0; kx < p.kernel_w; ++kx) {
            b.pixels.clear();
            for (int32_t i = 0; i < pixels; ++i) {
              const int64_t column = c.first_column(col + i) + kx * p.dilation_w;
              const bool inside = in_row != 0 && column >= 0 && column < p.in_width;
              b.pixels.push_back(inside ? in_row + static_cast<uint64_t>(column * p.in_col_bytes)
                                        : c.a.in[2]);
            }
            b.multiply(c.caches, p.in_channels * c.x_size);
          }
        }
        c.write_pixels(row, col, pixels, channel,
                       std::min<int32_t>(c.channels() - channel, c.k.nr));
      }
    }
  }
}

// kernels/depthwise/blocked.h: panel by panel, pixel by pixel.
void replay_depthwise(ConvAccess& c) {
  const ConvKernelParams& p = c.p;
  const int64_t multiplier = p.out_channels / p.in_channels;
  const int64_t weights = int64_t{p.kernel_h} * p.kernel_w * c.k.nr;
  for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) {
    const int32_t count = std::min<int32_t>(c.channels() - channel, c.k.nr);
    const auto from = static_cast<uint64_t>(channel / multiplier * c.x_size);
    const uint64_t at = c.widened(channel, weights);
    for (int32_t row = 0; row < c.rows(); ++row) {
      for (int32_t col = 0; col < c.cols(); ++col) {
        c.touch_stack();
        c.caches.read(c.panel(channel), c.header_bytes());
        c.caches.read(at, weights * c.read_size());
        for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
          const uint64_t in_row = c.row_under(row, ky);
          for (int32_t kx = 0; in_row != 0 && kx < p.kernel_w; ++kx)
            c.read_columns(in_row + from, c.first_column(col) + kx * p.dilation_w, 1,
                           count / multiplier * c.x_size);
        }
        c.write_pixels(row, col, 1, channel, count);
      }
    }
  }
}

// Windows that slide along a row (kernels/depthwise/float_slide.h).
bool slides(const ConvKernelParams& p) {
  const bool square = p.kernel_h == p.kernel_w && p.stride_h == p.stride_w;
  return square && (p.kernel_w == 3 || p.kernel_w == 5) &&
         (p.stride_w == 1 || (p.stride_w == 2 && p.dilation_w == 1));
}

// One panel, whose weights are in registers, or on the stack if these are too few: a column of the
// input is read once for all outputs of the row.
void replay_slide(ConvAccess& c, int32_t channel) {
  const ConvKernelParams& p = c.p;
  const int32_t count = std::min<int32_t>(c.channels() - channel, c.k.nr);
  c.caches.read(c.panel(channel), p.panel_bytes);
  for (int32_t row = 0; row < c.rows(); ++row) {
    for (int32_t col = 0; col < c.cols(); ++col) {
      if (col == 0 || p.kernel_w > 3) c.touch_stack();
      const int32_t first = col < p.dilation_w ? 0 : p.kernel_w - p.stride_w;
      for (int32_t kx = first; kx < p.kernel_w; ++kx) {
        for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
          const uint64_t in_row = c.row_under(row, ky);
          if (in_row != 0)
            c.read_columns(in_row + static_cast<uint64_t>(channel * c.x_size),
                           c.first_column(col) + kx * p.dilation_w, 1, count * c.x_size);
        }
      }
      c.write_pixels(row, col, 1, channel, count);
    }
  }
}

// kernels/depthwise/float.h: of small windows panel by panel; of others all channels of mr pixels
// of a row, tap by tap.
void replay_float_depthwise(ConvAccess& c) {
  const ConvKernelParams& p = c.p;
  if (slides(p)) {
    for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) replay_slide(c, channel);
    return;
  }
  for (int32_t row = 0; row < c.rows(); ++row) {
    for (int32_t col = 0; col < c.cols(); col += c.k.mr) {
      const int32_t pixels = std::min<int32_t>(c.cols() - col, c.k.mr);
      c.touch_stack();
      for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) {
        const int32_t count = std::min<int32_t>(c.channels() - channel, c.k.nr);
        c.caches.read(c.panel(channel), p.panel_bytes);
        for (int32_t tap = 0; tap < p.kernel_h * p.kernel_w; ++tap) {
          const uint64_t in_row = c.row_under(row, tap / p.kernel_w);
          for (int32_t i = 0; in_row != 0 && i < pixels; ++i)
            c.read_columns(in_row + static_cast<uint64_t>(channel * c.x_size),
                           c.first_column(col + i) + tap % p.kernel_w * p.dilation_w, 1,
                           count * c.x_size);
        }
        c.write_pixels(row, col, pixels, channel, count);
      }
    }
  }
}

// One panel, `rows` rows and a block of columns of kernels/depthwise/dot.h: four rows at a time go
// to strips in scratch, which every pixel reads.
void replay_dot_block(ConvAccess& c, int32_t channel, int32_t row, int32_t rows, int32_t col,
                      int32_t count) {
  const ConvKernelParams& p = c.p;
  const int32_t shifts = dot_shifts(p), groups = dot_groups(p.kernel_h, shifts);
  const int64_t vector = c.k.nr * kGroupRows / c.k.kr, quad = vector * kGroupRows;
  const int32_t channels = std::min<int32_t>(c.channels() - channel, c.k.nr);
  const int64_t strip = dot_steps(p, static_cast<int32_t>(vector)) * quad;
  const uint64_t strips = c.a.scratch + static_cast<uint64_t>(dot_table_bytes(p));
  const int64_t multiplier = p.out_channels / p.in_channels;
  const auto from = static_cast<uint64_t>(multiplier > 1 ? 0 : channel * c.x_size);
  const int64_t bytes = multiplier > 1 ? p.in_channels * c.x_size : channels * c.x_size;
  for (int32_t g = 0; g < groups; ++g) {
    for (int32_t phase = 0; phase < p.stride_w; ++phase) {
      const uint64_t to = strips + static_cast<uint64_t>((g * p.stride_w + phase) * strip);
      for (int32_t i = 0; i < count + dot_reach(p); ++i) {
        for (int32_t r = g * kGroupRows; r < (g + 1) * kGroupRows; ++r) {
          if (r >= p.kernel_h + rows - 1) continue;
          const uint64_t in_row = c.row_under(row, r);
          if (in_row != 0) c.read_columns(in_row + from, c.first_column(col + i) + phase, 1, bytes);
        }
        c.caches.write(to + static_cast<uint64_t>(i * quad), quad);
      }
    }
  }
  const int32_t pixels = std::max(1, c.k.mr / rows);
  for (int32_t i = 0; i < count; i += pixels) {
    const int32_t some = std::min(pixels, count - i);
    c.touch_stack();
    for (int32_t s = 0; s < groups * p.stride_w; ++s)
      c.caches.read(strips + static_cast<uint64_t>(s * strip + i * quad),
                    (some + dot_reach(p)) * quad);
    c.caches.read(c.panel(channel), p.panel_bytes);
    for (int32_t r = 0; r < rows; ++r) c.write_pixels(row + r, col + i, some, channel, channels);
  }
}

void replay_dot(ConvAccess& c) {
  const int32_t shifts = dot_shifts(c.p);
  const int32_t block =
      std::min(c.cols(), dot_steps(c.p, c.k.nr * kGroupRows / c.k.kr) - dot_reach(c.p));
  for (int32_t channel = 0; channel < c.channels(); channel += c.k.nr) {
    for (int32_t row = 0; row < c.rows(); row += shifts) {
      const int32_t rows = c.rows() - row < shifts ? 1 : shifts;
      for (int32_t col = 0; col < c.cols(); col += block)
        replay_dot_block(c, channel, row, rows, col, std::min(block, c.cols() - col));
    }
  }
}

// Some panels, a step of rows and a block of columns of kernels/depthwise/row_pairs.h: rows that
// are new go to the rings of all panels, which every pixel reads.
void replay_pair_step(ConvAccess& c, int32_t channel, int32_t row, int32_t rows, int32_t col,
                      int32_t count) {
  const ConvKernelParams& p = c.p;
  const int32_t pairs = row_pairs(p.kernel_h), first = row * p.stride_h / 2;
  const int32_t filled = row == 0 ? 0 : (row - (p.stride_h == 1 ? 2 : 1)) * p.stride_h / 2 + pairs;
  const auto have = static_cast<int32_t>(c.a.rows.size());
  const int32_t together = std::min(c.channels() - channel, pair_panels(p) * kPairChannels);
  for (int32_t from = channel; from < channel + together; from += kPairChannels) {
    const int32_t some = std::min(channel + together - from, kPairChannels);
    const uint64_t ring =
        c.a.scratch + static_cast<uint64_t>((from - channel) / kPairChannels * pair_ring_bytes(p));
    auto slot = [&](int32_t pair) {
      return ring + static_cast<uint64_t>(pair % pairs * pair_slot_bytes(p));
    };
    for (int32_t pair = std::max(filled, first); pair < first + pairs; ++pair) {
      for (int32_t i = 0; i < pair_columns(p, count); ++i) {
        for (int32_t r = 2 * pair; r < std::min(2 * pair + 2, have); ++r) {
          const uint64_t in_row = c.a.rows[static_cast<size_t>(r)];
          if (in_row != 0)
            c.read_columns(in_row + static_cast<uint64_t>(from), c.first_column(col) + i, 1, some);
        }
        c.caches.write(slot(pair) + static_cast<uint64_t>(i * kPairColumn), kPairColumn);
      }
    }
    for (int32_t i = 0; i < count; i += kPairPixels) {
      const int32_t pixels = std::min(kPairPixels, count - i);
      c.touch_stack();
      c.caches.read(c.panel(from), p.panel_bytes);
      for (int32_t pair = first; pair < first + pairs; ++pair)
        c.caches.read(slot(pair) + static_cast<uint64_t>(i * p.stride_w * kPairColumn),
                      int64_t{pair_columns(p, pixels)} * kPairColumn);
      for (int32_t r = 0; r < rows; ++r) c.write_pixels(row + r, col + i, pixels, from, some);
    }
  }
}

void replay_row_pairs(ConvAccess& c) {
  const int32_t most = pair_block(c.p), blocks = static_cast<int32_t>(ceil_div(c.cols(), most));
  const auto block =
      static_cast<int32_t>(ceil_div(ceil_div(c.cols(), blocks), kPairPixels) * kPairPixels);
  const int32_t step = c.p.stride_h == 1 ? 2 : 1;
  for (int32_t channel = 0; channel < c.channels(); channel += pair_panels(c.p) * kPairChannels)
    for (int32_t col = 0; col < c.cols(); col += block)
      for (int32_t row = 0; row < c.rows(); row += step)
        replay_pair_step(c, channel, row, std::min(step, c.rows() - row), col,
                         std::min(block, c.cols() - col));
}

// The bytes of an operand that a tile touches, as one piece for each image and row; several images
// or rows that the operand does not tell apart are one.
std::vector<Stream> pieces_of(const LoopNest& n, const Operand& o, uint64_t at, const Box& tile,
                              bool write) {
  int64_t span = 0;  // from the first to past the last byte of a row
  for (const Dim d : {kCol, kChannel}) span += (tile.size[d] - 1) * std::abs(o.stride[d]);
  const int64_t element = o.stride[kChannel] != 0 ? o.stride[kChannel] : o.stride[kCol];
  const bool by_rows = tile.size[kRow] > 1 || n.extent[kRow] > 1;
  if (element == 0 && span == 0) {
    // The kernel walks a row, or the operand, by itself.
    if (by_rows && o.stride[kRow] != 0) {
      span = o.stride[kRow];
    } else if (o.stride[kBatch] != 0) {
      span = o.stride[kBatch];
    } else {
      span = o.bytes;
    }
    if (by_rows && o.stride[kRow] == 0 && n.extent[kRow] > 1) {
      // Rows of the output in proportion to those of the input: resizing.
      const int64_t begin = span * tile.begin[kRow] / n.extent[kRow];
      const int64_t end = span * (tile.begin[kRow] + tile.size[kRow]) / n.extent[kRow];
      return {{at + static_cast<uint64_t>(begin), end - begin, write}};
    }
  } else {
    span += std::max<int64_t>(element, 1);
  }
  std::vector<Stream> pieces;
  for (int32_t b = 0; b < (o.stride[kBatch] != 0 ? tile.size[kBatch] : 1); ++b)
    for (int32_t r = 0; r < (o.stride[kRow] != 0 ? tile.size[kRow] : 1); ++r)
      pieces.push_back(
          {at + static_cast<uint64_t>(b * o.stride[kBatch] + r * o.stride[kRow]), span, write});
  return pieces;
}

// Rows that a kernel reads one after the other for each element of its result.
void replay_reduce(const Access& a, CacheModel& caches) {
  const auto p = params_of<ReduceKernelParams>(*a.nest);
  const auto size = static_cast<int64_t>(size_of(a.kernel->input));
  for (int32_t r = 0; r < a.tile.size[kRow]; ++r) {
    const uint64_t in = a.in[0] + static_cast<uint64_t>(r * a.nest->in[0].stride[kRow]);
    for (int64_t i = 0; i < p.count; ++i)
      caches.read(in + static_cast<uint64_t>(i * p.inner * size), a.tile.size[kChannel] * size);
    caches.write(a.out[0] + static_cast<uint64_t>(r * a.nest->out[0].stride[kRow]),
                 a.tile.size[kChannel] * size);
  }
}

// kernels/move/transpose.h: in blocks whose lines are used whole.
void replay_transpose(const Access& a, CacheModel& caches) {
  constexpr int64_t kBlock = 16;
  const auto p = params_of<TransposeKernelParams>(*a.nest);
  const auto size = static_cast<int64_t>(size_of(a.kernel->input));
  int64_t count[kDimCount], x_step[kDimCount], y_step[kDimCount];
  for (int d = 0; d < kDimCount; ++d) {
    count[d] = a.tile.size[d];
    x_step[d] = p.in[d] * size;
    y_step[d] = p.out[d] * size;
  }
  int matrix = kChannel;  // the dimension that is contiguous in the input
  for (int d = 0; d < kChannel; ++d)
    if (p.in[d] == 1 && count[d] > 1) matrix = d;
  const int64_t rows = matrix == kChannel ? 1 : count[matrix], cols = count[kChannel];
  if (matrix != kChannel) count[matrix] = 1;
  const int64_t outer = count[kBatch] * count[kRow] * count[kCol];
  for (int64_t o = 0; o < outer; ++o) {
    const int64_t at[] = {o / count[kCol] / count[kRow], o / count[kCol] % count[kRow],
                          o % count[kCol]};
    uint64_t x = a.in[0], y = a.out[0];
    for (int d = 0; d < kChannel; ++d) {
      x += static_cast<uint64_t>(at[d] * x_step[d]);
      y += static_cast<uint64_t>(at[d] * y_step[d]);
    }
    if (matrix == kChannel && p.in[kChannel] == 1) {
      replay_streams({{x, cols * size, false}, {y, cols * size, true}}, caches);
      continue;
    }
    for (int64_t i = 0; i < rows; i += kBlock) {
      for (int64_t k = 0; k < cols; k += kBlock) {
        const int64_t r = std::min(kBlock, rows - i), c = std::min(kBlock, cols - k);
        for (int64_t line = k; line < k + c; ++line)
          caches.read(x + static_cast<uint64_t>(i * size + line * x_step[kChannel]), r * size);
        for (int64_t line = i; line < i + r; ++line)
          caches.write(y + static_cast<uint64_t>(line * y_step[matrix] + k * size), c * size);
      }
    }
  }
}

void replay_operands(const Access& a, CacheModel& caches) {
  const LoopNest& n = *a.nest;
  std::vector<std::vector<Stream>> operands;
  size_t longest = 0;
  auto add = [&](std::vector<Stream> pieces) {
    longest = std::max(longest, pieces.size());
    operands.push_back(std::move(pieces));
  };
  if (n.windowed) {
    const Operand& x = n.in[0];
    int64_t begin = 0, end = x.stride[kRow];
    if (n.columns) {
      begin = n.columns->first_needed(a.tile.begin[kCol]) * x.stride[kCol];
      end = n.columns->rows_needed(a.tile.begin[kCol] + a.tile.size[kCol]) * x.stride[kCol];
    }
    std::vector<Stream> rows;
    for (const uint64_t row : a.rows)
      if (row != 0) rows.push_back({row + static_cast<uint64_t>(begin), end - begin, false});
    add(std::move(rows));
  }
  for (size_t i = n.windowed ? 1 : 0; i < n.in.size(); ++i)
    if (a.in[i] != 0) add(pieces_of(n, n.in[i], a.in[i], a.tile, false));
  for (size_t i = 0; i < n.out.size(); ++i)
    if (a.out[i] != 0) add(pieces_of(n, n.out[i], a.out[i], a.tile, true));
  // Row by row; an operand that repeats for all rows is read once.
  for (size_t row = 0; row < longest; ++row) {
    std::vector<Stream> side_by_side;
    for (const std::vector<Stream>& pieces : operands)
      if (row < pieces.size()) side_by_side.push_back(pieces[row]);
    replay_streams(side_by_side, caches);
  }
}

}  // namespace

void replay_streams(const std::vector<Stream>& streams, CacheModel& caches) {
  constexpr int64_t kVector = 32;  // streams in the same sets evict each other between two of them
  int64_t vectors = 0;
  for (const Stream& s : streams) vectors = std::max(vectors, ceil_div(s.bytes, kVector));
  for (int64_t i = 0; i < vectors; ++i) {
    for (const Stream& s : streams) {
      const int64_t begin = s.bytes * i / vectors, end = s.bytes * (i + 1) / vectors;
      const uint64_t at = s.address + static_cast<uint64_t>(begin);
      s.write ? caches.write(at, end - begin) : caches.read(at, end - begin);
    }
  }
}

void replay(const Access& a, CacheModel& caches) {
  const KernelDesc& k = *a.kernel;
  // The executor's own: loops, pointers to operands and rows.
  caches.read(a.nest_at, kNestBytes);
  caches.read(a.stack, kStackBytes / 2);
  caches.write(a.stack + kStackBytes / 2, kStackBytes / 2);
  if (k.cls == KernelClass::kReduce) return replay_reduce(a, caches);
  if (k.cls == KernelClass::kTranspose) return replay_transpose(a, caches);
  if (k.cls != KernelClass::kConv && k.cls != KernelClass::kDepthwise)
    return replay_operands(a, caches);
  ConvAccess c(a, caches);
  PackSpec spec;
  spec.packing = k.packing;
  if (spec.row_pairs()) return replay_row_pairs(c);
  if (k.cls == KernelClass::kDepthwise) {
    if (spec.dot()) return replay_dot(c);
    // Portable kernels have one pixel at a time.
    return is_float(k.input) && k.mr > 1 ? replay_float_depthwise(c) : replay_depthwise(c);
  }
  if (spec.quads()) return replay_quads(c);
  if (spec.segments()) return replay_segments(c);
  return replay_panels(c);
}

}  // namespace pj
