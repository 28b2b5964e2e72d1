// Every depthwise row, driven tile by tile over random layers, against sums written like the
// definition; floats are small whole numbers, whose sums are exact. Inputs and outputs end or begin
// at pages that must not be touched, inputs also where a strip of columns ends or begins.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/mlal_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/packing/packing.h"
#include "kernels/registry.h"
#include "runtime/base/aligned.h"
#include "runtime/base/cpu.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

// Memory between two inaccessible pages, as near to one of them as its size allows.
class Guarded {
 public:
  Guarded(size_t bytes, bool at_end) : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    size_ = round_up(std::max<size_t>(bytes, 1), page_) + 2 * page_;
    base_ = static_cast<std::byte*>(
        mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    EXPECT_EQ(mprotect(base_ + page_, size_ - 2 * page_, PROT_READ | PROT_WRITE), 0);
    data_ = at_end ? base_ + size_ - page_ - bytes : base_ + page_;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, size_); }
  std::byte* data() { return data_; }

 private:
  size_t page_, size_;
  std::byte *base_, *data_;
};

struct Layer {
  DType type;
  int32_t in_h, in_w, in_c, multiplier, pad_top, pad_bottom, pad_left, pad_right;
  int32_t kernel_h, kernel_w, stride, dilation;
  int32_t input_zero, weights_zero;
  OutputStage stage;
  std::vector<std::byte> input, weights;
  std::vector<int32_t> bias;
  std::vector<float> scales;

  int32_t element() const { return static_cast<int32_t>(size_of(type)); }
  int32_t out_c() const { return in_c * multiplier; }
  int32_t out_h() const { return outputs(in_h + pad_top + pad_bottom, kernel_h); }
  int32_t out_w() const { return outputs(in_w + pad_left + pad_right, kernel_w); }
  int32_t outputs(int32_t padded, int32_t kernel) const {
    return (padded - (kernel - 1) * dilation - 1) / stride + 1;
  }
  std::string text() const {
    return fmt::format("{}x{}x{} times {}, kernel {}x{}, stride {}, dilation {}, pads {} {} {} {}",
                       in_h, in_w, in_c, multiplier, kernel_h, kernel_w, stride, dilation, pad_top,
                       pad_bottom, pad_left, pad_right);
  }
};

int32_t value(DType type, const std::vector<std::byte>& elements, int32_t index) {
  const auto i = static_cast<size_t>(index);
  if (type == DType::kF32) {
    float x;
    std::memcpy(&x, elements.data() + 4 * i, 4);
    return static_cast<int32_t>(x);
  }
  const std::byte b = elements[i];
  return type == DType::kU8 ? int32_t{static_cast<uint8_t>(b)} : int32_t{static_cast<int8_t>(b)};
}

void append(DType type, int32_t value, std::vector<std::byte>& elements) {
  const auto real = static_cast<float>(value);
  std::byte bytes[4];  // the first of an integer's are those of a narrower one: little-endian
  std::memcpy(bytes, is_float(type) ? static_cast<const void*>(&real) : &value, 4);
  elements.insert(elements.end(), bytes, bytes + size_of(type));
}

// Numbers of a layer.
constexpr IntRange kFloatRange = {-9, 9};
IntRange values_of(DType type) { return type == DType::kF32 ? kFloatRange : range_of(type); }

// `direct`: one that kernels have code of its own for (dot_direct(), dot_crossed()).
Layer random_layer(const KernelDesc& k, uint32_t seed, bool direct) {
  std::mt19937 rng(seed);
  auto pick = [&](int32_t low, int32_t high) {
    return low + static_cast<int32_t>(rng() % static_cast<uint32_t>(high - low + 1));
  };
  auto one_of = [&](std::initializer_list<int32_t> v) {
    return v.begin()[static_cast<size_t>(pick(0, static_cast<int32_t>(v.size()) - 1))];
  };
  Layer l;
  l.type = k.input;
  do {
    l.in_h = one_of({1, 2, 3, 5, 7, 8, 11});
    // Some rows are longer than a strip.
    l.in_w = pick(0, 9) == 0 ? pick(60, 150) : one_of({1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17});
    const int32_t tile = k.nr;
    l.in_c = pick(0, 1) == 0 ? pick(1, 130)
                             : one_of({1, 15, 16, 17, 31, 32, 33, tile - 1, tile, tile + 1});
    l.multiplier = one_of({1, 1, 1, 1, 2, 3, 5});
    l.kernel_h = one_of({1, 2, 3, 3, 3, 4, 5, 6, 7});
    l.kernel_w = one_of({1, 2, 3, 3, 3, 4, 5, 6, 7});
    l.stride = one_of({1, 1, 1, 2, 2, 3});
    l.dilation = one_of({1, 1, 1, 2, 3});
    // Windows that kernels have code of their own for.
    if (pick(0, 3) == 0) {
      l.kernel_h = l.kernel_w = one_of({3, 5});
      l.multiplier = l.dilation = 1;
    }
    if (direct) {
      l.in_c = (l.in_c + 3) / 4 * 4;
      l.kernel_h = l.kernel_w = one_of({3, 5});
      l.stride = l.kernel_h == 5 ? 1 : std::min(l.stride, 2);
      l.multiplier = l.dilation = 1;
    }
    l.pad_top = pick(0, l.kernel_h);
    l.pad_bottom = pick(0, l.kernel_h);
    l.pad_left = pick(0, l.kernel_w);
    l.pad_right = pick(0, l.kernel_w);
  } while (l.in_h + l.pad_top + l.pad_bottom <= (l.kernel_h - 1) * l.dilation ||
           l.in_w + l.pad_left + l.pad_right <= (l.kernel_w - 1) * l.dilation);

  const IntRange range = values_of(k.input), w_range = values_of(k.weights);
  l.input_zero = one_of({range.min, range.max, range.min + 93, range.min + 128});
  if (is_float(k.input)) l.input_zero = 0;
  const int32_t w_zero = one_of({w_range.min, w_range.max, w_range.min + 131, w_range.min + 128});
  l.weights_zero = k.weights == DType::kU8 ? w_zero : 0;
  const int32_t zero = is_float(k.input) ? 0 : one_of({range.min, range.max, range.min + 100});
  const IntRange results = is_float(k.input) ? IntRange{-2000, 2000} : range;
  const int32_t low = pick(0, 2) == 0 ? pick(results.min, results.max) : results.min;
  const int32_t high = pick(0, 2) == 0 ? pick(low, results.max) : results.max;
  l.stage = {zero, static_cast<float>(low - zero), static_cast<float>(high - zero)};

  auto fill = [&](std::vector<std::byte>& bytes, int32_t count) {
    if (is_float(k.input)) {
      while (count-- > 0) append(k.input, pick(range.min, range.max), bytes);
      return;
    }
    const int32_t mode = pick(0, 4);
    bytes.resize(static_cast<size_t>(count));
    for (std::byte& b : bytes) b = static_cast<std::byte>(rng() >> 24);
    if (mode == 0) std::fill(bytes.begin(), bytes.end(), std::byte{0x80});
    if (mode == 1) std::fill(bytes.begin(), bytes.end(), std::byte{0x7F});
    if (mode == 2) std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
  };
  fill(l.input, l.in_h * l.in_w * l.in_c);
  fill(l.weights, l.kernel_h * l.kernel_w * l.out_c());
  const float exponent = static_cast<float>(pick(-8, 3));
  for (int32_t c = 0; c < l.out_c(); ++c) {
    const bool extreme = pick(0, 15) == 0;
    l.bias.push_back(is_float(k.input) ? pick(-99, 99)
                     : extreme         ? one_of({INT32_MIN, INT32_MAX})
                                       : pick(-40000, 40000));
    const float usual = pick(0, 1) == 0 ? 0.0007f : std::pow(10.0f, exponent);
    l.scales.push_back(usual * (1.0f + static_cast<float>(c) / 64));
  }
  return l;
}

std::vector<std::byte> expected_output(const KernelDesc& k, const Layer& l) {
  std::vector<std::byte> out;
  for (int32_t y = 0; y < l.out_h(); ++y) {
    for (int32_t x = 0; x < l.out_w(); ++x) {
      for (int32_t c = 0; c < l.out_c(); ++c) {
        auto sum = static_cast<uint32_t>(l.bias[static_cast<size_t>(c)]);
        for (int32_t ky = 0; ky < l.kernel_h; ++ky) {
          for (int32_t kx = 0; kx < l.kernel_w; ++kx) {
            const int32_t in_y = y * l.stride + ky * l.dilation - l.pad_top;
            const int32_t in_x = x * l.stride + kx * l.dilation - l.pad_left;
            if (in_y < 0 || in_y >= l.in_h || in_x < 0 || in_x >= l.in_w) continue;
            const int32_t at = (in_y * l.in_w + in_x) * l.in_c + c / l.multiplier;
            const int32_t w = (ky * l.kernel_w + kx) * l.out_c() + c;
            sum += static_cast<uint32_t>((value(k.input, l.input, at) - l.input_zero) *
                                         (value(k.weights, l.weights, w) - l.weights_zero));
          }
        }
        const auto total = static_cast<int32_t>(sum);
        const float scale = l.scales[static_cast<size_t>(c)];
        append(k.input,
               is_float(k.input) ? std::clamp(total, static_cast<int32_t>(l.stage.low),
                                              static_cast<int32_t>(l.stage.high))
                                 : requantize(total, scale, l.stage),
               out);
      }
    }
  }
  return out;
}

ConvKernelParams params_of(const KernelDesc& k, const Layer& l) {
  ConvKernelParams p;
  p.kernel_h = l.kernel_h;
  p.kernel_w = l.kernel_w;
  p.stride_h = p.stride_w = l.stride;
  p.dilation_h = p.dilation_w = l.dilation;
  p.pad_left = l.pad_left;
  p.in_width = l.in_w;
  p.in_channels = l.in_c;
  p.out_channels = l.out_c();
  p.in_col_bytes = l.in_c * l.element();
  p.out_col_bytes = l.out_c() * l.element();
  p.out_row_bytes = l.out_w() * p.out_col_bytes;
  p.stage = l.stage;
  p.low = l.stage.low;
  p.high = l.stage.high;
  if (!is_float(k.input)) p.weights_zero_point = signed_zero_point(k.weights, l.weights_zero);
  return p;
}

PackSpec spec_of(const KernelDesc& k, const Layer& l, const ConvKernelParams& p) {
  PackSpec s;
  s.packing = k.packing;
  s.input = k.input;
  s.weights = k.weights;
  s.nr = k.nr;
  s.kr = k.kr;
  s.taps = l.kernel_h * l.kernel_w;
  if (s.dot()) {
    s.kernel_h = l.kernel_h;
    s.shifts = dot_shifts(p);
    s.crossed = dot_crossed(p, k.nr * kGroupRows / k.kr);
  }
  s.out_channels = l.out_c();
  s.pad_channels = l.in_c;
  s.input_zero_point = l.input_zero;
  s.weights_zero_point = l.weights_zero;
  s.tap_stride = l.out_c();
  s.out_stride = 1;
  return s;
}

// Sizes of tiles; channels in panels. With `strips`, rows of the input hold no columns but those
// that the tile's windows see, as in a ring under a strip of columns.
struct Cut {
  int32_t rows, cols, panels;
  bool strips = false;
  bool in_order = false;  // for a core that does not reorder instructions
};

// The columns of a layer's input that a tile sees.
struct Seen {
  int32_t begin, end;
  int32_t count() const { return end - begin; }
};
Seen columns_under(const Layer& l, int32_t x, int32_t cols) {
  const int32_t first = x * l.stride - l.pad_left;
  const int32_t end = first + (cols - 1) * l.stride + (l.kernel_w - 1) * l.dilation + 1;
  const int32_t begin = std::clamp(first, 0, l.in_w);
  return {begin, std::clamp(end, begin, l.in_w)};
}

// Runs the kernel over the layer cut into tiles; strips begin or end at pages of their own.
void run_tiles(KernelId id, const Layer& l, const Cut& cut, const std::byte* input,
               std::byte* output, bool at_end) {
  const KernelDesc& k = kernel_catalog()[static_cast<size_t>(id)];
  ConvKernelParams p = params_of(k, l);
  p.in_order = cut.in_order ? 1 : 0;
  const PackSpec s = spec_of(k, l, p);
  p.panel_bytes = s.panel_bytes();
  AlignedBuffer packed(static_cast<size_t>(s.total_bytes()));
  std::vector<std::byte> bias;
  for (const int32_t b : l.bias) append(is_float(l.type) ? l.type : DType::kI32, b, bias);
  pack_weights(s, l.weights.data(), bias.data(), false, l.scales, {packed.data(), packed.size()});
  const int64_t bytes = s.wide()        ? mlal_scratch_bytes(p)
                        : s.row_pairs() ? pair_scratch_bytes(p)
                        : s.dot()       ? dot_scratch_bytes(p, k.nr * kGroupRows / k.kr)
                                        : 0;
  Guarded scratch(round_up(static_cast<size_t>(bytes), kCacheLine), true);

  const int32_t channels = cut.panels * k.nr;
  for (int32_t y = 0; y < l.out_h(); y += cut.rows) {
    for (int32_t x = 0; x < l.out_w(); x += cut.cols) {
      for (int32_t c = 0; c < l.out_c(); c += channels) {
        Tile t{};
        t.begin[kRow] = y;
        t.begin[kCol] = x;
        t.begin[kChannel] = c;
        t.size[kBatch] = 1;
        t.size[kRow] = std::min(cut.rows, l.out_h() - y);
        t.size[kCol] = std::min(cut.cols, l.out_w() - x);
        t.size[kChannel] = std::min(channels, l.out_c() - c);
        const int32_t in_channel = l.multiplier == 1 ? c : 0;
        const int64_t in_offset = in_channel * l.element();
        const Seen seen =
            cut.strips ? columns_under(l, x, t.size[kCol]) : Seen{.begin = 0, .end = l.in_w};
        const int64_t row_bytes = seen.count() * p.in_col_bytes;
        const int64_t behind = kStepsBehindStrips * l.stride * p.in_col_bytes + kBytesBehindStrips;
        const int64_t strip_bytes = cut.strips ? l.in_h * row_bytes + behind : 0;
        Guarded strip(static_cast<size_t>(strip_bytes), at_end);
        const std::byte* first_row = cut.strips ? strip.data() : input;
        for (int32_t row = 0; cut.strips && row < l.in_h; ++row)
          std::copy_n(input + (row * l.in_w + seen.begin) * p.in_col_bytes, row_bytes,
                      strip.data() + row * row_bytes);
        std::vector<const std::byte*> rows;
        const int32_t span = (l.kernel_h - 1) * l.dilation + 1;
        for (int32_t i = 0; i < (t.size[kRow] - 1) * l.stride + span; ++i) {
          const int32_t row = y * l.stride - l.pad_top + i;
          rows.push_back(row < 0 || row >= l.in_h ? nullptr
                                                  : first_row + row * row_bytes -
                                                        seen.begin * p.in_col_bytes + in_offset);
        }
        const std::byte* panels = packed.data() + s.pad_bytes() + c / k.nr * s.panel_bytes();
        const std::byte* in[] = {nullptr, panels, packed.data() + in_offset};
        std::byte* out[] = {output + y * p.out_row_bytes + x * p.out_col_bytes + c * l.element()};
        t.in = in;
        t.out = out;
        t.rows = rows.data();
        t.scratch = scratch.data();
        t.params = &p;
        kernel_function(id)(t);
      }
    }
  }
}

class DepthwiseRow : public ::testing::TestWithParam<KernelId> {};

TEST_P(DepthwiseRow, ComputesWhatTheDefinitionSays) {
  const KernelDesc& k = kernel_catalog()[static_cast<size_t>(GetParam())];
  constexpr int32_t kAll = 1 << 20;
  const Cut cuts[] = {{kAll, kAll, kAll}, {2, kAll, kAll},   {1, kAll, kAll},
                      {3, 5, 1},          {2, 1, 2},         {3, 5, kAll, true},
                      {2, 9, kAll, true}, {kAll, 2, 2, true}};
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const Layer l = random_layer(k, seed, seed % 3 == 0);
    if (!k.fits(params_of(k, l))) continue;
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, l.text()));
    const std::vector<std::byte> expected = expected_output(k, l);
    Cut cut = cuts[seed % std::size(cuts)];
    cut.panels = std::min(cut.panels, l.out_c() / k.nr + 1);
    for (bool at_end : {true, false}) {
      cut.in_order = is_float(k.input) && at_end == (seed % 2 == 0);
      Guarded input(l.input.size(), at_end), output(expected.size(), at_end);
      std::copy(l.input.begin(), l.input.end(), input.data());
      run_tiles(GetParam(), l, cut, input.data(), output.data(), at_end);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), output.data()));
    }
  }
}

struct Planned {
  std::string kernel;
  std::vector<std::byte> output;
};

// Runs the graph as planned for this machine, or with reference kernels only.
Planned run_planned(const Graph& graph, bool reference, int threads) {
  static const std::vector<KernelDesc> references = [] {
    std::vector<KernelDesc> rows(kernel_catalog().begin(), kernel_catalog().end());
    for (KernelDesc& k : rows)
      if (k.cls != KernelClass::kReference) k.isa = IsaSet::from_bits(~uint64_t{0});
    return rows;
  }();
  ModelOptions options;
  options.target.isa = host_cpu().isa & built_isa();
  options.catalog = reference ? references : kernel_catalog();
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  Session& s = **session;
  testing::GraphBuilder(5).fill(graph.tensor(graph.inputs[0]).dtype, s.input_data(0));
  EXPECT_TRUE(s.run());
  const std::span<const std::byte> out = s.output_data(0);
  const KernelId id = s.program().steps[0].members[0].kernel;
  return {kernel_catalog()[static_cast<size_t>(id)].name, {out.begin(), out.end()}};
}

// Several output channels for each input channel need no reference kernel.
TEST(Depthwise, ChannelMultiplierIsPlannedForFastKernels) {
  for (DType type : {DType::kF32, DType::kI8, DType::kU8}) {
    for (int32_t multiplier : {2, 3, 8}) {
      SCOPED_TRACE(fmt::format("{}, multiplier {}", name_of(type), multiplier));
      const bool integer = type != DType::kF32;
      const int32_t out_c = 20 * multiplier;
      testing::GraphBuilder b;
      auto quant = [&](float scale, int32_t zero) {
        return integer ? testing::quantized(scale, zero) : Quantization{};
      };
      const TensorId x = b.input("x", type, {2, 9, 10, 20}, quant(0.03f, 7));
      const TensorId w =
          b.constant("w", type, {1, 3, 3, out_c}, quant(0.001f, type == DType::kU8 ? 121 : 0));
      const TensorId bias = b.constant("bias", integer ? DType::kI32 : type, {out_c});
      const TensorId y = b.activation("y", type, {}, quant(0.02f, 11));
      DepthwiseConv2DParams p;
      p.padding.mode = PadMode::kSame;
      b.op(OpKind::kDepthwiseConv2D, p, {x, w, bias}, {y});
      const Result<Graph> graph = b.finish({y});
      ASSERT_TRUE(graph) << graph.error().message;
      const Planned expected = run_planned(*graph, true, 1);
      EXPECT_EQ(expected.kernel, "ref_depthwise_conv_2d");
      for (int threads : {1, 2}) {
        const Planned actual = run_planned(*graph, false, threads);
        EXPECT_NE(actual.kernel.find("dwconv"), std::string::npos) << actual.kernel;
        ASSERT_EQ(actual.output.size(), expected.output.size());
        if (integer) {
          EXPECT_EQ(actual.output, expected.output);
          continue;
        }
        for (size_t i = 0; i < actual.output.size(); i += 4) {
          float u, v;
          std::memcpy(&u, actual.output.data() + i, 4);
          std::memcpy(&v, expected.output.data() + i, 4);
          ASSERT_NEAR(u, v, 1e-5f);
        }
      }
    }
  }
}

// Narrow layers are no reason to leave the widest vectors: narrow panels hold several pixels.
TEST(Depthwise, TheWidestLevelIsPlannedForNarrowLayers) {
  const IsaSet vnni = *isa_by_name("avx512vnni");
  if (!(host_cpu().isa & built_isa()).includes(vnni)) GTEST_SKIP() << "no AVX512-VNNI";
  for (int32_t channels : {8, 16, 24, 32, 96, 144}) {
    testing::GraphBuilder b;
    const auto q = testing::quantized(0.03f, 7);
    const TensorId x = b.input("x", DType::kI8, {1, 9, 10, channels}, q);
    const TensorId w =
        b.constant("w", DType::kI8, {1, 3, 3, channels}, testing::quantized(0.001f, 0));
    const TensorId y = b.activation("y", DType::kI8, {}, q);
    DepthwiseConv2DParams p;
    p.padding.mode = PadMode::kSame;
    b.op(OpKind::kDepthwiseConv2D, p, {x, w}, {y});
    const Result<Graph> graph = b.finish({y});
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_EQ(run_planned(*graph, false, 1).kernel, "qs8_dwconv_4x64c4_avx512vnni") << channels;
  }
}

std::vector<KernelId> depthwise_rows() {
  std::vector<KernelId> ids;
  for (size_t i = 0; i < kernel_catalog().size(); ++i) {
    const KernelDesc& k = kernel_catalog()[i];
    const bool runs = (host_cpu().isa & built_isa()).includes(k.isa);
    // The others' numbers are of 16 bits: tests/exec/half_test.cc.
    const bool halves = k.input == DType::kF16 || k.weights == DType::kF16;
    if (k.cls == KernelClass::kDepthwise && !halves && runs)
      ids.push_back(static_cast<KernelId>(i));
  }
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Depthwise, DepthwiseRow, ::testing::ValuesIn(depthwise_rows()),
                         [](const auto& info) {
                           return std::string(
                               kernel_catalog()[static_cast<size_t>(info.param)].name);
                         });

}  // namespace
}  // namespace pj
