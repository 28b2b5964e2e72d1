#include "runtime/energy/cpu_identity.h"

#include <algorithm>
#include <set>

namespace pj::energy {
namespace {

// Letters and digits in lower case; a hyphen for what is between them.
std::string word_of(std::string_view text) {
  std::string word;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!word.empty() && word.back() != '-') {
      word += '-';
    }
  }
  while (word.ends_with('-')) word.pop_back();
  return word;
}

std::vector<std::string> kinds_of_cores(std::string_view cpuinfo) {
  std::vector<std::string> kinds;
  const auto names = cpuinfo_values(cpuinfo, "model name");
  const auto families = cpuinfo_values(cpuinfo, "cpu family"),
             models = cpuinfo_values(cpuinfo, "model");
  const auto parts = cpuinfo_values(cpuinfo, "CPU part"),
             makers = cpuinfo_values(cpuinfo, "CPU implementer");
  if (!parts.empty() && parts.size() == makers.size()) {
    for (size_t i = 0; i < parts.size(); ++i)
      kinds.push_back((makers[i] == "0x41" ? "arm-" : word_of(makers[i]) + "-") +
                      word_of(parts[i]));
  } else if (names.size() == families.size() && names.size() == models.size()) {
    for (size_t i = 0; i < names.size(); ++i)
      kinds.push_back(word_of(names[i] + " " + families[i] + " " + models[i]));
  }
  return kinds;
}

}  // namespace

std::vector<std::string> cpuinfo_values(std::string_view cpuinfo, std::string_view key) {
  std::vector<std::string> values;
  while (!cpuinfo.empty()) {
    const std::string_view line = cpuinfo.substr(0, cpuinfo.find('\n'));
    cpuinfo.remove_prefix(std::min(line.size() + 1, cpuinfo.size()));
    const size_t colon = line.find(':');
    if (colon != line.npos && first_line(line.substr(0, colon)) == key)
      values.push_back(first_line(line.substr(colon + 1)));
  }
  return values;
}

std::string cpu_identity(const System& system, std::span<const int> cpus) {
  const std::string cpuinfo = system.read("/proc/cpuinfo").text;
  const std::vector<std::string> kinds = kinds_of_cores(cpuinfo);
  std::set<std::string> used;
  for (const int cpu : cpus)
    if (cpu >= 0 && static_cast<size_t>(cpu) < kinds.size())
      used.insert(kinds[static_cast<size_t>(cpu)]);
  if (used.empty()) used.insert(kinds.begin(), kinds.end());
  std::string identity;
  for (const std::string& kind : used) identity += (identity.empty() ? "" : "+") + kind;
  return identity;
}

}  // namespace pj::energy
