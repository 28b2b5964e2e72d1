// The perf PMUs `power` (packages and their parts) and `power_core` (single cores of AMD). The
// kernel folds wraps of the 32-bit registers, so values are 64 bits wide.
#include <cerrno>
#include <cstring>
#include <set>

#include "runtime/energy/counters/accumulator.h"
#include "runtime/energy/counters/counter.h"

namespace pj::energy {
namespace {

constexpr const char* kDevices = "/sys/bus/event_source/devices/";
constexpr int64_t kUpdateNs = 1'000'000;  // of the registers

struct Event {
  const char* pmu;
  const char* name;
  const char* part;  // of the package; empty: the package itself
  bool inside;       // its energy is part of the package's
};
// DRAM is a domain of its own beside the package.
constexpr Event kEvents[] = {
    {"power", "energy-pkg", "", true},        {"power", "energy-cores", "/core", true},
    {"power", "energy-gpu", "/uncore", true}, {"power", "energy-ram", "/dram", false},
    {"power", "energy-psys", "psys", false},  {"power_core", "energy-core", "/core-", true},
};

class PerfCounter : public Counter {
 public:
  PerfCounter(const System& system, CounterInfo info, int descriptor)
      : Counter(std::move(info)),
        system_(system),
        descriptor_(descriptor),
        accumulator_(this->info().resolution, 0, kUpdateNs) {}
  ~PerfCounter() override {
    if (descriptor_ >= 0) system_.perf_close(descriptor_);
  }
  Result<Reading> read() override {
    const auto raw = descriptor_ >= 0 ? system_.perf_read(descriptor_) : std::nullopt;
    const int64_t now = system_.now_ns();
    if (!raw) return error(ErrorCode::kFileUnreadable, "cannot read perf event {}", info().where);
    auto joules = accumulator_.add(now, *raw);
    if (!joules) return in_context(info().where, std::move(joules).error());
    return Reading{now, *joules};
  }

 private:
  const System& system_;
  int descriptor_;
  Accumulator accumulator_;
};

std::string topology(const System& system, int cpu, const char* what) {
  return read_line(system, fmt::format("/sys/devices/system/cpu/cpu{}/topology/{}", cpu, what));
}

// "package-1", or "package-1-die-0" as powercap names it where packages have several dies.
std::string package_of(const System& system, int cpu, bool dies) {
  const std::string package = topology(system, cpu, "physical_package_id");
  const std::string name = "package-" + (package.empty() ? "0" : package);
  return dies ? name + "-die-" + topology(system, cpu, "die_id") : name;
}

// True if a package has more than one die.
bool several_dies(const System& system, const std::vector<int>& cpus) {
  std::set<std::string> packages, dies;
  for (int cpu : cpus) {
    const std::string package = topology(system, cpu, "physical_package_id");
    packages.insert(package);
    dies.insert(package + ':' + topology(system, cpu, "die_id"));
  }
  return dies.size() > packages.size();
}

// "event=0x02" -> 2.
std::optional<uint64_t> parse_config(const std::string& text) {
  if (!text.starts_with("event=0x") || text.size() > 12) return std::nullopt;
  char* end = nullptr;
  const uint64_t config = std::strtoull(text.c_str() + 8, &end, 16);
  return *end == '\0' ? std::optional(config) : std::nullopt;
}

std::string domain_of(const System& system, const Event& event, int cpu,
                      const std::string& package) {
  if (std::strcmp(event.part, "psys") == 0) return event.part;
  if (std::strcmp(event.pmu, "power_core") != 0) return package + event.part;
  return package + event.part + topology(system, cpu, "core_id");
}

void explain(const System& system, int failure, CounterInfo& info) {
  if (failure != EACCES && failure != EPERM) {
    info.problem = fmt::format("the kernel refuses the event: {}", std::strerror(failure));
    return;
  }
  const std::string level = read_line(system, "/proc/sys/kernel/perf_event_paranoid");
  info.problem = fmt::format("kernel.perf_event_paranoid is {}", level.empty() ? "?" : level);
  info.fix = "sudo sysctl kernel.perf_event_paranoid=0";
  info.note = "or, for pj alone: sudo setcap cap_perfmon+ep $(command -v pj)";
}

void find_event(const System& system, const Event& event, Counters& out) {
  const std::string device = fmt::format("{}{}/", kDevices, event.pmu);
  const auto type = read_unsigned(system, device + "type");
  const std::string file = device + "events/" + event.name;
  const auto config = parse_config(read_line(system, file));
  const auto scale = parse_real(read_line(system, file + ".scale"));
  if (!type || *type > UINT32_MAX || !config || !scale || *scale <= 0 || *scale > 1) return;
  // One CPU for each package, die or core.
  const std::vector<int> cpus = parse_cpu_list(read_line(system, device + "cpumask"));
  const bool dies = several_dies(system, cpus);
  for (int cpu : cpus) {
    const std::string package = package_of(system, cpu, dies);
    CounterInfo info;
    info.source = "perf";
    info.domain = domain_of(system, event, cpu, package);
    info.where = fmt::format("{}/{}/ on cpu{}", event.pmu, event.name, cpu);
    info.unit = fmt::format("{} J", *scale);
    info.resolution = *scale;
    info.update_period_ns = kUpdateNs;
    if (event.inside && info.domain != package) info.within = package;
    const int fd = system.perf_open(static_cast<uint32_t>(*type), *config, cpu);
    if (fd < 0) explain(system, -fd, info);
    out.push_back(std::make_unique<PerfCounter>(system, std::move(info), fd));
    if (std::strcmp(event.part, "psys") == 0) return;  // every CPU shows the same
  }
}

}  // namespace

void find_perf(const System& system, Counters& out) {
  for (const Event& event : kEvents) find_event(system, event, out);
}

}  // namespace pj::energy
