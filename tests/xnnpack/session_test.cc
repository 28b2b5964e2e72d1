// XNNPACK's operators within sessions: when they are used, and what memory they touch.
#include "runtime/exec/session.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "kernels/registry.h"
#include "runtime/exec/xnnpack/xnnpack.h"
#include "tests/support/graphs.h"
#include "tests/xnnpack/require.h"

namespace pj {
namespace {

ModelOptions host_options(XnnpackMode mode) {
  ModelOptions options;
  options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
  EXPECT_TRUE(use_xnnpack(mode, options));
  return options;
}

std::shared_ptr<Model> block_model(const ModelOptions& options) {
  auto model = Model::create(*testing::inverted_residual(28, 28, 16, 96), options);
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

std::vector<std::byte> noise(Session& s) {
  std::vector<std::byte> bytes(s.input_data(0).size());
  testing::GraphBuilder(3).fill(s.input(0).dtype, bytes);
  return bytes;
}

std::vector<std::byte> output_of(Session& s) {
  return {s.output_data(0).begin(), s.output_data(0).end()};
}

// Of the three convolutions; the sum may be an epilogue of the last.
std::vector<bool> prepared_steps(ModelOptions options) {
  options.bands = false;  // which would make one step of several
  const auto session = *Session::create(block_model(options));
  std::vector<bool> prepared;
  for (size_t i = 0; i < 3; ++i) prepared.push_back(session->program().steps[i].prepared);
  return prepared;
}

const std::vector<bool> kConvolutions = {true, true, true};
const std::vector<bool> kNone = {false, false, false};

TEST(XnnpackMode, Names) {
  EXPECT_EQ(*xnnpack_mode_by_name("off"), XnnpackMode::kOff);
  EXPECT_EQ(*xnnpack_mode_by_name("auto"), XnnpackMode::kAuto);
  EXPECT_EQ(*xnnpack_mode_by_name("only"), XnnpackMode::kOnly);
  const auto bad = xnnpack_mode_by_name("always");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
}

TEST(XnnpackMode, OnlyWithoutXnnpackIsAnError) {
  ModelOptions options;
  const Status only = use_xnnpack(XnnpackMode::kOnly, options);
  EXPECT_EQ(only.has_value(), xnnpack_generation() != nullptr);
  if (only) return;
  EXPECT_EQ(only.error().code, ErrorCode::kPlatformUnsupported);
  EXPECT_NE(only.error().message.find("libxnnpack-dev"), std::string::npos);
  EXPECT_TRUE(use_xnnpack(XnnpackMode::kAuto, options));
  EXPECT_EQ(options.prepared, nullptr);
}

TEST(XnnpackMode, AutoLeavesTunedKernelsTheirLayers) {
  PJ_REQUIRE_XNNPACK();
  EXPECT_EQ(prepared_steps(host_options(XnnpackMode::kOff)), kNone);
  std::vector<KernelDesc> catalog(kernel_catalog().begin(), kernel_catalog().end());
  for (const bool tuned : {false, true}) {
    for (KernelDesc& k : catalog)
      if (k.cls == KernelClass::kConv) k.tuned = tuned;
    for (KernelDesc& k : catalog)
      if (k.cls == KernelClass::kDepthwise) k.tuned = false;
    ModelOptions options = host_options(XnnpackMode::kAuto);
    options.catalog = catalog;
    EXPECT_EQ(prepared_steps(options),
              tuned ? (std::vector<bool>{false, true, false}) : kConvolutions);
    options = host_options(XnnpackMode::kOnly);
    options.catalog = catalog;
    EXPECT_EQ(prepared_steps(options), kConvolutions);
  }
}

TEST(XnnpackMode, AutoKeepsToALesserTarget) {
  PJ_REQUIRE_XNNPACK();
  if ((host_cpu().isa & built_isa()) == IsaSet{}) GTEST_SKIP() << "this CPU has no lesser target";
  ModelOptions options;  // scalar
  ASSERT_TRUE(use_xnnpack(XnnpackMode::kAuto, options));
  EXPECT_EQ(prepared_steps(options), kNone);
  ASSERT_TRUE(use_xnnpack(XnnpackMode::kOnly, options));
  EXPECT_EQ(prepared_steps(options), kConvolutions);
}

TEST(XnnpackMode, AutoWidensNoWeights) {
  PJ_REQUIRE_XNNPACK();
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, 20}), y = b.activation("y", DType::kF32, {});
  const TensorId w = b.constant("w", DType::kF16, {5, 20});
  b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {x, w}, {y});
  const Result<Graph> graph = b.finish({y});
  ASSERT_TRUE(graph) << graph.error().message;
  for (const XnnpackMode mode : {XnnpackMode::kAuto, XnnpackMode::kOnly}) {
    const auto s = *Session::create(*Model::create(*graph, host_options(mode)));
    EXPECT_EQ(s->program().steps[0].prepared, mode == XnnpackMode::kOnly);
  }
}

TEST(XnnpackSession, FollowsBoundMemory) {
  PJ_REQUIRE_XNNPACK();
  auto own = *Session::create(block_model(host_options(XnnpackMode::kOff)));
  const std::vector<std::byte> input = noise(*own);
  std::copy(input.begin(), input.end(), own->input_data(0).begin());
  ASSERT_TRUE(own->run());

  for (const PoolKind kind : {PoolKind::kPthreadpool, PoolKind::kBuiltin}) {
    auto s = *Session::create(block_model(host_options(XnnpackMode::kOnly)),
                              {.threads = 2, .pool_kind = kind});
    for (int turn = 0; turn < 3; ++turn) {
      std::vector<std::byte> in = input, out(own->output_data(0).size());
      ASSERT_TRUE(s->bind_input(0, in));
      ASSERT_TRUE(s->bind_output(0, out));
      ASSERT_TRUE(s->run());
      EXPECT_EQ(out, output_of(*own));
      EXPECT_EQ(in, input);
    }
  }
}

// Memory that ends with its page, before one that must not be read.
class GuardedMemory {
 public:
  explicit GuardedMemory(size_t size) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    readable_ = round_up(size, page);
    bytes_ = readable_ + page;
    void* p = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(p, MAP_FAILED);
    base_ = static_cast<std::byte*>(p);
    EXPECT_EQ(mprotect(base_ + readable_, page, PROT_NONE), 0);
    tensor = {base_ + readable_ - size, size};
  }
  ~GuardedMemory() { munmap(base_, bytes_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  std::span<std::byte> tensor;

 private:
  std::byte* base_ = nullptr;
  size_t readable_ = 0, bytes_ = 0;
};

// XNNPACK loads whole vectors: 13 channels are not a multiple of any.
TEST(XnnpackSession, ReadsNothingBeyondTheLastPageOfItsInput) {
  PJ_REQUIRE_XNNPACK();
  for (const OpKind kind : {OpKind::kConv2D, OpKind::kDepthwiseConv2D}) {
    testing::GraphBuilder b;
    constexpr int32_t kChannels = 13;
    const bool depthwise = kind == OpKind::kDepthwiseConv2D;
    const TensorId x = b.input("x", DType::kI8, {1, 5, 7, kChannels}, testing::quantized(0.02f, 3));
    const Shape shape = depthwise ? Shape{1, 3, 3, kChannels} : Shape{9, 1, 1, kChannels};
    const TensorId w = b.constant("w", DType::kI8, shape, testing::quantized(0.01f, 0));
    const TensorId y = b.activation("y", DType::kI8, {}, testing::quantized(0.1f, -5));
    if (depthwise) {
      b.op(kind, DepthwiseConv2DParams{}, {x, w}, {y});
    } else {
      b.op(kind, Conv2DParams{}, {x, w}, {y});
    }
    const Result<Graph> graph = b.finish({y});
    ASSERT_TRUE(graph) << graph.error().message;
    auto own = *Session::create(*Model::create(*graph, host_options(XnnpackMode::kOff)));
    auto s = *Session::create(*Model::create(*graph, host_options(XnnpackMode::kOnly)));
    ASSERT_TRUE(s->program().steps[0].prepared);

    const std::vector<std::byte> input = noise(*s);
    GuardedMemory in(input.size()), out(s->output_data(0).size());
    ASSERT_TRUE(s->bind_input(0, in.tensor));
    ASSERT_TRUE(s->bind_output(0, out.tensor));
    std::copy(input.begin(), input.end(), in.tensor.begin());
    std::copy(input.begin(), input.end(), own->input_data(0).begin());
    ASSERT_TRUE(s->run());
    ASSERT_TRUE(own->run());
    EXPECT_TRUE(std::equal(out.tensor.begin(), out.tensor.end(), own->output_data(0).begin()));
  }
}

}  // namespace
}  // namespace pj
