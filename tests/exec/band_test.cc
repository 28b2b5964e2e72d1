// A hand-written Program passes expand -> depthwise -> project row by row through ring buffers,
// with the kernels that run whole layers, and gives the same bits.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/conv/conv.h"
#include "kernels/registry.h"
#include "runtime/exec/nest.h"
#include "runtime/plan/lower.h"
#include "runtime/plan/plan.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using Bytes = std::vector<std::byte>;

// Turns the operand into a ring of `rows` rows of the same length.
void make_ring(Operand& o, int32_t rows) {
  o.ring_rows = rows;
  o.bytes = rows * o.stride[kRow];
}

// The two pointwise convolutions were planned over all pixels as one row: gives them rows again.
void unflatten(LoopNest& nest, int32_t height, int32_t width) {
  nest.extent[kRow] = height;
  nest.extent[kCol] = width;
  nest.window.rows = height;
  nest.in[0].stride[kRow] = nest.in[0].bytes / height;
  nest.out[0].stride[kRow] = nest.out[0].bytes / height;
  ConvKernelParams p;
  std::memcpy(&p, nest.params.data(), sizeof(p));
  p.in_width = width;
  p.out_row_bytes = width * p.out_col_bytes;
  std::memcpy(nest.params.data(), &p, sizeof(p));
  fit_scratch(kernel_catalog()[static_cast<size_t>(nest.kernel)], nest);
}

struct Case {
  int32_t height, width, channels, expanded, rows_per_step;
};

class Band : public ::testing::TestWithParam<Case> {};

TEST_P(Band, GivesTheBitsOfLayerByLayer) {
  const Case c = GetParam();
  const Result<Graph> graph = testing::inverted_residual(c.height, c.width, c.channels, c.expanded);
  ASSERT_TRUE(graph) << graph.error().message;
  Target target;
  target.isa = host_cpu().isa & built_isa();
  PlanOptions layers;
  layers.bands = false;  // the band is made by hand below
  Result<Plan> plan = make_plan(*graph, target, kernel_catalog(), layers);
  ASSERT_TRUE(plan) << plan.error().message;

  std::vector<AlignedBuffer> packed;
  for (const PackRecipe& r : plan->recipes)
    pack(*graph, r, packed.emplace_back(static_cast<size_t>(r.spec.total_bytes())).bytes());

  const size_t narrow = static_cast<size_t>(c.height * c.width * c.channels);
  const size_t wide = static_cast<size_t>(c.height * c.width * c.expanded);
  Bytes x(narrow);
  testing::GraphBuilder(5).fill(DType::kI8, x);

  // Runs the first three steps with the given nests and memory between them.
  auto bind = [&](const LoopNest& nest, Bytes& in, Bytes& out) {
    const auto p = static_cast<size_t>(nest.in[1].buffer.index);
    std::byte* base = packed[p].data();
    return BoundNest{&nest,
                     kernel_function(nest.kernel),
                     {in.data(), base + nest.in[1].buffer.offset, base},
                     {out.data()}};
  };
  std::vector<LoopNest> nests;
  for (int i = 0; i < 3; ++i)
    nests.push_back(plan->program.steps[static_cast<size_t>(i)].members[0]);
  Bytes expanded(wide), depthwise(wide), whole(narrow), banded(narrow);
  Workspace ws;
  for (const LoopNest& n : nests) ws.reserve(n);
  ASSERT_TRUE(ws.allocate());
  Bytes* chain[] = {&x, &expanded, &depthwise, &whole};
  for (size_t i = 0; i < 3; ++i)
    run_box(bind(nests[i], *chain[i], *chain[i + 1]), whole_box(nests[i]), ws);

  unflatten(nests[0], c.height, c.width);
  unflatten(nests[2], c.height, c.width);
  // A ring holds the window's three rows and those that one step adds.
  const int32_t ring = 2 + c.rows_per_step;
  make_ring(nests[0].out[0], ring);
  make_ring(nests[1].in[0], ring);
  make_ring(nests[1].out[0], c.rows_per_step);
  make_ring(nests[2].in[0], c.rows_per_step);
  Bytes ring1(static_cast<size_t>(nests[0].out[0].bytes)),
      ring2(static_cast<size_t>(nests[1].out[0].bytes));
  Workspace band_ws;
  for (const LoopNest& n : nests) band_ws.reserve(n);
  ASSERT_TRUE(band_ws.allocate());
  const BoundNest members[] = {bind(nests[0], x, ring1), bind(nests[1], ring1, ring2),
                               bind(nests[2], ring2, banded)};
  run_band(members, {c.rows_per_step}, 0, c.height, band_ws);
  EXPECT_EQ(banded, whole);
  // The same in two ranges of rows.
  std::fill(banded.begin(), banded.end(), std::byte{0});
  run_band(members, {c.rows_per_step}, c.height / 2, c.height, band_ws);
  run_band(members, {c.rows_per_step}, 0, c.height / 2, band_ws);
  EXPECT_EQ(banded, whole);
  EXPECT_NE(whole, Bytes(narrow));
  EXPECT_LT(ring1.size() + ring2.size(), 2 * wide);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Band,
                         ::testing::Values(Case{14, 14, 16, 96, 1}, Case{14, 14, 16, 96, 2},
                                           Case{9, 7, 10, 37, 1}, Case{9, 7, 10, 37, 4},
                                           Case{5, 5, 3, 8, 3}));

}  // namespace
}  // namespace pj
