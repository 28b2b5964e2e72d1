#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/common/requantize.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/conv/segments.h"
#include "kernels/conv/wide_panels.h"
#include "kernels/conv/winograd_shape.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/mlal_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/reference/unary_table.h"
#include "runtime/base/aligned.h"
#include "runtime/passes/evaluate.h"
#include "runtime/passes/passes.h"
#include "runtime/plan/conv_shape.h"
#include "runtime/plan/fuse.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

bool on_segments(const KernelDesc& k) {
  PackSpec spec;
  spec.packing = k.packing;
  return spec.segments();
}

// Multiply-accumulates of one output pixel with the kernel's padding, over its expected speed.
double cycles_per_pixel(const ConvShape& s, const KernelDesc& k) {
  const ConvKernelParams& w = s.kernel;
  double taps = w.kernel_h * w.kernel_w;
  if (s.cls == KernelClass::kDepthwise) {
    // The last panel may be narrow (kernels/depthwise/dot_shape.h).
    const int32_t left = s.out_c % k.nr, whole = s.out_c - left;
    const bool narrows = k.packing == PackingId::kDepthwiseQuads;
    const int32_t last = left > 0 && narrows ? dot_width(k.nr, left) : k.nr;
    return taps * (whole + (left > 0 ? last : 0)) / k.macs_per_cycle;
  }
  int32_t channels = s.in_c;
  if (on_segments(k)) {
    const Segments segments = segments_of(w);
    taps = w.kernel_h * segments.per_row;
    channels = segments.bytes;
  }
  if (k.packing == PackingId::kConvQuads) {
    channels *= w.kernel_h * w.kernel_w;
    taps = 1;
  }
  const int32_t unit = k.packing == PackingId::kConvMulls ? kMullUnit : k.kr;
  return taps *
         static_cast<double>(round_up(static_cast<size_t>(channels), static_cast<size_t>(unit))) *
         static_cast<double>(round_up(static_cast<size_t>(s.out_c), static_cast<size_t>(k.nr))) /
         k.macs_per_cycle;
}

// Quantisation of what an operator computes before its epilogue.
ScaleAndZero result_quantization(const Op& op, const Tensor& y) {
  const Epilogue* e = epilogue_of(op.params);
  if (e != nullptr && e->present()) return {e->scale, e->zero_point};
  return {y.quant.scale[0], y.quant.zero_point[0]};
}

ConvEpilogue make_epilogue(const Graph& graph, const Op& op) {
  ConvEpilogue made;
  const Epilogue* e = epilogue_of(op.params);
  if (e == nullptr || !e->present()) return made;
  made.fn = static_cast<int32_t>(e->fn);
  const Tensor& y = graph.tensor(op.outputs[0]);
  if (is_float(y.dtype)) {
    const ActivationLimits limits = limits_of(e->activation);
    made.unary = static_cast<int32_t>(e->unary);
    made.alpha = e->alpha;
    made.low = limits.low;
    made.high = limits.high;
    return made;
  }
  const ScaleAndZero from = result_quantization(op, y);
  if (e->fn == EpilogueFn::kAdd) {
    const Quantization& b = graph.tensor(op.inputs[3]).quant;
    made.sum = prepare_quantized_add(from, {b.scale[0], b.zero_point[0]},
                                     {y.quant.scale[0], y.quant.zero_point[0]}, y.dtype,
                                     e->activation, false);
  } else if (e->fn == EpilogueFn::kUnary) {
    OperandDesc x = operand_of(y);
    x.scale = from.scale;
    x.zero_point = from.zero_point;
    make_unary_table({e->unary, e->alpha}, x, operand_of(y), made.table);
  }
  return made;
}

// True if the row fits the operands and runs on the target.
bool can_compute(const LowerContext& c, const KernelDesc& k, const ConvShape& s,
                 const OperandTypes& t) {
  return k.cls == s.cls && k.input == t.x && k.weights == t.w && k.output == t.y &&
         c.target.isa.includes(k.isa) && k.fits(s.kernel);
}

// The rows for such operands that run on the target. The catalog is long, and the layers of a model
// are much alike.
const std::vector<KernelId>& rows_for(const LowerContext& c, KernelClass cls,
                                      const OperandTypes& t) {
  LowerContext::Rows& known = cls == KernelClass::kDepthwise ? c.depthwise_rows : c.conv_rows;
  if (known.valid && known.types == t) return known.ids;
  known = {true, t, {}};
  for (size_t i = 0; i < c.catalog.size(); ++i) {
    const KernelDesc& k = c.catalog[i];
    if (k.cls == cls && k.input == t.x && k.weights == t.w && k.output == t.y &&
        c.target.isa.includes(k.isa))
      known.ids.push_back(static_cast<KernelId>(i));
  }
  return known.ids;
}

// The row that can compute it and needs the fewest cycles; or `wanted`, if that can.
KernelId choose_kernel(const LowerContext& c, const ConvShape& s, const OperandTypes& types,
                       KernelId wanted) {
  if (wanted >= 0 && wanted < static_cast<KernelId>(c.catalog.size()) &&
      can_compute(c, c.catalog[static_cast<size_t>(wanted)], s, types))
    return wanted;
  KernelId best = -1;
  double least = 0;
  for (const KernelId id : rows_for(c, s.cls, types)) {
    const KernelDesc& k = c.catalog[static_cast<size_t>(id)];
    if (!k.fits(s.kernel)) continue;
    const double cycles = cycles_per_pixel(s, k);
    if (best >= 0 && cycles >= least) continue;
    best = id;
    least = cycles;
  }
  return best;
}

PackRecipe make_recipe(const LowerContext& c, const Op& op, const ConvShape& s,
                       const KernelDesc& kernel) {
  const Tensor& x = c.tensor(op.inputs[0]);
  const Tensor& w = c.tensor(op.inputs[1]);
  const Tensor& y = c.tensor(op.outputs[0]);
  const bool depthwise = s.cls == KernelClass::kDepthwise;
  PackRecipe r;
  r.weights = op.inputs[1];
  r.bias = op.inputs.size() > 2 ? op.inputs[2] : kNoTensor;
  r.cut = s.cut;
  PackSpec& spec = r.spec;
  spec.packing = kernel.packing;
  spec.input = x.dtype;
  spec.weights = w.dtype;
  spec.nr = kernel.nr;
  spec.kr = kernel.kr;
  spec.taps = s.kernel.kernel_h * s.kernel.kernel_w;
  if (spec.dot()) {
    spec.kernel_h = s.kernel.kernel_h;
    spec.shifts = dot_shifts(s.kernel);
    spec.crossed = dot_crossed(s.kernel, kernel.nr * kGroupRows / kernel.kr);
  }
  spec.in_channels = depthwise ? 1 : s.in_c;
  spec.out_channels = s.out_c;
  spec.pad_channels = s.in_c;
  spec.tap_stride = s.tap_stride;
  spec.in_stride = s.in_stride;
  spec.out_stride = s.out_stride;
  if (spec.quads()) {
    // Taps follow each other as channels do: in_channels * in_stride, or with one channel any
    // distance, is the distance of two taps.
    if (s.in_c == 1 && spec.taps > 1) spec.in_stride = s.tap_stride;
    spec.in_channels *= spec.taps;
    spec.taps = 1;
  }
  if (spec.segments()) {
    const Segments segments = segments_of(s.kernel);
    if (segments.per_row == 1) {
      // The taps of a row follow each other at the distance of their channels, or with one channel
      // at their own.
      if (s.in_c == 1) spec.in_stride = s.tap_stride;
      spec.tap_stride *= s.kernel.kernel_w;
    }
    spec.taps = s.kernel.kernel_h * segments.per_row;
    spec.in_channels = segments.bytes;
  }
  if (spec.integer()) {
    spec.input_zero_point = x.quant.zero_point[0];
    spec.weights_zero_point = w.quant.zero_point[0];
    r.input_scale = x.quant.scale[0];
    r.output_scale = result_quantization(op, y).scale;
  }
  return r;
}

ConvKernelParams make_params(const ConvShape& s, const Op& op, const Tensor& x, const Tensor& y,
                             const PackSpec& spec) {
  ConvKernelParams k = s.kernel;
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  k.in_col_bytes = s.in_c * size;
  k.out_col_bytes = s.grid.step_w * s.out_c * size;
  k.out_row_bytes = int64_t{s.grid.step_h} * s.grid.width * s.out_c * size;
  k.panel_bytes = spec.panel_bytes();
  if (spec.integer()) {
    const ScaleAndZero quant = result_quantization(op, y);
    k.stage = make_output_stage(y.dtype, quant.scale, quant.zero_point, s.activation);
    k.weights_zero_point = spec.seen_weights_zero_point();
  } else {
    const ActivationLimits limits = limits_of(s.activation);
    k.low = limits.low;
    k.high = limits.high;
  }
  return k;
}

// Sizes of the tiles that loops cut a layer into.
struct TileSize {
  int32_t rows, cols, channels;
};

// A piece of a dimension cut into at most `parts` equal ones.
int32_t piece(int32_t extent, int64_t parts) {
  return static_cast<int32_t>(ceil_div(extent, parts));
}

// How many parts a layer of so many cycles is worth cutting into, against the few hundred that a
// part costs.
int64_t worthy_parts(double cycles) {
  constexpr double kCycles = 6'000, kMost = 8;
  return static_cast<int64_t>(std::clamp(cycles / kCycles, 1.0, kMost));
}

// The size of the parts of `units` units, of which at most `parts` are wanted: that which leaves
// the slowest core the least to do, and the largest of those.
int32_t part_size(int32_t units, int64_t parts, int cores) {
  int32_t best = piece(units, parts);
  auto slowest = [&](int32_t size) { return ceil_div(ceil_div(units, size), cores) * size; };
  if (parts < 2 || cores < 2) return best;
  for (int32_t size = best + 1; size <= piece(units, cores); ++size)
    if (slowest(size) <= slowest(best)) best = size;
  return best;
}

// Tiles of the kernels on segments. Such a kernel walks the panels of its tile, with all pixels for
// each few panels, so that weights stay in L1 while activations stream from L2: the order that
// moves the fewest bytes for nearly every layer. Hence a tile's input takes at most a quarter of
// L2.
//
// Beyond that tiles are parts for threads. They are cut along channels where weights are more than
// what the layer reads and writes, so that each core reads its part of them; else along pixels, so
// that a core finds what it wrote in the layer before.
TileSize segment_tile(const ConvShape& s, const ConvKernelParams& p, const KernelDesc& kernel,
                      const Target& target) {
  const int64_t pixels = int64_t{s.out_h} * s.out_w;
  const int64_t k = int64_t{p.kernel_h} * p.kernel_w * s.in_c;
  TileSize tile = {s.out_h, s.out_w, s.out_c};

  const int64_t budget = target.l2_bytes / 4;
  const int64_t window_rows = input_rows(p, 1);
  if (window_rows * input_line_bytes(p, s.out_w) > budget) {
    const int64_t cols = budget / (window_rows * p.stride_w * p.in_col_bytes);
    tile.cols =
        static_cast<int32_t>(std::min<int64_t>(std::max<int64_t>(cols, kernel.mr), s.out_w));
  }
  const int64_t rows = budget / input_line_bytes(p, tile.cols) - window_rows;
  tile.rows = static_cast<int32_t>(std::clamp<int64_t>(rows / p.stride_h + 1, 1, s.out_h));

  // Copies of rows are read from L1 if their weights leave room there.
  const int64_t weights = k * s.out_c * static_cast<int64_t>(size_of(kernel.weights));
  if (is_float(kernel.input) && !inside_row(p, 0, s.out_w, 0) && weights < target.l1_bytes / 4) {
    const int64_t lines = target.l1_bytes / 2 / input_line_bytes(p, tile.cols) - window_rows;
    tile.rows =
        std::min(tile.rows, static_cast<int32_t>(std::max<int64_t>(lines, 0) / p.stride_h + 1));
  }

  // Few pixels take as long as their weights come from L2 or behind it.
  constexpr double kFetchedBytes = 32;  // a cycle
  const double cycles = std::max(static_cast<double>(pixels * k * s.out_c) / kernel.macs_per_cycle,
                                 static_cast<double>(weights) / kFetchedBytes);
  // One core would only copy padded rows once for each part.
  const int64_t parts = target.cores > 1 ? worthy_parts(cycles) : 1;
  if (k * s.out_c > pixels * (s.in_c + s.out_c)) {
    // Short rows fill the registers only with several panels side by side; but no core is to be
    // without any.
    int32_t side_by_side = s.out_w < kernel.mr / 2 ? std::clamp(kernel.mr / 6, 1, 4) : 1;
    const int32_t cores = parts > 1 ? target.cores : 1;
    while (side_by_side > 1 && ceil_div(s.out_c, side_by_side * kernel.nr) < cores)
      side_by_side /= 2;
    const int32_t unit = side_by_side * kernel.nr;
    const auto units = static_cast<int32_t>(ceil_div(s.out_c, unit));
    tile.channels = part_size(units, parts, target.cores) * unit;
  } else if (s.out_h > 1) {
    tile.rows = std::min(tile.rows, part_size(s.out_h, parts, target.cores));
  } else {
    tile.cols = std::min(tile.cols, part_size(s.out_w, parts, target.cores));
  }
  return tile;
}

// Rows of a tile of the depthwise kernels on dot products. They walk the panels of their tile, with
// all rows for each, so that weights stay in L1 and each line of the input is read once; tiles are
// parts for threads.
int32_t dot_rows(const ConvShape& s, const KernelDesc& kernel, int32_t shifts, int cores) {
  const int64_t macs = int64_t{s.out_h} * s.out_w * s.out_c * s.kernel.kernel_h * s.kernel.kernel_w;
  const int64_t bytes = (int64_t{s.in_h} * s.in_w * s.in_c + int64_t{s.out_h} * s.out_w * s.out_c) *
                        static_cast<int64_t>(size_of(kernel.input));
  const int64_t parts = worthy_parts(depthwise_cycles(kernel, macs, bytes));
  const auto units = static_cast<int32_t>(ceil_div(s.out_h, shifts));
  return part_size(units, parts, cores) * shifts;
}

// Loops of depthwise kernels whose panels are narrower than half a line: tiles have all channels or
// a line of them, so that a line is used up by all its panels while it is in L1. Tiles have the
// shape that reads the fewest pixels twice, of those whose input takes a sixth of L1: it also has
// to hold the output, weights and strips, and may have only two ways.
std::vector<Loop> line_loops(const ConvShape& s, const KernelDesc& kernel, const PackSpec& spec,
                             const Target& target) {
  constexpr int32_t kLeastCols = 14;  // fewer cost the kernels more than lines do
  const auto size = static_cast<int64_t>(size_of(kernel.input));
  const auto line = static_cast<int32_t>(kCacheLine / static_cast<size_t>(size));
  const int64_t weights = ceil_div(s.out_c, kernel.nr) * spec.panel_bytes();
  const bool aligned = s.out_c % line == 0;
  const bool whole = !aligned && weights <= target.l1_bytes * 3 / 10;
  const int32_t channels = whole ? s.out_c : line;
  // Pixels that do not begin with a line have parts of two lines each.
  const int64_t pixel = channels * size * (whole || aligned ? 1 : 2);
  const int64_t pixels = target.l1_bytes / 6 / pixel;
  const ConvKernelParams& k = s.kernel;
  const int32_t reach = (k.kernel_w - 1) * k.dilation_w + 1 - k.stride_w;
  int32_t best_cols = 1, best_rows = spec.shifts;
  double least = std::numeric_limits<double>::infinity();
  for (int32_t rows = spec.shifts; rows < s.out_h + spec.shifts; rows += spec.shifts) {
    const int64_t in_rows = input_rows(k, rows);
    const int64_t fit = std::clamp<int64_t>((pixels / in_rows - reach) / k.stride_w,
                                            std::min(s.out_w, kLeastCols), s.out_w);
    const int32_t cols = piece(s.out_w, ceil_div(s.out_w, fit));
    const int64_t read = in_rows * (cols * k.stride_w + reach);
    const double twice = static_cast<double>(read) / (cols * std::min(rows, s.out_h));
    if (twice >= least) continue;
    if (read > pixels && rows > spec.shifts) break;
    least = twice;
    best_cols = cols;
    best_rows = rows;
  }
  return {{kBatch, 1, true},
          {kChannel, channels, true},
          {kCol, best_cols, true},
          {kRow, best_rows, true}};
}

// Loops of other depthwise kernels. Portable kernels take a row at a time, so that the rows of its
// window stay in L1 or L2 from one tile to the next.
std::vector<Loop> depthwise_loops(const ConvShape& s, const KernelDesc& kernel,
                                  const PackSpec& spec, const Target& target) {
  if (spec.row_pairs())
    return {{kBatch, 1, true}, {kRow, dot_rows(s, kernel, 2, target.cores), true}};
  const int32_t unit = spec.shifts;
  const auto channels =
      static_cast<int32_t>(kCacheLine / static_cast<int64_t>(size_of(kernel.input)));
  const ConvKernelParams& k = s.kernel;
  if (is_float(kernel.input)) {
    // A panel's rows of input stay in L1, and its weights in registers, for all rows of the tile.
    const auto size = static_cast<int64_t>(size_of(kernel.input));
    const int64_t line = s.in_w * k.stride_h * kernel.nr * size;
    const auto fit = static_cast<int32_t>(target.l1_bytes / 2 / line);
    return {{kBatch, 1, true}, {kRow, std::clamp(fit, 1, piece(s.out_h, 4)), true}};
  }
  if (s.in_c != s.out_c || kernel.nr * 2 >= channels)
    return {{kBatch, 1, true},
            {kRow, spec.dot() ? dot_rows(s, kernel, unit, target.cores) : unit, true}};
  return line_loops(s, kernel, spec, target);
}

// Loops of the other convolutions: a block of pixels, at most half of L1, stays while all panels of
// weights pass by.
std::vector<Loop> make_loops(const ConvShape& s, const KernelDesc& kernel, const PackSpec& spec,
                             const Target& target) {
  if (s.cls == KernelClass::kDepthwise) return depthwise_loops(s, kernel, spec, target);
  const int64_t pixel = int64_t{s.in_c} * s.kernel.kernel_h * s.kernel.stride_w *
                        static_cast<int64_t>(size_of(kernel.input));
  const int64_t fit = target.l1_bytes / 2 / pixel / kernel.mr * kernel.mr;
  const auto cols = static_cast<int32_t>(std::clamp<int64_t>(fit, 4 * kernel.mr, 256));
  return {{kBatch, 1, true}, {kRow, 1, true}, {kCol, cols, true}, {kChannel, kernel.nr, true}};
}

// n in pieces of about one size, a multiple of `unit` and at most about `most`.
int32_t even_step(int64_t n, int64_t most, int64_t unit) {
  const int64_t count = ceil_div(n, std::max(most, unit));
  return static_cast<int32_t>(ceil_div(ceil_div(n, count), unit) * unit);
}

// Loops of kernels that prepare a block of pixels for all channels: tiles are whole rows or blocks
// of them, with all channels unless that leaves fewer parts for threads than the layer is worth.
std::vector<Loop> make_quad_loops(const ConvShape& s, const KernelDesc& kernel) {
  constexpr int64_t kLeastPanels = 4;
  const QuadRows block(s.kernel);
  const int64_t macs = int64_t{s.batch} * s.out_h * s.out_w * block.k * s.out_c;
  const int64_t parts = worthy_parts(static_cast<double>(macs) / kernel.macs_per_cycle);
  const int32_t cols = even_step(s.out_w, block.pixels, kernel.mr);
  const auto rows = static_cast<int32_t>(std::clamp(block.pixels / s.out_w, 1, s.out_h));
  const int64_t pixel_parts = s.batch * ceil_div(s.out_h, rows) * ceil_div(s.out_w, cols);
  const int64_t channels =
      std::max(ceil_div(s.out_c, ceil_div(parts, pixel_parts)), kLeastPanels * kernel.nr);
  return {{kBatch, 1, true},
          {kRow, rows, true},
          {kCol, cols, true},
          {kChannel, even_step(s.out_c, channels, kernel.nr), true}};
}

// Loops of Winograd kernels, which are to have many blocks of pixels for all of their weights.
// Tiles are parts for threads: rows of blocks, or panels where there are few blocks.
std::vector<Loop> make_winograd_loops(const ConvShape& s, const KernelDesc& kernel, int cores) {
  const auto rows = static_cast<int32_t>(ceil_div(s.out_h, 2));
  const auto cols = static_cast<int32_t>(ceil_div(s.out_w, 2));
  const int64_t parts = int64_t{rows} * cols / winograd_blocks(s.in_c);
  const int32_t unit = 2 * kernel.nr;
  const auto units = static_cast<int32_t>(ceil_div(s.out_c, unit));
  const int64_t channel_parts = parts < cores ? cores : 1;
  return {{kBatch, 1, true},
          {kRow, 2 * part_size(rows, std::clamp<int64_t>(parts, 1, 8), cores), true},
          {kCol, s.out_w, true},
          {kChannel, unit * part_size(units, channel_parts, cores), true}};
}

// A convolution and the row that computes it.
struct Choice {
  ConvShape shape;
  KernelId kernel;
};

std::vector<ConvShape> shapes_of(const LowerContext& c, const Op& op) {
  std::vector<ConvShape> shapes = conv_shapes_of(c.graph, op);
  for (ConvShape& s : shapes) {
    s.kernel.in_width = s.in_w;
    s.kernel.in_channels = s.in_c;
    s.kernel.out_channels = s.out_c;
    s.kernel.epilogue = make_epilogue(c.graph, op);
  }
  return shapes;
}

// Nothing if a part of the operator has no row.
std::vector<Choice> choose(const LowerContext& c, const Op& op, const OperandTypes& types,
                           KernelId wanted = -1) {
  std::vector<Choice> choices;
  for (const ConvShape& s : shapes_of(c, op)) {
    const KernelId id = choose_kernel(c, s, types, wanted);
    if (id < 0) return {};
    choices.push_back({s, id});
  }
  return choices;
}

bool has_weights(const Op& op) {
  return op.inputs.size() >= 2 && op.inputs[0] != kNoTensor && op.inputs[1] != kNoTensor;
}
OperandTypes types_of(const LowerContext& c, const Op& op) {
  return {c.tensor(op.inputs[0]).dtype, c.tensor(op.inputs[1]).dtype,
          c.tensor(op.outputs[0]).dtype};
}
std::vector<Choice> choose(const LowerContext& c, const Op& op, KernelId wanted = -1) {
  if (!has_weights(op)) return {};
  return choose(c, op, types_of(c, op), wanted);
}

// Tiles as somebody chose them: of the loops that there are, from where the kernel can begin.
void set_tiles(const LayerChoice& chosen, const KernelDesc& kernel, LoopNest& nest) {
  for (Loop& loop : nest.loops) {
    if (chosen.tile[loop.dim] < 1) continue;
    const int32_t unit = loop.dim == kChannel ? kernel.nr : 1;
    const int64_t step = std::min(chosen.tile[loop.dim], nest.extent[loop.dim]);
    loop.step = static_cast<int32_t>(ceil_div(step, unit) * unit);
  }
}

LoopNest make_nest(LowerContext& c, int32_t op_index, const Choice& choice) {
  const Op& op = c.graph.ops[static_cast<size_t>(op_index)];
  const ConvShape& s = choice.shape;
  const KernelId id = choice.kernel;
  const Tensor& x = c.tensor(op.inputs[0]);
  const Tensor& y = c.tensor(op.outputs[0]);
  const KernelDesc& kernel = c.catalog[static_cast<size_t>(id)];
  const bool depthwise = s.cls == KernelClass::kDepthwise;

  PackRecipe recipe = make_recipe(c, op, s, kernel);
  const PackSpec spec = recipe.spec;
  ConvKernelParams params = make_params(s, op, x, y, spec);
  params.in_order = is_float(x.dtype) && c.target.in_order ? 1 : 0;

  LoopNest nest;
  nest.kernel = id;
  nest.extent[kBatch] = s.batch;
  nest.extent[kRow] = s.out_h;
  nest.extent[kCol] = s.out_w;
  nest.extent[kChannel] = s.out_c;
  if (on_segments(kernel)) {
    const TileSize tile = segment_tile(s, params, kernel, c.target);
    nest.loops = {{kBatch, 1, true},
                  {kRow, tile.rows, true},
                  {kCol, tile.cols, true},
                  {kChannel, tile.channels, true}};
  } else if (kernel.packing == PackingId::kConvQuads) {
    nest.loops = make_quad_loops(s, kernel);
  } else if (kernel.packing == PackingId::kConvWinograd) {
    nest.loops = make_winograd_loops(s, kernel, c.target.cores);
    nest.scratch_bytes = WinogradScratch(winograd_blocks(s.in_c), s.in_c, kernel.nr).total;
  } else {
    nest.loops = make_loops(s, kernel, spec, c.target);
  }
  if (const LayerChoice* chosen = c.chosen_for(op_index)) set_tiles(*chosen, kernel, nest);
  nest.windowed = true;
  nest.window = {s.kernel.stride_h, s.pad_top, (s.kernel.kernel_h - 1) * s.kernel.dilation_h + 1,
                 s.in_h};
  nest.columns = RowWindow{s.kernel.stride_w, s.kernel.pad_left,
                           (s.kernel.kernel_w - 1) * s.kernel.dilation_w + 1, s.in_w};

  // With a channel multiplier, depthwise kernels find the input's channels themselves.
  const bool own_channel = depthwise && s.in_c == s.out_c;
  const int64_t channel = own_channel ? static_cast<int64_t>(size_of(x.dtype)) : 0;
  Operand in{.buffer = c.buffer_of(op.inputs[0]), .bytes = byte_size(x)};
  in.stride[kCol] = params.in_col_bytes;  // where a ring begins; kernels find columns themselves
  in.stride[kRow] = s.in_w * params.in_col_bytes;
  in.stride[kBatch] = s.in_h * in.stride[kRow];
  in.stride[kChannel] = channel;

  const int32_t packed = c.add_packed(op_index, std::move(recipe));
  Operand panels{.buffer = {Space::kPacked, packed, spec.pad_bytes()},
                 .bytes = spec.total_bytes() - spec.pad_bytes()};
  // Tiles begin at multiples of nr, and a panel is a multiple of nr bytes long.
  panels.stride[kChannel] = spec.panel_bytes() / kernel.nr;
  Operand pad{.buffer = {Space::kPacked, packed, 0}, .bytes = spec.pad_bytes()};
  pad.stride[kChannel] = channel;

  Operand out{.buffer = c.buffer_of(op.outputs[0])};
  const auto y_size = static_cast<int64_t>(size_of(y.dtype));
  const int64_t before = (int64_t{s.grid.first_h} * s.grid.width + s.grid.first_w) * s.out_c;
  out.buffer.offset += before * y_size;
  out.bytes = byte_size(y) - before * y_size;
  out.stride[kChannel] = y_size;
  out.stride[kCol] = params.out_col_bytes;
  out.stride[kRow] = params.out_row_bytes;
  out.stride[kBatch] = int64_t{s.grid.height} * s.grid.width * s.out_c * y_size;

  nest.in = {in, panels, pad};
  nest.out = {out};
  if (params.epilogue.is(EpilogueFn::kAdd)) {
    Operand& operand = nest.in.emplace_back(out);
    operand.buffer = c.buffer_of(op.inputs[3]);
  } else if (params.epilogue.is(EpilogueFn::kPRelu)) {
    nest.in.push_back({.buffer = c.buffer_of(op.inputs[3]), .bytes = s.out_c * y_size});
    nest.in.back().stride[kChannel] = y_size;
  }
  nest.params.resize(sizeof(params));
  std::memcpy(nest.params.data(), &params, sizeof(params));
  if (spec.row_pairs()) {
    nest.scratch_bytes = pair_scratch_bytes(params);
  } else if (spec.dot()) {
    nest.scratch_bytes = dot_scratch_bytes(params, kernel.nr * kGroupRows / kernel.kr);
  } else if (spec.weights == DType::kF16 && spec.input == DType::kF32) {
    // Room to widen one panel.
    nest.scratch_bytes = int64_t{spec.taps} * spec.in_channels * kernel.nr * 4;
  }
  if (spec.wide()) nest.scratch_bytes = mlal_scratch_bytes(params);
  fit_scratch(kernel, nest);
  return nest;
}

}  // namespace

bool has_tuned_kernel(const LowerContext& c, int32_t op_index) {
  const std::vector<Choice> choices = choose(c, c.graph.ops[static_cast<size_t>(op_index)]);
  return !choices.empty() && std::all_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    return c.catalog[static_cast<size_t>(choice.kernel)].tuned;
  });
}

bool has_half_convolution(const LowerContext& c, const Op& op) {
  if (op.inputs.size() < 2 || op.inputs[1] == kNoTensor || !c.tensor(op.inputs[1]).constant)
    return false;
  return !choose(c, op, OperandTypes{DType::kF16, DType::kF16, DType::kF16}).empty();
}

Result<int> fuse_for_target(Graph& graph, const Target& target,
                            std::span<const KernelDesc> catalog) {
  Plan unused;
  const LowerContext c{graph, target, catalog, {}, unused};
  return fuse_epilogues(graph, [&](const Graph&, const Op& fused) {
    Op plain = fused;
    *epilogue_of(plain.params) = {};
    const std::vector<Choice> with = choose(c, fused), without = choose(c, plain);
    return with.size() == 1 && without.size() == 1 && with[0].kernel == without[0].kernel;
  });
}

std::vector<LoopNest> lower_convolution(LowerContext& c, int32_t op_index) {
  std::vector<LoopNest> nests;
  const LayerChoice* chosen = c.chosen_for(op_index);
  const KernelId wanted = chosen != nullptr ? chosen->kernel : -1;
  for (const Choice& choice : choose(c, c.graph.ops[static_cast<size_t>(op_index)], wanted))
    nests.push_back(make_nest(c, op_index, choice));
  return nests;
}

std::vector<KernelId> fitting_kernels(const LowerContext& c, int32_t op_index) {
  constexpr double kTooSlow = 4;
  const Op& op = c.graph.ops[static_cast<size_t>(op_index)];
  if (!has_weights(op)) return {};
  const std::vector<ConvShape> shapes = shapes_of(c, op);
  std::vector<std::pair<double, KernelId>> rows;
  for (size_t i = 0; i < c.catalog.size() && !shapes.empty(); ++i) {
    const KernelDesc& k = c.catalog[i];
    double cycles = 0;
    const bool fits = std::all_of(shapes.begin(), shapes.end(), [&](const ConvShape& s) {
      if (!can_compute(c, k, s, types_of(c, op))) return false;
      cycles += cycles_per_pixel(s, k) * s.out_h * s.out_w;
      return true;
    });
    if (fits) rows.emplace_back(cycles, static_cast<KernelId>(i));
  }
  std::stable_sort(rows.begin(), rows.end());
  std::vector<KernelId> kernels;
  for (const auto& [cycles, id] : rows)
    if (cycles <= kTooSlow * rows[0].first) kernels.push_back(id);
  return kernels;
}

void fit_scratch(const KernelDesc& kernel, LoopNest& nest) {
  const bool quads = kernel.packing == PackingId::kConvQuads;
  if (!quads && !on_segments(kernel)) return;
  ConvKernelParams p;
  std::memcpy(&p, nest.params.data(), sizeof(p));
  if (quads) {
    nest.scratch_bytes = QuadRows(p).total_bytes();
    return;
  }
  int32_t tile[kDimCount];
  std::copy_n(nest.extent, kDimCount, tile);
  for (const Loop& loop : nest.loops) tile[loop.dim] = std::min(tile[loop.dim], loop.step);
  const SegmentScratch scratch = segment_scratch(p, tile[kRow], tile[kCol]);
  const RowWindow& w = nest.window;
  const bool rows_of_padding =
      w.pad_top > 0 || input_rows(p, nest.extent[kRow]) - w.pad_top > w.rows;
  int64_t lines = rows_of_padding ? 1 : 0;
  const int32_t overread =
      is_float(kernel.input) ? 0 : segments_of(p).beyond(kernel.kr > 4 ? kMullUnit : kQuadUnit);
  if (!inside_row(p, 0, nest.extent[kCol], overread)) lines += input_rows(p, tile[kRow]);
  nest.scratch_bytes = scratch.lines_at + lines * scratch.line_bytes;
  if (kernel.weights == DType::kF16 && kernel.input == DType::kF32 &&
      kernel.isa.has(Feature::kNeon))
    nest.scratch_bytes += wide_scratch_bytes(p, kernel.nr);
}

namespace {

// The weights [O,taps_h,taps_w,I] that are left of a larger kernel.
std::vector<std::byte> cut_taps(const Tensor& weights, const TapCut& cut) {
  const Shape& shape = weights.shape;
  const auto tap = static_cast<int64_t>(size_of(weights.dtype)) * shape[3];
  const int64_t count = int64_t{cut.taps_h} * cut.taps_w * shape[0];
  std::vector<std::byte> left(static_cast<size_t>(count * tap));
  std::byte* to = left.data();
  for (int32_t o = 0; o < shape[0]; ++o) {
    for (int32_t h = 0; h < cut.taps_h; ++h) {
      for (int32_t w = 0; w < cut.taps_w; ++w, to += tap) {
        const int64_t row = int64_t{o} * shape[1] + cut.first_h - h * cut.step_h;
        const int64_t from = row * shape[2] + cut.first_w - w * cut.step_w;
        std::memcpy(to, weights.data.bytes.data() + from * tap, static_cast<size_t>(tap));
      }
    }
  }
  return left;
}

// Of requantisation, one a channel; none for floats.
std::vector<float> scales_of(const PackRecipe& r, const Tensor& weights) {
  if (!r.spec.integer()) return {};
  std::vector<float> scales(static_cast<size_t>(r.spec.out_channels));
  const size_t step = weights.quant.per_tensor() ? 0 : 1;
  for (size_t o = 0; o < scales.size(); ++o)
    scales[o] = requantization_scale(r.input_scale, weights.quant.scale[o * step], r.output_scale);
  return scales;
}

}  // namespace

void pack(const Graph& graph, const PackRecipe& r, std::span<std::byte> packed) {
  const Tensor* bias = r.bias == kNoTensor ? nullptr : &graph.tensor(r.bias);
  const Tensor& weights = graph.tensor(r.weights);
  const std::vector<std::byte> left = r.cut ? cut_taps(weights, *r.cut) : std::vector<std::byte>{};
  pack_weights(r.spec, r.cut ? left.data() : weights.data.bytes.data(),
               bias ? bias->data.bytes.data() : nullptr, bias && bias->dtype == DType::kF16,
               scales_of(r, weights), packed);
}

}  // namespace pj
