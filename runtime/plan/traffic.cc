#include "runtime/plan/traffic.h"

#include "runtime/plan/access.h"

namespace pj {
namespace {

// Where every buffer of a program would lie: each begins on a page of its own.
class AddressSpace {
 public:
  explicit AddressSpace(const Program& program) {
    int64_t scratch = 0;
    for (const Step& step : program.steps)
      for (const LoopNest& nest : step.members) scratch = std::max(scratch, nest.scratch_bytes);
    arena_ = place(program.arena_bytes);
    for (const IoBinding& b : program.inputs) inputs_.push_back(place(b.bytes));
    for (const IoBinding& b : program.outputs) outputs_.push_back(place(b.bytes));
    const auto rings =
        static_cast<int64_t>(round_up(static_cast<size_t>(program.ring_bytes), kCacheLine));
    rings_ = place(rings + scratch);
    scratch_ = rings_ + static_cast<uint64_t>(rings);
    stack_ = place(kStackBytes);
    int64_t nests = 0;
    for (const Step& step : program.steps) nests += static_cast<int64_t>(step.members.size());
    nests_ = place(nests * kNestBytes);
    // Packed weights follow each other, as in a file.
    uint64_t at = place(0);
    for (const PackedConstant& c : program.packed) {
      packed_.push_back(at);
      at += round_up(static_cast<size_t>(c.bytes), kCacheLine);
    }
    constants_ = at;
  }

  uint64_t scratch() const { return scratch_; }
  uint64_t stack() const { return stack_; }
  // Of the nest with that number in the program.
  uint64_t nest(int64_t number) const {
    return nests_ + static_cast<uint64_t>(number * kNestBytes);
  }

  uint64_t address(const Operand& o) {
    const auto i = static_cast<size_t>(o.buffer.index);
    const auto offset = static_cast<uint64_t>(o.buffer.offset);
    switch (o.buffer.space) {
      case Space::kNone:
        return 0;
      case Space::kArena:
        return arena_ + offset;
      case Space::kInput:
        return inputs_[i] + offset;
      case Space::kOutput:
        return outputs_[i] + offset;
      case Space::kPacked:
        return packed_[i] + offset;
      case Space::kRing:
        return rings_ + offset;
      case Space::kConstant:
        break;
    }
    return constant(o.buffer.index, o.bytes) + offset;
  }

 private:
  static constexpr uint64_t kPage = 4096;

  uint64_t place(int64_t bytes) {
    const uint64_t at = next_;
    next_ += round_up(static_cast<size_t>(bytes) + kCacheLine, kPage);
    return at;
  }
  // Portable constants lie behind the packed ones, in the order of their first use.
  uint64_t constant(int32_t tensor, int64_t bytes) {
    const auto i = static_cast<size_t>(tensor);
    if (constant_.size() <= i) constant_.resize(i + 1, 0);
    if (constant_[i] == 0) {
      constant_[i] = constants_;
      constants_ += round_up(static_cast<size_t>(bytes), kCacheLine);
    }
    return constant_[i];
  }

  uint64_t next_ = 16 * kPage;
  uint64_t arena_ = 0, scratch_ = 0, stack_ = 0, nests_ = 0, rings_ = 0, constants_ = 0;
  std::vector<uint64_t> inputs_, outputs_, packed_, constant_;
};

class Replay {
 public:
  Replay(const Program& program, std::span<const KernelDesc> catalog, const Target& target)
      : catalog_(catalog), addresses_(program), caches_(target) {}

  const CacheCounts& counts() const { return caches_.counts(); }
  size_t levels() const { return caches_.levels(); }

  // `first` is the number of the step's first nest in the program.
  void run(const Step& step, int64_t first) {
    if (step.prepared) return run_prepared(step.members[0]);
    auto run_member = [&](size_t m, const Box& box) {
      access_.nest_at = addresses_.nest(first + static_cast<int64_t>(m));
      run(step.members[m], box);
    };
    if (!step.band()) {
      for (size_t m = 0; m < step.members.size(); ++m) run_member(m, whole_box(step.members[m]));
      return;
    }
    walk_band(
        step.members.size(), [&](size_t m) -> const LoopNest& { return step.members[m]; },
        step.steps, 0, step.members.back().extent[kRow], run_member);
  }

 private:
  void run(const LoopNest& nest, const Box& box) {
    access_.kernel = &catalog_[static_cast<size_t>(nest.kernel)];
    access_.nest = &nest;
    access_.scratch = addresses_.scratch();
    access_.stack = addresses_.stack();
    walk_tiles(nest, 0, box, [&](const Box& tile) {
      access_.tile = tile;
      access_.in.clear();
      access_.out.clear();
      access_.rows.clear();
      for (size_t i = 0; i < nest.in.size(); ++i) {
        const uint64_t at = addresses_.address(nest.in[i]);
        const bool by_rows = nest.windowed && i == 0;
        access_.in.push_back(at == 0 || by_rows ? at : at + offset(nest.in[i], tile, tile.in_col));
      }
      for (const Operand& o : nest.out) {
        const uint64_t at = addresses_.address(o);
        access_.out.push_back(at == 0 ? 0 : at + offset(o, tile, tile.out_col));
      }
      if (nest.windowed)
        for_each_row(nest, tile, [&](int32_t, int64_t at) {
          access_.rows.push_back(at == kNoRow ? 0 : access_.in[0] + static_cast<uint64_t>(at));
        });
      replay(access_, caches_);
    });
  }

  void run_prepared(const LoopNest& operands) {
    std::vector<Stream> streams;
    for (const Operand& o : operands.in)
      if (const uint64_t at = addresses_.address(o)) streams.push_back({at, o.bytes, false});
    for (const Operand& o : operands.out)
      if (const uint64_t at = addresses_.address(o)) streams.push_back({at, o.bytes, true});
    replay_streams(streams, caches_);
  }

  static uint64_t offset(const Operand& o, const Box& tile, int32_t ring_col) {
    return static_cast<uint64_t>(offset_of(o, tile.begin, ring_col));
  }

  std::span<const KernelDesc> catalog_;
  AddressSpace addresses_;
  CacheModel caches_;
  Access access_;
};

Traffic traffic_from(const CacheCounts& c, size_t levels) {
  auto bytes = [&](size_t level) { return (c.misses[level] + c.written_back[level]) * kLineBytes; };
  const size_t last = levels - 1;
  Traffic t;
  t.l1_bytes = c.accessed_bytes;
  t.l2_bytes = bytes(0);
  t.l3_bytes = levels > 2 ? bytes(1) : 0;
  t.dram_bytes = bytes(last);
  t.l1_misses = c.misses[0];
  t.last_misses = c.misses[last];
  return t;
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& o) {
  l1_bytes += o.l1_bytes;
  l2_bytes += o.l2_bytes;
  l3_bytes += o.l3_bytes;
  dram_bytes += o.dram_bytes;
  l1_misses += o.l1_misses;
  last_misses += o.last_misses;
  return *this;
}

std::vector<Traffic> traffic_of(const Program& program, std::span<const KernelDesc> catalog,
                                const Target& target) {
  Replay replay(program, catalog, target);
  std::vector<Traffic> traffic;
  // The first inference finds empty caches.
  for (const bool counted : {false, true}) {
    int64_t nest = 0;
    for (const Step& step : program.steps) {
      const CacheCounts before = replay.counts();
      replay.run(step, nest);
      nest += static_cast<int64_t>(step.members.size());
      if (counted) traffic.push_back(traffic_from(replay.counts() - before, replay.levels()));
    }
  }
  return traffic;
}

}  // namespace pj
