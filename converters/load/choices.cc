#include "converters/load/choices.h"

#include <limits>

namespace pj {
namespace {

constexpr const char* kTuned = "tuned";  // instead of a kernel's name
constexpr const char* kBand = "band";

std::optional<int32_t> value_of(const Choice& choice, std::string_view key) {
  for (const auto& [name, value] : choice.values) {
    if (name != key) continue;
    if (value < 1 || value > std::numeric_limits<int32_t>::max()) return std::nullopt;
    return static_cast<int32_t>(value);
  }
  return std::nullopt;
}

bool is_for(const TargetRecord& record, const Target& target) {
  return record.name == target.name && record.isa == target.isa &&
         record.l1_bytes == target.l1_bytes && record.l2_bytes == target.l2_bytes &&
         record.l3_bytes == target.l3_bytes;
}

}  // namespace

std::vector<Choice> write_choices(const std::vector<BandChoice>& bands, const TuningStatistics& s) {
  std::vector<Choice> choices;
  choices.push_back({0,
                     kTuned,
                     {{"before_ns", s.before_ns},
                      {"after_ns", s.after_ns},
                      {"candidates", s.candidates},
                      {"threads", s.threads}}});
  for (const BandChoice& b : bands) {
    choices.push_back({b.op, kBand, {{"members", b.members}, {"rows", b.rows}}});
    if (b.cols > 0) choices.back().values.emplace_back("cols", b.cols);
  }
  return choices;
}

std::optional<std::vector<BandChoice>> read_choices(const std::vector<TargetRecord>& targets,
                                                    const Target& target) {
  for (const TargetRecord& record : targets) {
    if (!is_for(record, target)) continue;
    std::vector<BandChoice> bands;
    bool tuned = false, understood = true;
    for (const Choice& choice : record.choices) {
      if (choice.kernel == kTuned) {
        tuned = true;
        continue;
      }
      const auto members = value_of(choice, "members"), rows = value_of(choice, "rows");
      understood = understood && choice.kernel == kBand && members && rows;
      if (!understood) break;
      bands.push_back({choice.op, *members, *rows, value_of(choice, "cols").value_or(0)});
    }
    if (tuned && understood) return bands;
  }
  return std::nullopt;
}

}  // namespace pj
