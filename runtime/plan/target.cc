#include "runtime/plan/target.h"

namespace pj {

Result<Target> target_by_name(std::string_view name) {
  const std::optional<IsaSet> isa = isa_by_name(name);
  if (!isa) {
    std::string known;
    for (const IsaLevel& l : isa_levels()) known += std::string(known.empty() ? "" : ", ") + l.name;
    return error(ErrorCode::kInvalidArgument, "target '{}' does not exist; there are: {}", name,
                 known);
  }
  Target t;
  t.name = std::string(name);
  t.isa = *isa;
  if (isa->has(Feature::kAvx2)) t.l2_bytes = 1 << 20;
  return t;
}

Target target_of(const CpuInfo& cpu, IsaSet isa) {
  Target t;
  t.name = cpu.name;
  t.isa = isa;
  t.cores = cpu.cores;
  t.in_order = cpu.in_order;
  if (cpu.l1_bytes > 0) t.l1_bytes = cpu.l1_bytes;
  if (cpu.l2_bytes > 0) t.l2_bytes = cpu.l2_bytes;
  t.l3_bytes = cpu.l3_bytes;
  if (cpu.l1_ways > 0) t.l1_ways = cpu.l1_ways;
  if (cpu.l2_ways > 0) t.l2_ways = cpu.l2_ways;
  if (cpu.l3_ways > 0) t.l3_ways = cpu.l3_ways;
  return t;
}

}  // namespace pj
