#include "runtime/base/cpu.h"

#if !defined(__x86_64__) && !defined(__i386__)
#include <cpuinfo.h>
#endif
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/base/cpu_x86.h"

namespace pj {
namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

#if !defined(__x86_64__) && !defined(__i386__)
IsaSet detect_isa() {
  IsaSet isa;
#if defined(__aarch64__) || defined(__arm__)
  auto add = [&](bool present, Feature f) {
    if (present) isa = isa | IsaSet{f};
  };
  add(cpuinfo_has_arm_neon(), Feature::kNeon);
  add(cpuinfo_has_arm_neon_dot(), Feature::kNeonDot);
  add(cpuinfo_has_arm_neon_fp16_arith(), Feature::kNeonFp16);
#endif
  return isa;
}

void detect_by_cpuinfo(CpuInfo& cpu) {
  if (!cpuinfo_initialize()) return;
  cpu.isa = detect_isa();
  if (const cpuinfo_package* package = cpuinfo_get_package(0); package && package->name[0] != '\0')
    cpu.name = package->name;
  auto set = [](uint32_t count, const cpuinfo_cache* cache, int64_t& bytes, int32_t& ways) {
    if (count == 0) return;
    bytes = cache->size;
    ways = static_cast<int32_t>(cache->associativity);
  };
  set(cpuinfo_get_l1d_caches_count(), cpuinfo_get_l1d_cache(0), cpu.l1_bytes, cpu.l1_ways);
  set(cpuinfo_get_l2_caches_count(), cpuinfo_get_l2_cache(0), cpu.l2_bytes, cpu.l2_ways);
  set(cpuinfo_get_l3_caches_count(), cpuinfo_get_l3_cache(0), cpu.l3_bytes, cpu.l3_ways);
}
#endif

CpuInfo detect() {
  CpuInfo cpu;
  cpu.name = "unknown";
  cpu.cores = usable_cores();
  // cpuinfo reads some twenty files of the system, 0.2 ms of every start; CPUID takes 5 us and
  // knows more features.
#if defined(__x86_64__) || defined(__i386__)
  detect_x86(cpu);
#else
  detect_by_cpuinfo(cpu);
#endif
  return cpu;
}

}  // namespace

const CpuInfo& host_cpu() {
  static const CpuInfo cpu = detect();
  return cpu;
}

Result<IsaSet> effective_isa(const std::string& requested) {
  std::string name = requested;
  if (name.empty()) {
    if (const char* env = std::getenv("PJ_ISA")) name = env;
  }
  const IsaSet host = host_cpu().isa;
  if (name.empty()) return host;
  const std::optional<IsaSet> level = isa_by_name(name);
  if (!level) {
    std::string known;
    for (const IsaLevel& l : isa_levels()) known += std::string(known.empty() ? "" : ", ") + l.name;
    return error(ErrorCode::kInvalidArgument, "ISA level '{}' does not exist; there are: {}", name,
                 known);
  }
  if (!host.includes(*level)) {
    return error(ErrorCode::kPlatformUnsupported,
                 "this CPU has no '{}' (it has: {}); choose a level from `pj doctor`", name,
                 to_string(host));
  }
  return *level;
}

}  // namespace pj
