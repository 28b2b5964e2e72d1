#include "runtime/passes/passes.h"

#include "runtime/passes/memory.h"

namespace pj {
namespace {

constexpr PassInfo kPasses[] = {
    {"absorb_parameters", "constant parameter inputs become attributes", absorb_parameters},
    {"fold_constants", "operators of constants become constants", fold_constants},
    {"f16_weights", "f16 weights are used without dequantising them first", f16_weights},
    {"remove_identities", "operators that change nothing are dropped", remove_identities},
    {"sink_transposes", "transposes move down until they cancel", sink_transposes},
    {"sink_resizes", "upsampling moves down behind what works pixel by pixel", sink_resizes},
    {"recognize_functions", "functions written out become one operator", recognize_functions},
    {"fuse_pad", "zeros around an image become padding of the convolution", fuse_pad},
    {"fuse_activation", "relu and its kin join the operator before", fuse_activation},
    {"drop_bias_scales", "scales of biases, which nobody reads, are dropped", drop_bias_scales},
};
constexpr size_t kPassCount = std::size(kPasses);

// Each round can make shapes known that the next one needs; real models take two or three.
constexpr int kMaxRounds = 16;

Result<int> run_round(Graph& graph, std::vector<PassReport>& reports) {
  int changes = 0;
  for (size_t i = 0; i < kPassCount; ++i) {
    PJ_ASSIGN(const int rewrites, kPasses[i].run(graph));
    reports[i].rewrites += rewrites;
    changes += rewrites;
    if (rewrites == 0) continue;
    compact(graph);
    PJ_TRY(infer_shapes(graph));
  }
  return changes;
}

}  // namespace

std::span<const PassInfo> standard_passes() { return kPasses; }

Status run_passes(Graph& graph, std::vector<PassReport>* reports) {
  PJ_TRY(validate(graph));
  PJ_TRY(infer_shapes(graph));
  return run_passes_on_valid(graph, reports);
}

Status run_passes_on_valid(Graph& graph, std::vector<PassReport>* reports) {
  std::vector<PassReport> totals;
  for (const PassInfo& pass : kPasses) totals.push_back({pass.name, 0});
  compact(graph);
  // One round of folding at most doubles the constants, give or take the free part of the budget.
  // Stopping here keeps a file from doubling them round after round.
  const int64_t limit = 2 * folding_budget(graph);
  bool changed = false;
  for (int round = 0; round < kMaxRounds && constant_bytes(graph) <= limit; ++round) {
    PJ_ASSIGN(const int changes, run_round(graph, totals));
    if (changes == 0) break;
    changed = true;
  }
  if (reports != nullptr) *reports = std::move(totals);
  return changed ? validate(graph) : Status{};
}

}  // namespace pj
