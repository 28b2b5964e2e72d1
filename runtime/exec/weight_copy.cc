// Steps with copies of their weights, for measuring.
#include <algorithm>
#include <cstring>

#include "runtime/exec/session.h"

namespace pj {
namespace {

// The constants that a step reads, each once, and where their copies are.
class Placement {
 public:
  void add(std::span<const std::byte> bytes) {
    if (bytes.empty() || offset_of(bytes) != nullptr) return;
    placed_.push_back({bytes, size_});
    // With room for kernels that read whole vectors.
    size_ = round_up(size_ + bytes.size() + kReadSlack, kCacheLine);
  }
  const size_t* offset_of(std::span<const std::byte> bytes) const {
    for (const Placed& p : placed_)
      if (p.bytes.data() == bytes.data()) return &p.offset;
    return nullptr;
  }
  void copy_to(std::byte* memory) const {
    for (const Placed& p : placed_) std::memcpy(memory + p.offset, p.bytes.data(), p.bytes.size());
  }
  size_t size() const { return size_; }

 private:
  struct Placed {
    std::span<const std::byte> bytes;
    size_t offset;
  };
  std::vector<Placed> placed_;
  size_t size_ = 0;
};

}  // namespace

size_t Session::weight_bytes(size_t step) const {
  Placement placement;
  const Step& s = program().steps[step];
  if (s.prepared) return 0;
  for (const LoopNest& member : s.members)
    for (const Operand& operand : member.in) placement.add(constant(operand.buffer));
  return placement.size();
}

Result<WeightCopy> Session::copy_weights(size_t step, std::span<std::byte> memory) {
  PJ_TRY(run_steps(step, step));  // binds the operands
  WeightCopy copy = steps_[step].members;
  if (program().steps[step].prepared) return copy;
  Placement placement;
  const size_t count = program().steps[step].members.size();
  for (size_t m = 0; m < copy.size(); ++m) {
    BoundNest& member = copy[m];
    for (size_t i = 0; i < member.in.size(); ++i) {
      const BufferRef& ref = member.nest->in[i].buffer;
      placement.add(constant(ref));
      if (const size_t* offset = placement.offset_of(constant(ref)))
        member.in[i] = memory.data() + *offset + ref.offset;
    }
    bind_tile(member, workspaces_[m / count]);
  }
  placement.copy_to(memory.data());
  return copy;
}

Status Session::run_step(size_t step, WeightCopy& weights) {
  steps_[step].members.swap(weights);
  Status done = run_steps(step, step + 1);
  steps_[step].members.swap(weights);
  return done;
}

}  // namespace pj
