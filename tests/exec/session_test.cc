#include "runtime/exec/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/registry.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

std::shared_ptr<Model> block_model(const PreparedOpFactory* prepared = nullptr) {
  Result<Graph> graph = testing::inverted_residual(28, 28, 16, 96);
  ModelOptions options;
  options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
  options.prepared = prepared;
  auto model = Model::create(*graph, options);
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

std::vector<std::byte> output_of(Session& s) {
  const auto out = s.output_data(0);
  return {out.begin(), out.end()};
}

void fill_input(Session& s) { testing::GraphBuilder(3).fill(s.input(0).dtype, s.input_data(0)); }

TEST(Session, AnyThreadsAndPoolGiveTheSameBits) {
  auto model = block_model();
  std::vector<std::byte> expected;
  for (PoolKind kind : {PoolKind::kPthreadpool, PoolKind::kBuiltin}) {
    for (int threads : {1, 2, 3, 5}) {
      auto session = Session::create(model, {.threads = threads, .pool_kind = kind});
      ASSERT_TRUE(session) << session.error().message;
      fill_input(**session);
      for (int run = 0; run < 3; ++run) ASSERT_TRUE((*session)->run());
      if (expected.empty()) expected = output_of(**session);
      EXPECT_EQ(output_of(**session), expected);
    }
  }
}

TEST(Session, SessionsShareWeightsAndInputsKeepTheirValues) {
  auto model = block_model();
  auto a = *Session::create(model), b = *Session::create(model);
  EXPECT_EQ(&a->compiled(), &b->compiled());
  fill_input(*a);
  const std::vector<std::byte> input(a->input_data(0).begin(), a->input_data(0).end());
  ASSERT_TRUE(a->run());
  EXPECT_TRUE(std::equal(input.begin(), input.end(), a->input_data(0).begin()));
}

TEST(Session, ResizingPlansAgainAndSharesPackedWeights) {
  auto model = block_model();
  auto s = *Session::create(model), original = *Session::create(model);
  ASSERT_TRUE(s->resize_input(0, {2, 11, 5, 16}));
  EXPECT_EQ(s->output(0).shape, (Shape{2, 11, 5, 16}));
  EXPECT_EQ(s->output_data(0).size(), 2u * 11 * 5 * 16);
  EXPECT_EQ(s->compiled().packed[0].bytes.data(), original->compiled().packed[0].bytes.data());
  fill_input(*s);
  ASSERT_TRUE(s->run());

  // An impossible shape leaves the session as it was.
  const Status bad = s->resize_input(0, {2, 11, 5, 17});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kModelInvalid);
  EXPECT_EQ(s->input(0).shape, (Shape{2, 11, 5, 16}));
  ASSERT_TRUE(s->run());
  EXPECT_FALSE(s->resize_input(0, {11, 5, 16}));
  EXPECT_FALSE(s->resize_input(0, {kUnknownDim, 11, 5, 16}));
}

TEST(Session, WaitsForUnknownShapes) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {kUnknownDim, kUnknownDim});
  const TensorId y = b.activation("y", DType::kF32, {kUnknownDim, kUnknownDim});
  b.op(OpKind::kUnary, UnaryParams{UnaryFn::kNeg, 0}, {x}, {y});
  const ModelOptions options;
  auto model = Model::create(*b.finish({y}), options);
  ASSERT_TRUE(model) << model.error().message;
  auto s = *Session::create(*model);
  EXPECT_FALSE(s->prepared());
  EXPECT_EQ(s->run().error().code, ErrorCode::kWrongState);
  EXPECT_TRUE(s->input_data(0).empty());
  ASSERT_TRUE(s->resize_input(0, {3, 4}));
  ASSERT_TRUE(s->run());
  EXPECT_EQ(s->output_data(0).size(), 48u);
}

TEST(Session, AnUnknownBatchStartsAsOne) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {kUnknownDim, 4});
  const TensorId y = b.activation("y", DType::kF32, {kUnknownDim, 4});
  b.op(OpKind::kUnary, UnaryParams{UnaryFn::kNeg, 0}, {x}, {y});
  const ModelOptions options;
  auto s = *Session::create(*Model::create(*b.finish({y}), options));
  EXPECT_EQ(s->input(0).shape, (Shape{1, 4}));
  ASSERT_TRUE(s->run());
  ASSERT_TRUE(s->resize_input(0, {5, 4}));
  EXPECT_EQ(s->output(0).shape, (Shape{5, 4}));
}

TEST(Session, BindsTheCallersMemory) {
  auto s = *Session::create(block_model());
  fill_input(*s);
  ASSERT_TRUE(s->run());
  std::vector<std::byte> in(s->input_data(0).begin(), s->input_data(0).end());
  const std::vector<std::byte> expected = output_of(*s);
  std::vector<std::byte> out(expected.size());
  ASSERT_TRUE(s->bind_input(0, in));
  ASSERT_TRUE(s->bind_output(0, out));
  ASSERT_TRUE(s->run());
  EXPECT_EQ(out, expected);
  out.pop_back();
  const Status bad = s->bind_output(0, out);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("'y'"), std::string::npos);
}

TEST(Session, ObservesAndTimesEveryStep) {
  auto s = *Session::create(block_model(), {.threads = 2});
  fill_input(*s);
  std::set<size_t> seen;
  ASSERT_TRUE(s->run(
      [](void* set, size_t step) { static_cast<std::set<size_t>*>(set)->insert(step); }, &seen));
  EXPECT_EQ(seen.size(), s->program().steps.size());
  EXPECT_EQ(s->step_output(0, 0).size(), 28u * 28 * 96);
  Profile profile = s->make_profile();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(s->run(profile));
  EXPECT_EQ(profile.runs, 3);
  int64_t sum = 0;
  for (const StepTime& t : profile.steps) sum += t.ns;
  EXPECT_GT(sum, 0);
  EXPECT_LE(sum, profile.total_ns);
}

// Every step with a copy of its weights, those of bands and of several threads too.
TEST(Session, StepsRunWithCopiesOfTheirWeights) {
  for (const int threads : {1, 2}) {
    auto s = *Session::create(block_model(), {.threads = threads});
    fill_input(*s);
    ASSERT_TRUE(s->run());
    const std::vector<std::byte> expected = output_of(*s);
    std::vector<AlignedBuffer> memory;
    std::vector<WeightCopy> copies;
    const size_t steps = s->program().steps.size();
    for (size_t i = 0; i < steps; ++i) {
      memory.emplace_back(s->weight_bytes(i));
      copies.push_back(*s->copy_weights(i, memory[i].bytes()));
    }
    const auto run = [&] {
      for (size_t i = 0; i < steps; ++i) EXPECT_TRUE(s->run_step(i, copies[i]));
      return output_of(*s);
    };
    EXPECT_EQ(run(), expected);
    // It is the copies that are read, and only with them.
    for (AlignedBuffer& copy : memory) std::ranges::fill(copy.bytes(), std::byte{0});
    EXPECT_NE(run(), expected);
    ASSERT_TRUE(s->run());
    EXPECT_EQ(output_of(*s), expected);
  }
}

// A prepared operator that computes nothing but counts.
class CountingOp final : public PreparedOp {
 public:
  explicit CountingOp(int& runs) : runs_(runs) {}
  Status bind(std::span<const PreparedInput> in, std::span<std::byte* const> out,
              ThreadPool&) override {
    EXPECT_EQ(in.size(), 2u);
    EXPECT_EQ(out.size(), 1u);
    EXPECT_NE(out[0], nullptr);
    bound_ = true;
    return {};
  }
  Status run(ThreadPool& pool) override {
    EXPECT_TRUE(bound_);
    EXPECT_EQ(pool.threads(), 1);
    ++runs_;
    return {};
  }

 private:
  int& runs_;
  bool bound_ = false;
};
class CountingFactory final : public PreparedOpFactory {
 public:
  bool offers(const Graph&, const Op& op) const override { return op.kind == OpKind::kBinary; }
  Result<std::unique_ptr<PreparedOp>> make(const Graph&, const Op&) const override {
    return std::make_unique<CountingOp>(runs);
  }
  std::string kernel_name(const Op&) const override { return "counting"; }
  mutable int runs = 0;
};

TEST(Session, RunsPreparedOperatorsInTheirPlace) {
  CountingFactory factory;
  auto s = *Session::create(block_model(&factory));
  EXPECT_TRUE(s->program().steps[3].prepared);
  ASSERT_TRUE(s->run());
  ASSERT_TRUE(s->run());
  EXPECT_EQ(factory.runs, 2);
}

TEST(Session, BadThreadCountsAreErrors) {
  auto model = block_model();
  for (int threads : {0, -1, 100000}) {
    const auto s = Session::create(model, {.threads = threads});
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Model, RefusesKernelsThatTheHostLacks) {
  Result<Graph> graph = testing::inverted_residual(8, 8, 16, 32);
  std::vector<KernelDesc> catalog(kernel_catalog().begin(), kernel_catalog().end());
  const IsaSet alien = IsaSet::from_bits(uint64_t{1} << 50);
  for (KernelDesc& k : catalog)
    if (k.cls != KernelClass::kReference) k.isa = alien;
  ModelOptions options;
  options.target.isa = alien;
  options.catalog = catalog;
  auto model = Model::create(*graph, options);
  ASSERT_TRUE(model);
  const auto s = Session::create(*model);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kPlatformUnsupported);
}

}  // namespace
}  // namespace pj
