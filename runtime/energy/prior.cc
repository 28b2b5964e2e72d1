// Arm cores: Linux's device trees of boards with them state `dynamic-power-coefficient` in
// uW/MHz/V^2, which is pJ per cycle at 1 V, of a busy core with its caches. Voltage is not known
// here; 0.7 to 1.1 V covers what these cores run at. This leaves out what an idle machine draws, so
// the policy is dynamic.
//
// x86: a processor's thermal design power shared among its cores, of the least and the most per
// core in its family: assumed figures, rounded outwards, not read from a data sheet here. It bounds
// sustained power with everything on the package, so the policy is gross.
//
// Memory: 30 to 160 pJ a byte (LPDDR4 is at about 64); nothing where operands were in a cache.
// Arithmetic and caches have no term of their own, since a busy core's power contains them.
#include "runtime/energy/prior.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/energy/cpu_identity.h"

namespace pj::energy {
namespace {

struct ArmCore {
  const char* part;  // in /proc/cpuinfo, under Arm's implementer code 0x41
  const char* name;
  double coefficient;  // pJ per cycle at 1 V
};
// rk3399.dtsi and rk3588-base.dtsi in Linux.
constexpr ArmCore kArmCores[] = {{"0xd03", "Cortex-A53", 100},
                                 {"0xd05", "Cortex-A55", 228},
                                 {"0xd08", "Cortex-A72", 436},
                                 {"0xd0b", "Cortex-A76", 416}};
constexpr double kLowVolts = 0.7, kMiddleVolts = 0.9, kHighVolts = 1.1;

struct X86Family {
  const char* in_name;           // part of "model name"
  double low_watts, high_watts;  // a core
};
constexpr X86Family kX86Families[] = {
    {"AMD EPYC", 2, 25},    // about 500 W for 192 cores to 180 W for 8
    {"AMD Ryzen", 1.5, 20}  // about 15 W for 8 cores to 105 W for 6
};

void set_range(EnergyModel& model, Term term, double low, double middle, double high) {
  model.low[term] = low, model.joules[term] = middle, model.high[term] = high;
}

EnergyModel with_memory(IdlePolicy policy) {
  EnergyModel model;
  model.policy = policy;
  set_range(model, Term::kByteDram, 0, 64e-12, 160e-12);
  return model;
}

// The core of these parts that would draw most: models run on the fastest cores.
const ArmCore* strongest(const std::vector<std::string>& parts, size_t& cpu) {
  const ArmCore* best = nullptr;
  for (size_t i = 0; i < parts.size(); ++i)
    for (const ArmCore& core : kArmCores)
      if (parts[i] == core.part && (best == nullptr || core.coefficient > best->coefficient))
        best = &core, cpu = i;
  return best;
}

std::optional<EnergyModel> arm_prior(const System& system, std::string_view cpuinfo) {
  size_t cpu = 0;
  const ArmCore* core = strongest(cpuinfo_values(cpuinfo, "CPU part"), cpu);
  if (core == nullptr) return std::nullopt;
  const auto khz = read_unsigned(
      system, fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/cpuinfo_max_freq", cpu));
  if (!khz || *khz < 100'000 || *khz > 10'000'000) return std::nullopt;
  const double watts_at_1v = core->coefficient * 1e-12 * static_cast<double>(*khz) * 1e3;
  EnergyModel model = with_memory(IdlePolicy::kDynamic);
  set_range(model, Term::kCoreSeconds, watts_at_1v * kLowVolts * kLowVolts,
            watts_at_1v * kMiddleVolts * kMiddleVolts, watts_at_1v * kHighVolts * kHighVolts);
  model.origin = fmt::format("{} at {} MHz: {} pJ a cycle at 1 V (Linux device trees), 0.7-1.1 V",
                             core->name, *khz / 1000, core->coefficient);
  return model;
}

std::optional<EnergyModel> x86_prior(std::string_view cpuinfo) {
  const std::vector<std::string> names = cpuinfo_values(cpuinfo, "model name");
  for (const X86Family& family : kX86Families) {
    if (names.empty() || names[0].find(family.in_name) == std::string::npos) continue;
    EnergyModel model = with_memory(IdlePolicy::kGross);
    set_range(model, Term::kCoreSeconds, family.low_watts,
              std::sqrt(family.low_watts * family.high_watts), family.high_watts);
    model.origin =
        fmt::format("{}: {}-{} W a core (assumed, from about the thermal design power a core)",
                    family.in_name, family.low_watts, family.high_watts);
    return model;
  }
  return std::nullopt;
}

}  // namespace

std::optional<EnergyModel> prior_model(const System& system) {
  const std::string cpuinfo = system.read("/proc/cpuinfo").text;
  std::optional<EnergyModel> model = arm_prior(system, cpuinfo);
  return model ? model : x86_prior(cpuinfo);
}

}  // namespace pj::energy
