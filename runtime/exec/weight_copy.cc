// Steps with copies of their weights, for measuring.
#include <algorithm>
#include <cstring>

#include "runtime/exec/session.h"

namespace pj {
namespace {

// A constant and where its copy is.
struct Placed {
  std::span<const std::byte> bytes;
  size_t offset;
};

}  // namespace

Result<WeightCopy> Session::copy_weights(size_t step) {
  PJ_TRY(run_steps(step, step));  // binds the operands
  WeightCopy copy{{}, steps_[step].members};
  if (steps_[step].prepared) return copy;
  // Each once, wherever members and threads read it.
  std::vector<Placed> constants;
  size_t size = 0;
  const auto placed = [&](const BufferRef& ref) {
    const std::byte* begin = constant(ref).data();
    return std::find_if(constants.begin(), constants.end(),
                        [&](const Placed& p) { return p.bytes.data() == begin; });
  };
  for (const BoundNest& member : copy.members) {
    for (const Operand& operand : member.nest->in) {
      const std::span<const std::byte> bytes = constant(operand.buffer);
      if (bytes.empty() || placed(operand.buffer) != constants.end()) continue;
      constants.push_back({bytes, size});
      // With room for kernels that read whole vectors.
      size = round_up(size + bytes.size() + kReadSlack, kCacheLine);
    }
  }
  copy.memory = AlignedBuffer(size);
  if (copy.memory.size() != size)
    return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of copied weights", size);
  for (const Placed& p : constants)
    std::memcpy(copy.memory.data() + p.offset, p.bytes.data(), p.bytes.size());
  for (BoundNest& member : copy.members) {
    for (size_t i = 0; i < member.in.size(); ++i) {
      const BufferRef& ref = member.nest->in[i].buffer;
      const auto found = placed(ref);
      if (found != constants.end()) member.in[i] = copy.memory.data() + found->offset + ref.offset;
    }
  }
  return copy;
}

Status Session::run_step(size_t step, WeightCopy& weights) {
  steps_[step].members.swap(weights.members);
  Status done = run_steps(step, step + 1);
  steps_[step].members.swap(weights.members);
  return done;
}

}  // namespace pj
