#include "runtime/base/cpu.h"

#include <sched.h>
#include <unistd.h>

#if defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "runtime/base/cpu_arm.h"
#include "runtime/base/cpu_limits.h"
#include "runtime/base/cpu_x86.h"
#include "runtime/base/system_file.h"

namespace pj {
namespace {

// Numbers of the logical CPUs that this process may run on: its affinity, which a control group's
// cpuset limits as well.
std::vector<int> usable_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) cpus.push_back(i);
  }
  if (cpus.empty()) {
    cpus.resize(static_cast<size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))));
    std::iota(cpus.begin(), cpus.end(), 0);
  }
  return cpus;
}

void apply_grant(const std::string& root, CpuInfo& cpu) {
  const std::optional<double> granted = granted_cores(root);
  if (!granted || *granted >= cpu.cores) return;
  cpu.default_threads = std::clamp(static_cast<int>(*granted), 1, cpu.default_threads);
  cpu.notes.push_back(
      {fmt::format("the control group grants {:.1f} of {} cores: more than {} threads would be "
                   "stopped now and then",
                   *granted, cpu.cores, cpu.default_threads),
       "raise cpu.max of the group, or the container's CPU limit, to use more"});
}

void note_unknown_caches(CpuInfo& cpu) {
  if (cpu.l1_bytes > 0 && cpu.l2_bytes > 0) return;
  cpu.notes.push_back({"cache sizes are unknown, so typical ones are assumed",
                       "make /sys/devices/system/cpu readable in this container or sandbox"});
}

CpuInfo detect() {
  const std::vector<int> cpus = usable_cpus();
  const std::string root = system_root();
  CpuInfo cpu;
  cpu.name = "unknown";
  cpu.cores = static_cast<int>(cpus.size());
  cpu.default_threads = cpu.cores;
#if defined(__x86_64__) || defined(__i386__)
  detect_x86(cpu);
#elif defined(__aarch64__)
  detect_arm(root, {true, getauxval(AT_HWCAP), getauxval(AT_HWCAP2)}, cpus, cpu);
#elif defined(__arm__)
  detect_arm(root, {false, getauxval(AT_HWCAP), getauxval(AT_HWCAP2)}, cpus, cpu);
#endif
  note_unknown_caches(cpu);
  return cpu;
}

}  // namespace

const CpuInfo& host_cpu() {
  static const CpuInfo cpu = detect();
  return cpu;
}

const CpuInfo& granted_cpu() {
  static const CpuInfo cpu = [] {
    CpuInfo granted = host_cpu();
    apply_grant(system_root(), granted);
    return granted;
  }();
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
