#include "cli/peak.h"

#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace pj::cli {
namespace {

Json to_json(const Bandwidth& b) {
  return Json{{"bytes_per_cycle", b.bytes_per_cycle}, {"gb_per_second", b.gb_per_second}};
}

std::string number(double value) { return fmt::format("{:.1f}", value); }

}  // namespace

MachinePeak measure_peak(const CpuInfo& cpu) {
  return {measure_arithmetic(cpu.isa), measure_memory(cpu, cpu.isa)};
}

Json to_json(const MachinePeak& peak) {
  Json arithmetic = Json::array(), memory = Json::array();
  for (const ArithmeticPeak& a : peak.arithmetic)
    arithmetic.push_back(Json{{"level", a.level},
                              {"type", name_of(a.type)},
                              {"instructions", a.instructions},
                              {"macs_per_cycle", a.macs_per_cycle},
                              {"gmacs", a.gmacs}});
  for (const MemoryPeak& m : peak.memory)
    memory.push_back(Json{{"level", m.level},
                          {"buffer_bytes", m.buffer_bytes},
                          {"load", to_json(m.load)},
                          {"store", to_json(m.store)}});
  return Json{{"arithmetic", arithmetic}, {"memory", memory}};
}

std::string to_text(const MachinePeak& peak) {
  Table arithmetic({{"peak of a core", false},
                    {"type", false},
                    {"MACs/cycle", true},
                    {"GMAC/s", true},
                    {"by", false}});
  for (const ArithmeticPeak& a : peak.arithmetic)
    arithmetic.add(
        {a.level, name_of(a.type), number(a.macs_per_cycle), number(a.gmacs), a.instructions});
  Table memory({{"memory", false},
                {"load B/cycle", true},
                {"GB/s", true},
                {"store B/cycle", true},
                {"GB/s", true},
                {"over", true}});
  for (const MemoryPeak& m : peak.memory)
    memory.add({m.level, number(m.load.bytes_per_cycle), number(m.load.gb_per_second),
                number(m.store.bytes_per_cycle), number(m.store.gb_per_second),
                bytes_text(m.buffer_bytes)});
  return fmt::format("{}\n{}", arithmetic.to_string(), memory.to_string());
}

}  // namespace pj::cli
