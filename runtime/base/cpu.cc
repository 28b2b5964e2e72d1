#include "runtime/base/cpu.h"

#include <cpuinfo.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace pj {
namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

IsaSet detect_isa() {
  IsaSet isa;
  auto add = [&](bool present, Feature f) {
    if (present) isa = isa | IsaSet{f};
  };
#if defined(__x86_64__) || defined(__i386__)
  add(cpuinfo_has_x86_avx2(), Feature::kAvx2);
  add(cpuinfo_has_x86_fma3(), Feature::kFma);
  add(cpuinfo_has_x86_f16c(), Feature::kF16c);
  const bool avx512 = cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() &&
                      cpuinfo_has_x86_avx512dq() && cpuinfo_has_x86_avx512vl() &&
                      cpuinfo_has_x86_avx512cd();
  add(avx512, Feature::kAvx512);
  add(avx512 && cpuinfo_has_x86_avx512vnni(), Feature::kAvx512Vnni);
  add(avx512 && cpuinfo_has_x86_avx512vbmi(), Feature::kAvx512Vbmi);
  // Debian's cpuinfo of 2022 does not know VEX-encoded VNNI: CPUID leaf 7, subleaf 1, EAX bit 4.
  // The YMM state that it needs is the one that AVX2 was found usable with.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (cpuinfo_has_x86_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0)
    add((eax >> 4) & 1u, Feature::kAvxVnni);
#elif defined(__aarch64__) || defined(__arm__)
  add(cpuinfo_has_arm_neon(), Feature::kNeon);
  add(cpuinfo_has_arm_neon_dot(), Feature::kNeonDot);
  add(cpuinfo_has_arm_neon_fp16_arith(), Feature::kNeonFp16);
#endif
  return isa;
}

CpuInfo detect() {
  CpuInfo cpu;
  cpu.name = "unknown";
  cpu.cores = usable_cores();
  if (!cpuinfo_initialize()) return cpu;
  cpu.isa = detect_isa();
  if (const cpuinfo_package* package = cpuinfo_get_package(0); package && package->name[0] != '\0')
    cpu.name = package->name;
  if (cpuinfo_get_l1d_caches_count() > 0) cpu.l1_bytes = cpuinfo_get_l1d_cache(0)->size;
  if (cpuinfo_get_l2_caches_count() > 0) cpu.l2_bytes = cpuinfo_get_l2_cache(0)->size;
  if (cpuinfo_get_l3_caches_count() > 0) cpu.l3_bytes = cpuinfo_get_l3_cache(0)->size;
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
