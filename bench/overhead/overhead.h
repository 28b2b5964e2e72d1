// What a step costs beyond its kernel: the time of a chain of small additions, less that of calling
// their kernel as often, for each.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/registry.h"
#include "runtime/base/clock.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj::bench {

inline constexpr int kChainSteps = 1000, kChainElements = 16;

inline Result<Graph> chain_of_adds() {
  testing::GraphBuilder b;
  const Quantization q = testing::quantized(0.1f, 3);
  const TensorId x = b.input("x", DType::kI8, {1, kChainElements}, q);
  TensorId sum = x;
  for (int i = 0; i < kChainSteps; ++i) {
    const TensorId next = b.activation("sum" + std::to_string(i), DType::kI8, {}, q);
    b.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone}, {sum, x}, {next});
    sum = next;
  }
  return b.finish({sum});
}

struct Overhead {
  double step_ns, kernel_ns;  // of one step, and of its kernel alone
  double overhead_ns() const { return step_ns - kernel_ns; }
};

// The least of `samples` runs, for each.
inline Result<Overhead> measure_overhead(int samples) {
  PJ_ASSIGN(Graph graph, chain_of_adds());
  ModelOptions options;
  options.bands = false;
  options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
  PJ_ASSIGN(auto model, Model::create(std::move(graph), options));
  PJ_ASSIGN(auto session, Session::create(model));
  const LoopNest& nest = session->program().steps[0].members[0];
  const KernelFn kernel = kernel_function(nest.kernel);
  std::byte a[kChainElements] = {}, b[kChainElements] = {}, y[kChainElements];
  const std::byte* in[] = {a, b};
  std::byte* out[] = {y};
  Tile tile{};
  std::copy_n(nest.extent, kDimCount, tile.size);
  tile.in = in;
  tile.out = out;
  tile.params = nest.params.data();

  int64_t steps = std::numeric_limits<int64_t>::max(), kernels = steps;
  for (int i = 0; i < samples; ++i) {
    const int64_t start = now_ns();
    PJ_TRY(session->run());
    const int64_t between = now_ns();
    for (int k = 0; k < kChainSteps; ++k) kernel(tile);
    const int64_t end = now_ns();
    steps = std::min(steps, between - start);
    kernels = std::min(kernels, end - between);
  }
  return Overhead{static_cast<double>(steps) / kChainSteps,
                  static_cast<double>(kernels) / kChainSteps};
}

}  // namespace pj::bench
