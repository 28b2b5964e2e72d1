// Every row of the catalog against the reference kernels, over awkward shapes and extreme values.
// A new row is picked up by itself.
#include "kernels/catalog/catalog.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <functional>
#include <limits>
#include <list>
#include <regex>
#include <set>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using Bytes = std::vector<std::byte>;

struct ConvCase {
  int32_t batch, height, width, in_c, out_c;  // depthwise: out_c is ignored
  int32_t kernel_h, kernel_w, stride, dilation;
  Padding pad;
  Activation activation = Activation::kNone;
  float scale = 1;          // factor of the weights' scale
  bool multiplied = false;  // a depthwise convolution of one channel, planned as an ordinary one
};

constexpr Padding kSame{PadMode::kSame}, kValid{PadMode::kValid};
constexpr auto kNone = Activation::kNone, kRelu = Activation::kRelu, kRelu6 = Activation::kRelu6;

const ConvCase kCases[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, kValid},
    {1, 5, 7, 3, 16, 3, 3, 2, 1, kSame, kRelu6},
    {2, 6, 5, 17, 31, 1, 1, 1, 1, kValid},
    {1, 9, 9, 8, 33, 3, 3, 1, 2, kSame, kRelu},
    {1, 4, 13, 15, 7, 5, 5, 1, 1, kSame, Activation::kReluN1To1},
    {3, 3, 3, 64, 64, 3, 1, 2, 1, kValid},
    {1, 2, 2, 2, 5, 5, 5, 1, 1, kSame},
    {1, 1, 67, 130, 9, 1, 1, 1, 1, kValid, kRelu},
    {1, 8, 8, 4, 12, 2, 4, 3, 1, kSame},
    // Pixels and channels around the sizes of blocks.
    {1, 1, 23, 4, 17, 1, 1, 1, 1, kValid},
    {1, 1, 25, 5, 47, 1, 1, 1, 1, kValid},
    {1, 1, 11, 1, 65, 1, 1, 1, 1, kValid, kRelu6},
    {1, 1, 13, 31, 113, 1, 1, 1, 1, kValid},
    {2, 1, 1, 67, 129, 1, 1, 1, 1, kValid},
    {1, 37, 1, 3, 15, 1, 1, 2, 1, kValid},
    // Few input channels: blocks that overlap, an even or odd number of them, of 4, 2 and 1 panels.
    {1, 1, 29, 20, 48, 1, 1, 1, 1, kValid},
    {1, 3, 15, 12, 64, 1, 1, 1, 1, kValid},
    {1, 1, 6, 48, 112, 1, 1, 1, 1, kValid},
    {1, 5, 5, 35, 80, 1, 1, 1, 1, kValid},
    {1, 5, 5, 13, 128, 1, 1, 2, 1, kValid},
    {1, 1, 29, 20, 56, 1, 1, 1, 1, kValid},
    // Pixels of 16 bytes one behind the other.
    {1, 1, 37, 16, 64, 1, 1, 1, 1, kValid},
    {1, 5, 16, 16, 20, 3, 1, 1, 1, kValid},
    // Windows that hang over on every side, on one, and by more than the image is large.
    {2, 7, 7, 1, 8, 7, 7, 2, 1, kSame},
    {1, 11, 5, 1, 19, 10, 4, 2, 1, kSame, kRelu},
    {1, 5, 11, 2, 6, 1, 7, 1, 1, kSame},
    {1, 6, 7, 3, 10, 3, 3, 1, 1, {PadMode::kExplicit, 0, 2, 1, 0}},
    {1, 6, 7, 5, 10, 3, 2, 2, 1, {PadMode::kExplicit, 3, 0, 0, 5}},
    {1, 3, 3, 6, 5, 1, 1, 1, 1, {PadMode::kExplicit, 1, 1, 2, 1}},
    {1, 10, 9, 7, 16, 3, 3, 1, 3, kSame},
    {1, 10, 9, 4, 20, 2, 3, 2, 2, kValid, kRelu},
    {1, 6, 7, 1, 21, 3, 3, 1, 1, kSame, kNone, 1, true},
    {1, 9, 9, 1, 5, 3, 2, 2, 2, kSame, kNone, 1, true},
    // Results far below 1, at the ends of the range, and past that of int32.
    {1, 4, 9, 12, 21, 1, 1, 1, 1, kValid, kNone, 1e-4f},
    {1, 4, 9, 12, 64, 1, 1, 1, 1, kValid, kRelu, 1e3f},
    {1, 4, 9, 12, 37, 3, 3, 1, 1, kSame, kNone, 1e7f},
};

// How values are chosen: random, or all at an end of their range; kHigh floats are random with
// special values among them. kSmall: inputs at either end, weights 63 from their zero point, as far
// as four products certainly fit 16 bits.
enum class Values { kRandom, kLow, kHigh, kSmall };

bool any_value(Values v) { return v == Values::kRandom || v == Values::kSmall; }

Quantization activation_quant(DType type, Values v) {
  if (type == DType::kF32) return {};
  const IntRange r = range_of(type);
  const int32_t zero = any_value(v) ? r.min + 93 : (v == Values::kLow ? r.max : r.min);
  return testing::quantized(0.031f, zero);
}

// A case that the row is for: with fewer output channels, or as like as possible a layer of eight
// channels.
ConvCase fitting(const KernelDesc& k, const ConvCase& any) {
  ConvCase c = any;
  auto fits = [&] {
    ConvKernelParams p;
    p.kernel_h = c.kernel_h;
    p.kernel_w = c.kernel_w;
    p.stride_h = p.stride_w = c.stride;
    p.dilation_h = p.dilation_w = c.dilation;
    // A depthwise convolution of one channel is planned as an ordinary one.
    if (k.cls == KernelClass::kDepthwise) c.out_c = c.in_c = std::max(c.in_c, 2);
    p.in_channels = c.in_c;
    p.out_channels = c.out_c;
    return k.fits(p);
  };
  for (; !fits() && c.out_c > 2 && k.cls == KernelClass::kConv; c.out_c = (c.out_c + 1) / 2) {
  }
  if (!fits()) c.in_c = 8, c.multiplied = false;
  if (!fits()) c.stride = 1;
  if (!fits()) c.kernel_h = c.kernel_w = 3, c.dilation = 1, c.pad = kSame;
  // Or of whole vectors of channels.
  if (!fits()) c.in_c = 16 + any.in_c % 48 / 8 * 8, c.out_c = 8 + any.out_c % 56 / 8 * 8;
  return c;
}

bool fits_dilation(const KernelDesc& k, int32_t dilation) {
  ConvKernelParams p;
  p.dilation_h = p.dilation_w = dilation;
  return k.fits(p);
}

// Puts what is no ordinary number into every 13th place. Of infinities, Winograd's algorithm may
// make NaN (winograd_test.cc).
void add_special_values(const KernelDesc& k, Bytes& input) {
  using Limits = std::numeric_limits<float>;
  const bool winograd = k.packing == PackingId::kConvWinograd;
  const float infinity = winograd ? Limits::quiet_NaN() : Limits::infinity();
  const float special[] = {Limits::quiet_NaN(), -0.0f, infinity,      Limits::denorm_min(),
                           -infinity,           0.0f,  -Limits::min()};
  for (size_t i = 0; i < input.size() / 4; i += 13)
    std::memcpy(input.data() + i * 4, &special[i / 13 % std::size(special)], 4);
}

Result<Graph> single_op(const KernelDesc& k, const ConvCase& c, Values v) {
  testing::GraphBuilder b(static_cast<uint32_t>(c.height * 31 + c.in_c));
  const bool depthwise = k.cls == KernelClass::kDepthwise;
  const int32_t in_c = c.in_c, out_c = c.out_c;
  const TensorId x =
      b.input("x", k.input, {c.batch, c.height, c.width, in_c}, activation_quant(k.input, v));
  const bool depthwise_op = depthwise || c.multiplied;
  const Shape shape = depthwise_op ? Shape{1, c.kernel_h, c.kernel_w, out_c}
                                   : Shape{out_c, c.kernel_h, c.kernel_w, in_c};
  Quantization wq;
  const float scale = 0.0007f * c.scale;
  if (k.weights == DType::kI8) wq = testing::per_channel(out_c, depthwise_op ? 3 : 0, scale);
  if (k.weights == DType::kU8) wq = testing::quantized(scale, v == Values::kHigh ? 0 : 131);
  Bytes w_bytes(static_cast<size_t>(elements(shape)) * size_of(k.weights));
  b.fill(k.weights, w_bytes);
  if (v == Values::kSmall) {
    for (std::byte& w : w_bytes)
      w = static_cast<std::byte>((w & std::byte{1}) == std::byte{0} ? 131 - 63 : 131 + 63);
  }
  if (!any_value(v) && size_of(k.weights) == 1) {
    const IntRange r = range_of(k.weights);
    std::fill(w_bytes.begin(), w_bytes.end(),
              static_cast<std::byte>(v == Values::kLow ? r.min : r.max));
  }
  const TensorId w = b.constant("w", k.weights, shape, w_bytes, wq);
  const bool integer = k.input != DType::kF32;
  const DType bias_type = integer ? DType::kI32 : k.weights;
  Bytes bias_bytes(static_cast<size_t>(out_c) * size_of(bias_type));
  b.fill(bias_type, bias_bytes);
  // Sums that pass the range of int32 wrap.
  const int32_t extreme = v == Values::kLow ? INT32_MIN : INT32_MAX;
  for (size_t i = 0; integer && !any_value(v) && i < bias_bytes.size(); i += 4)
    std::memcpy(bias_bytes.data() + i, &extreme, 4);
  const TensorId bias = b.constant("bias", bias_type, {out_c}, bias_bytes);
  const TensorId y = b.activation(
      "y", k.output, {},
      integer ? testing::quantized(0.17f, k.output == DType::kU8 ? 120 : -11) : Quantization{});
  Conv2DParams p;
  p.stride_h = p.stride_w = c.stride;
  p.dilation_h = p.dilation_w = fits_dilation(k, c.dilation) ? c.dilation : 1;
  p.padding = c.pad;
  p.activation = c.activation;
  if (depthwise_op) {
    DepthwiseConv2DParams d;
    static_cast<Conv2DParams&>(d) = p;
    b.op(OpKind::kDepthwiseConv2D, d, {x, w, bias}, {y});
  } else {
    b.op(OpKind::kConv2D, p, {x, w, bias}, {y});
  }
  return b.finish({y});
}

// A copy of bytes between two pages that nobody may touch, at the start or the end of the memory
// in between: a kernel that reads or writes past an operand crashes.
class Fenced {
 public:
  Fenced(const Bytes& bytes, bool at_end) : size_(bytes.size()) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t inner = (size_ + page - 1) / page * page;
    mapped_ = inner + 2 * page;
    void* memory = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    memory_ = static_cast<std::byte*>(memory);
    EXPECT_EQ(mprotect(memory_ + page, inner, PROT_READ | PROT_WRITE), 0);
    data_ = memory_ + page + (at_end ? inner - size_ : 0);
    std::memcpy(data_, bytes.data(), size_);
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  ~Fenced() { munmap(memory_, mapped_); }

  std::span<std::byte> span() { return {data_, size_}; }
  Bytes copy() const { return {data_, data_ + size_}; }

 private:
  size_t size_, mapped_;
  std::byte *memory_, *data_;
};

struct RunResult {
  Bytes output;
  std::string kernel;
};

// Runs the graph with the rows that `keep` accepts, with input and output at the start or the end
// of what may be touched.
RunResult run(const Graph& graph, const Bytes& input,
              const std::function<bool(const KernelDesc&)>& keep, int threads, bool at_end) {
  // Rows keep their places, so that ids stay valid: others are turned into what never fits.
  static std::list<std::vector<KernelDesc>> catalogs;
  std::vector<KernelDesc>& catalog =
      catalogs.emplace_back(kernel_catalog().begin(), kernel_catalog().end());
  for (KernelDesc& k : catalog)
    if (k.cls != KernelClass::kReference && !keep(k)) k.isa = IsaSet::from_bits(~uint64_t{0});
  ModelOptions options;
  options.catalog = catalog;
  options.target.isa = host_cpu().isa & built_isa();
  options.target.l1_bytes = 2048;  // so that small shapes have several blocks
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  Session& s = **session;

  Fenced in(input, at_end);
  Fenced out(Bytes(s.output_data(0).size(), std::byte{0xA5}), at_end);
  EXPECT_TRUE(s.bind_input(0, in.span()));
  EXPECT_TRUE(s.bind_output(0, out.span()));
  EXPECT_TRUE(s.run());
  EXPECT_EQ(in.copy(), input);
  const KernelId id = s.program().steps[0].members[0].kernel;
  return {out.copy(), catalog[static_cast<size_t>(id)].name};
}

// Floats: NaN and infinities in the same places; sums of n products in another order differ by at
// most about n * 2^-24 of the sum of magnitudes (Higham, Accuracy and Stability of Numerical
// Algorithms, section 3.1).
void expect_close(const Bytes& a, const Bytes& b, int32_t terms) {
  ASSERT_EQ(a.size(), b.size());
  const float bound = static_cast<float>(terms + 1) * static_cast<float>(terms + 1) * 6e-8f;
  for (size_t i = 0; i < a.size(); i += 4) {
    float x, y;
    std::memcpy(&x, a.data() + i, 4);
    std::memcpy(&y, b.data() + i, 4);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    ASSERT_LE(std::fabs(x - y), bound) << "element " << i / 4;
  }
}

class Row : public ::testing::TestWithParam<KernelId> {};

TEST_P(Row, MatchesTheReference) {
  const KernelDesc& row = kernel_catalog()[static_cast<size_t>(GetParam())];
  ASSERT_TRUE((host_cpu().isa & built_isa()).includes(row.isa));
  for (const ConvCase& any : kCases) {
    const ConvCase c = fitting(row, any);
    for (Values v : {Values::kRandom, Values::kLow, Values::kHigh, Values::kSmall}) {
      if (v == Values::kSmall && row.weights != DType::kU8) continue;
      SCOPED_TRACE(fmt::format("{}x{}x{}x{} -> {}, {}x{}, stride {}, values {}", c.batch, c.height,
                               c.width, c.in_c, c.out_c, c.kernel_h, c.kernel_w, c.stride,
                               static_cast<int>(v)));
      const Result<Graph> graph = single_op(row, c, v);
      ASSERT_TRUE(graph) << graph.error().message;
      const Tensor& x = graph->tensor(graph->inputs[0]);
      Bytes input(static_cast<size_t>(byte_size(x)));
      testing::GraphBuilder(99).fill(x.dtype, input);
      if (v == Values::kHigh && x.dtype == DType::kF32) add_special_values(row, input);
      if (v == Values::kSmall) {
        for (std::byte& i : input) i = i < std::byte{128} ? std::byte{0} : std::byte{255};
      }
      if (!any_value(v) && x.dtype != DType::kF32) {
        const IntRange r = range_of(x.dtype);
        std::fill(input.begin(), input.end(),
                  static_cast<std::byte>(v == Values::kLow ? r.min : r.max));
      }
      const RunResult expected = run(
          *graph, input, [](const KernelDesc&) { return false; }, 1, false);
      for (int threads : {1, 2}) {
        const RunResult actual = run(
            *graph, input, [&](const KernelDesc& k) { return std::string(k.name) == row.name; },
            threads, threads == 1);
        ASSERT_EQ(actual.kernel, row.name);
        ASSERT_NE(expected.kernel, row.name);
        if (x.dtype == DType::kF32) {
          expect_close(actual.output, expected.output, c.in_c * c.kernel_h * c.kernel_w);
        } else {
          ASSERT_EQ(actual.output, expected.output);
        }
      }
    }
  }
}

// Convolutions that this machine can run. elements_test.cc has the other rows.
std::vector<KernelId> runnable_rows() {
  std::vector<KernelId> ids;
  for (size_t i = 0; i < kernel_catalog().size(); ++i) {
    const KernelDesc& k = kernel_catalog()[i];
    const bool runs = (host_cpu().isa & built_isa()).includes(k.isa);
    const bool convolves = k.cls == KernelClass::kConv || k.cls == KernelClass::kDepthwise;
    // Those of f16 activations, which no reference has: tests/exec/half_test.cc.
    if (convolves && runs && k.input != DType::kF16) ids.push_back(static_cast<KernelId>(i));
  }
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Catalog, Row, ::testing::ValuesIn(runnable_rows()), [](const auto& info) {
  return std::string(kernel_catalog()[static_cast<size_t>(info.param)].name);
});

TEST(Catalog, NamesFollowTheGrammar) {
  // docs/kernel-names.md
  const std::regex grammar(
      "(f32|f32h|f16|qs8|qu8)_(conv|wgconv|dwconv)_[0-9]+x[0-9]+c[0-9]+_[a-z0-9]+");
  for (const KernelDesc& k : kernel_catalog()) {
    if (k.cls != KernelClass::kConv && k.cls != KernelClass::kDepthwise) continue;
    EXPECT_TRUE(std::regex_match(k.name, grammar)) << k.name;
    EXPECT_THAT(k.name, ::testing::HasSubstr(fmt::format("{}x{}c{}", k.mr, k.nr, k.kr)));
  }
}

TEST(Catalog, NamesAreUniqueAndEveryBuildableRowHasCode) {
  std::set<std::string> names;
  for (size_t i = 0; i < kernel_catalog().size(); ++i) {
    const KernelDesc& k = kernel_catalog()[i];
    EXPECT_TRUE(names.insert(k.name).second) << k.name;
    EXPECT_EQ(find_kernel(kernel_catalog(), k.name), static_cast<KernelId>(i));
    if (!built_isa().includes(k.isa)) continue;
    EXPECT_NE(kernel_function(static_cast<KernelId>(i)), nullptr);
  }
  EXPECT_EQ(find_kernel(kernel_catalog(), "no such kernel"), std::nullopt);
}

}  // namespace
}  // namespace pj
