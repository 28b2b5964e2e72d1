// Every row around the matrix products against the reference kernels: awkward sizes and
// quantisations, misaligned operands, guards around the output, parts in any order, and outputs in
// the place of an input. A new row is picked up by itself.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/registry.h"
#include "runtime/base/cpu.h"
#include "runtime/exec/nest.h"
#include "runtime/plan/plan.h"
#include "tests/kernels/element_cases.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using testing::ElementCase;
using Bytes = std::vector<std::byte>;

constexpr size_t kGuard = 64;
constexpr auto kPattern = std::byte{0xA5};

// Memory of a tensor at an odd address (if its type allows), between guards.
class Guarded {
 public:
  explicit Guarded(const Tensor& t)
      : size_(static_cast<size_t>(byte_size(t))),
        first_(kGuard + size_of(t.dtype)),
        bytes_(first_ + size_ + kGuard, kPattern) {}
  std::byte* data() { return bytes_.data() + first_; }
  std::span<std::byte> span() { return {data(), size_}; }
  bool intact() const {
    for (size_t i = 0; i < bytes_.size(); ++i)
      if ((i < first_ || i >= first_ + size_) && bytes_[i] != kPattern) return false;
    return true;
  }

 private:
  size_t size_, first_;
  Bytes bytes_;
};

// The plan of the graph with the rows that `name` names, or with reference kernels for "".
Result<Plan> plan_with(const Graph& graph, const std::string& name) {
  std::vector<KernelDesc> rows(kernel_catalog().begin(), kernel_catalog().end());
  for (KernelDesc& k : rows)
    if (k.cls != KernelClass::kReference && name != k.name) k.isa = IsaSet::from_bits(~uint64_t{0});
  Target target;
  target.isa = host_cpu().isa & built_isa();
  return make_plan(graph, target, rows);
}

// Runs the only step of the plan, last part first.
std::vector<Bytes> run(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs,
                       bool in_place) {
  std::vector<Guarded> in, out;
  for (TensorId id : graph.inputs) in.emplace_back(graph.tensor(id));
  for (TensorId id : graph.outputs) out.emplace_back(graph.tensor(id));
  for (size_t i = 0; i < in.size(); ++i)
    std::copy(inputs[i].begin(), inputs[i].end(), in[i].data());
  auto address = [&](const BufferRef& ref) -> std::byte* {
    const auto i = static_cast<size_t>(ref.index);
    if (ref.space == Space::kInput) return in[i].data() + ref.offset;
    if (ref.space == Space::kConstant)
      return const_cast<std::byte*>(graph.tensors[i].data.bytes.data());
    if (ref.space == Space::kOutput) return (in_place ? in : out)[i].data() + ref.offset;
    return nullptr;
  };
  for (const LoopNest& nest : plan.program.steps[0].members) {
    BoundNest bound{&nest, kernel_function(nest.kernel), {}, {}};
    for (const Operand& o : nest.in) bound.in.push_back(address(o.buffer));
    for (const Operand& o : nest.out) bound.out.push_back(address(o.buffer));
    Workspace workspace;
    workspace.reserve(nest);
    EXPECT_TRUE(workspace.allocate());
    for (int64_t part = part_count(nest); part-- > 0;) run_parts(bound, part, part + 1, workspace);
  }
  std::vector<Bytes> results;
  for (size_t i = 0; i < out.size(); ++i) {
    Guarded& g = (in_place ? in : out)[i];
    results.emplace_back(g.span().begin(), g.span().end());
  }
  for (const Guarded& g : in) EXPECT_TRUE(g.intact());
  for (const Guarded& g : out) EXPECT_TRUE(g.intact());
  return results;
}

enum class Values { kRandom, kLow, kHigh, kSpecial };

// `huge` stands for numbers that are far from 1. Sums of such lose everything else, in any order.
std::vector<Bytes> make_inputs(const Graph& graph, Values v, float huge) {
  testing::GraphBuilder random(static_cast<uint32_t>(graph.tensor(0).shape.count + 7));
  std::vector<Bytes> inputs;
  for (TensorId id : graph.inputs) {
    const Tensor& t = graph.tensor(id);
    Bytes& bytes = inputs.emplace_back(static_cast<size_t>(byte_size(t)));
    random.fill(t.dtype, bytes);
    const bool integer = t.dtype != DType::kF32;
    if (integer && (v == Values::kLow || v == Values::kHigh)) {
      const IntRange r = range_of(t.dtype);
      std::fill(bytes.begin(), bytes.end(),
                static_cast<std::byte>(v == Values::kLow ? r.min : r.max));
    }
    if (integer || v == Values::kRandom) continue;
    using Limits = std::numeric_limits<float>;
    const float special[] = {Limits::quiet_NaN(),
                             Limits::infinity(),
                             -Limits::infinity(),
                             0.0f,
                             -0.0f,
                             huge,
                             -huge,
                             Limits::denorm_min(),
                             0.5f,
                             -2.5f,
                             88.0f};
    for (size_t i = 0; i < bytes.size() / 4; i += v == Values::kSpecial ? 3 : 1) {
      const float x =
          v == Values::kLow ? -100.0f : (v == Values::kHigh ? 100.0f : special[i / 3 % 11]);
      std::memcpy(bytes.data() + i * 4, &x, 4);
    }
  }
  return inputs;
}

// Integers are equal. Floats: the same class of number, and within `tolerance` relative to 1 or to
// the number.
::testing::AssertionResult agree(const Bytes& a, const Bytes& b, DType dtype, float tolerance) {
  if (a == b) return ::testing::AssertionSuccess();
  if (dtype != DType::kF32) return ::testing::AssertionFailure() << "integers differ";
  for (size_t i = 0; i < a.size() / 4; ++i) {
    float x, y;
    std::memcpy(&x, a.data() + i * 4, 4);
    std::memcpy(&y, b.data() + i * 4, 4);
    const bool same = (std::isnan(x) && std::isnan(y)) || x == y ||
                      std::fabs(x - y) <= tolerance * std::max(1.0f, std::fabs(y));
    if (!same) return ::testing::AssertionFailure() << "element " << i << ": " << x << ", " << y;
  }
  return ::testing::AssertionSuccess();
}

// Elementwise kernels must work in the place of an input of the same type and shape.
bool works_in_place(const KernelDesc& row, const Graph& graph) {
  const Tensor &x = graph.tensor(graph.inputs[0]), &y = graph.tensor(graph.outputs[0]);
  bool elementwise = false;
  for (KernelClass cls :
       {KernelClass::kSum, KernelClass::kProduct, KernelClass::kExtreme, KernelClass::kPRelu,
        KernelClass::kNormalize, KernelClass::kNumbers, KernelClass::kSelect, KernelClass::kBinary,
        KernelClass::kUnary, KernelClass::kTable, KernelClass::kSoftmax, KernelClass::kLayerNorm})
    elementwise = elementwise || row.cls == cls;
  return elementwise && x.shape == y.shape && size_of(x.dtype) == size_of(y.dtype);
}

class ElementRow : public ::testing::TestWithParam<KernelId> {};

TEST_P(ElementRow, AgreesWithTheReference) {
  const KernelDesc& row = kernel_catalog()[static_cast<size_t>(GetParam())];
  const std::vector<ElementCase> cases = testing::element_cases(row);
  ASSERT_FALSE(cases.empty()) << "no case for the class of " << row.name;
  for (const ElementCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Result<Plan> expected_plan = plan_with(c.graph, ""), plan = plan_with(c.graph, row.name);
    ASSERT_TRUE(expected_plan && plan);
    ASSERT_EQ(plan->program.steps[0].members[0].kernel, GetParam());
    ASSERT_NE(expected_plan->program.steps[0].members[0].kernel, GetParam());
    // Sums of several numbers, some in another order than the reference's.
    const bool reordered = row.cls == KernelClass::kMatmul || row.cls == KernelClass::kBilinear;
    const bool sums =
        reordered || row.cls == KernelClass::kReduce || row.cls == KernelClass::kLayerNorm;
    const float tolerance = reordered ? 1e-5f : 2e-6f;
    for (Values v : {Values::kRandom, Values::kLow, Values::kHigh, Values::kSpecial}) {
      const std::vector<Bytes> inputs = make_inputs(c.graph, v, sums ? 50.0f : 1e38f);
      const auto expected = run(c.graph, *expected_plan, inputs, false);
      for (bool in_place : {false, true}) {
        if (in_place && !works_in_place(row, c.graph)) continue;
        const auto actual = run(c.graph, *plan, inputs, in_place);
        for (size_t i = 0; i < actual.size(); ++i) {
          const DType dtype = c.graph.tensor(c.graph.outputs[i]).dtype;
          ASSERT_TRUE(agree(actual[i], expected[i], dtype, tolerance)) << "values " << int(v);
        }
      }
    }
  }
}

std::vector<KernelId> element_rows() {
  std::vector<KernelId> ids;
  for (size_t i = 0; i < kernel_catalog().size(); ++i) {
    const KernelDesc& k = kernel_catalog()[i];
    const bool convolves = k.cls == KernelClass::kConv || k.cls == KernelClass::kDepthwise ||
                           k.cls == KernelClass::kReference;
    // tests/exec/half_test.cc has those of f16 activations, which no reference has.
    const bool half = k.input == DType::kF16 || k.output == DType::kF16;
    if (!convolves && !half && (host_cpu().isa & built_isa()).includes(k.isa))
      ids.push_back(static_cast<KernelId>(i));
  }
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Catalog, ElementRow, ::testing::ValuesIn(element_rows()),
                         [](const auto& info) {
                           return std::string(
                               kernel_catalog()[static_cast<size_t>(info.param)].name);
                         });

}  // namespace
}  // namespace pj
