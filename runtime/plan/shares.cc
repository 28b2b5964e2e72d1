#include "runtime/plan/shares.h"

#include <algorithm>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

// Into how many ranges of channels a step is cut for threads; 1 if along anything else as well.
int64_t channel_shares(const Step& step) {
  if (step.members.size() != 1 || step.prepared) return 1;
  const LoopNest& nest = step.members[0];
  int64_t shares = 1;
  for (const Loop& loop : nest.loops) {
    if (!loop.parallel) break;
    const int64_t pieces = ceil_div(nest.extent[loop.dim], loop.step);
    if (loop.dim == kChannel) {
      shares = pieces;
    } else if (pieces > 1) {
      return 1;
    }
  }
  return shares;
}

}  // namespace

void share_like_producers(std::span<const KernelDesc> catalog, Program& program) {
  for (size_t i = 1; i < program.steps.size(); ++i) {
    const Step& before = program.steps[i - 1];
    Step& step = program.steps[i];
    const int64_t shares = channel_shares(before);
    if (shares < 2 || step.members.size() != 1 || step.prepared) continue;
    LoopNest& nest = step.members[0];
    const KernelDesc& kernel = catalog[static_cast<size_t>(nest.kernel)];
    const bool own_channels = nest.in[0].stride[kChannel] != 0;
    if (kernel.cls != KernelClass::kDepthwise || !own_channels ||
        !(nest.in[0].buffer == before.members[0].out[0].buffer))
      continue;
    const int64_t panels = ceil_div(nest.extent[kChannel], kernel.nr);
    const int64_t size = ceil_div(panels, shares) * kernel.nr;
    if (size >= nest.extent[kChannel]) continue;
    std::erase_if(nest.loops, [](const Loop& loop) { return loop.dim == kChannel; });
    for (Loop& loop : nest.loops) loop.parallel = loop.dim == kBatch;
    const auto outer = std::find_if(nest.loops.begin(), nest.loops.end(),
                                    [](const Loop& loop) { return !loop.parallel; });
    nest.loops.insert(outer, {kChannel, static_cast<int32_t>(size), true});
    step.threads = before.threads;
  }
}

}  // namespace pj
