#include "runtime/base/cpu_arm.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "runtime/base/arm_cores.h"
#include "runtime/base/system_file.h"

namespace pj {
namespace {

// One logical CPU.
struct Cpu {
  int number = 0;
  uint32_t implementer = 0, part = 0;  // 0: unknown
  uint64_t speed = 0;                  // to compare with others; 0: unknown

  const ArmCore* core() const { return find_arm_core(implementer, part); }
  bool in_order() const { return core() != nullptr && core()->in_order; }
  bool like(const Cpu& o) const {
    return implementer == o.implementer && part == o.part && speed == o.speed;
  }
};

std::string folder_of(const std::string& root, int cpu) {
  return root + fmt::format("/sys/devices/system/cpu/cpu{}", cpu);
}

std::string_view without_blanks(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t");
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

// /proc/cpuinfo: "key : value" lines, a block a CPU. Kernels of 32 bits may have the numbers of the
// core once only, after all "processor" lines; they then stand for all CPUs (number -1).
std::map<int, Cpu> cpus_of_proc(std::string_view text) {
  std::map<int, Cpu> cpus;
  int number = -1;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) number = -1;
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view key = without_blanks(line.substr(0, colon));
    const std::optional<uint64_t> value = leading_number(without_blanks(line.substr(colon + 1)));
    constexpr uint64_t kMostCpus = 4096;
    if (!value) continue;
    if (key == "processor" && *value < kMostCpus) number = static_cast<int>(*value);
    if (key == "CPU implementer") cpus[number].implementer = static_cast<uint32_t>(*value);
    if (key == "CPU part") cpus[number].part = static_cast<uint32_t>(*value);
  }
  return cpus;
}

// The register that names the core: implementer in bits 24 to 31, part in 4 to 15.
void read_midr(const std::string& folder, Cpu& cpu) {
  const auto midr = leading_number(read_system_file(folder + "/regs/identification/midr_el1"));
  if (!midr) return;
  cpu.implementer = *midr >> 24 & 0xff;
  cpu.part = *midr >> 4 & 0xfff;
}

// Capacity in 1024ths of the fastest core, where the device tree has it; else the clock, which says
// something among cores of one kind and, an in-order core doing about half as much in a cycle,
// something among kinds.
uint64_t speed_of(const std::string& folder, const Cpu& cpu) {
  if (const auto capacity = leading_number(read_system_file(folder + "/cpu_capacity")))
    return *capacity;
  const auto khz = leading_number(read_system_file(folder + "/cpufreq/cpuinfo_max_freq"));
  if (!khz) return 0;
  return *khz / (cpu.in_order() ? 2 : 1);
}

std::vector<Cpu> read_cpus(const std::string& root, const std::vector<int>& numbers) {
  const std::map<int, Cpu> proc = cpus_of_proc(read_system_file(root + "/proc/cpuinfo"));
  std::vector<Cpu> cpus;
  for (int number : numbers) {
    auto known = proc.find(number);
    if (known == proc.end()) known = proc.find(-1);
    Cpu cpu = known != proc.end() ? known->second : Cpu();
    cpu.number = number;
    const std::string folder = folder_of(root, number);
    if (cpu.implementer == 0) read_midr(folder, cpu);
    if (cpu.implementer != 0) cpu.speed = speed_of(folder, cpu);
    cpus.push_back(cpu);
  }
  return cpus;
}

// "512K", "2M".
int64_t cache_bytes(const std::string& text) {
  const std::optional<uint64_t> n = leading_number(text);
  constexpr uint64_t kMost = 1 << 20;  // 1 GiB in KiB
  if (!n || *n > kMost) return 0;
  const int shift = text.ends_with('M') ? 20 : text.ends_with('K') ? 10 : 0;
  return std::min(static_cast<int64_t>(*n) << shift, int64_t{1} << 30);
}

// What the system says of the caches of one CPU, and what is known of its core for the rest.
void find_caches(const std::string& root, const Cpu& first, CpuInfo& cpu) {
  constexpr int kMostCaches = 16;
  for (int i = 0; i < kMostCaches; ++i) {
    const std::string folder = folder_of(root, first.number) + fmt::format("/cache/index{}", i);
    const std::string level = read_system_file(folder + "/level");
    if (level.empty()) break;
    if (read_system_file(folder + "/type") == "Instruction") continue;
    const int64_t bytes = cache_bytes(read_system_file(folder + "/size"));
    constexpr uint64_t kMostWays = 1024;
    const auto ways = static_cast<int32_t>(
        std::min(leading_number(read_system_file(folder + "/ways_of_associativity")).value_or(0),
                 kMostWays));
    if (level == "1") cpu.l1_bytes = bytes, cpu.l1_ways = ways;
    if (level == "2") cpu.l2_bytes = bytes, cpu.l2_ways = ways;
    if (level == "3") cpu.l3_bytes = bytes, cpu.l3_ways = ways;
  }
  const ArmCore* core = first.core();
  if (core == nullptr || (cpu.l1_bytes > 0 && cpu.l2_bytes > 0)) return;
  if (cpu.l1_bytes == 0) cpu.l1_bytes = int64_t{core->l1_kib} << 10;
  if (cpu.l2_bytes == 0) cpu.l2_bytes = int64_t{core->l2_kib} << 10;
  if (cpu.l3_bytes == 0) cpu.l3_bytes = int64_t{core->l3_kib} << 10;
  cpu.notes.push_back(
      {fmt::format("the system does not tell its cache sizes; those usual for a {} are assumed",
                   core->name),
       "measure other choices with `pj bench`, if your board differs"});
}

// The kinds of cores, fastest first; how many of the CPUs are fast: at least half as fast as the
// fastest one.
int group_cores(const std::vector<Cpu>& cpus, CpuInfo& cpu) {
  std::vector<const Cpu*> seen;
  for (const Cpu& c : cpus) {
    size_t kind = 0;
    while (kind < seen.size() && !seen[kind]->like(c)) ++kind;
    if (kind == seen.size()) {
      seen.push_back(&c);
      cpu.kinds.push_back({arm_core_name(c.implementer, c.part), 0, c.in_order()});
    }
    ++cpu.kinds[kind].cores;
  }
  const uint64_t most = cpus.front().speed;
  return static_cast<int>(
      std::count_if(cpus.begin(), cpus.end(), [&](const Cpu& c) { return c.speed >= most / 2; }));
}

std::string board_name(const std::string& root) {
  for (const char* path : {"/proc/device-tree/model", "/sys/devices/virtual/dmi/id/product_name"})
    if (std::string name = read_system_file(root + path); !name.empty()) return name;
  return "";
}

std::string describe(const std::string& board, const std::vector<CoreKind>& kinds) {
  std::string cores;
  for (const CoreKind& kind : kinds)
    cores += fmt::format("{}{} x {}", cores.empty() ? "" : " + ", kind.cores, kind.name);
  return board.empty() ? cores : fmt::format("{} ({})", board, cores);
}

bool bit(uint64_t word, int position) { return (word >> position & 1u) != 0; }

}  // namespace

IsaSet arm_features(const ArmHwcap& caps) {
  IsaSet isa;
  auto add = [&](bool present, Feature f) {
    if (present) isa = isa | IsaSet{f};
  };
  if (!caps.aarch64) {
    add(bit(caps.hwcap, 12), Feature::kNeon);
    return isa;
  }
  const bool neon = bit(caps.hwcap, 1);  // asimd
  add(neon, Feature::kNeon);
  add(neon && bit(caps.hwcap, 20), Feature::kNeonDot);                         // asimddp
  add(neon && bit(caps.hwcap, 9) && bit(caps.hwcap, 10), Feature::kNeonFp16);  // fphp, asimdhp
  add(neon && bit(caps.hwcap2, 13), Feature::kNeonI8mm);
  add(neon && bit(caps.hwcap2, 14), Feature::kNeonBf16);
  add(bit(caps.hwcap2, 1), Feature::kSve2);
  return isa;
}

void detect_arm(const std::string& root, const ArmHwcap& caps, const std::vector<int>& numbers,
                CpuInfo& cpu) {
  cpu.isa = arm_features(caps);
  std::vector<Cpu> cpus = read_cpus(root, numbers);
  // Their files describe no ARM CPU: another architecture's, seen through an emulator or from a
  // container, or none at all. Their caches are then not this CPU's either.
  const bool foreign =
      std::none_of(cpus.begin(), cpus.end(), [](const Cpu& c) { return c.implementer != 0; });
  if (foreign) {
    cpu.name = "ARM CPU";
    cpu.notes.push_back(
        {"/proc/cpuinfo and /sys do not describe this CPU, so kernels are not chosen "
         "for its kind of core",
         "nothing under an emulator; on a board, mount /proc and /sys in this "
         "container or sandbox"});
    return;
  }
  std::stable_sort(cpus.begin(), cpus.end(),
                   [](const Cpu& a, const Cpu& b) { return a.speed > b.speed; });
  const int fast = group_cores(cpus, cpu);
  cpu.name = describe(board_name(root), cpu.kinds);
  cpu.in_order = cpu.kinds.front().in_order;
  cpu.default_threads = fast;
  if (cpu.kinds.size() > 1)
    cpu.notes.push_back({fmt::format("cores of {} kinds: by default as many threads as there are "
                                     "fast ones, {}; kernels and caches are chosen for a {}",
                                     cpu.kinds.size(), fast, cpu.kinds.front().name),
                         fmt::format("to use the others as well: --threads {}", cpus.size())});
  find_caches(root, cpus.front(), cpu);
}

}  // namespace pj
