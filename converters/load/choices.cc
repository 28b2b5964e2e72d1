#include "converters/load/choices.h"

#include <fmt/format.h>

#include <limits>

namespace pj {
namespace {

// Instead of a kernel's name: of the tuner's own record, of a band, and of a layer that keeps the
// kernel that the planner gives it.
constexpr const char* kTuned = "tuned";
constexpr const char* kBand = "band";
constexpr const char* kPlanned = "planned";
constexpr const char* kFastestThreads = "fastest_threads";
constexpr const char* kTileKeys[kDimCount] = {"batch", "rows", "cols", "channels"};

// False if there is a value of that name which no tuner writes. `to` keeps what it is if there is
// none.
bool read_value(const Choice& choice, std::string_view key, int32_t& to) {
  for (const auto& [name, value] : choice.values) {
    if (name != key) continue;
    if (value < 1 || value > std::numeric_limits<int32_t>::max()) return false;
    to = static_cast<int32_t>(value);
  }
  return true;
}

void write_value(Choice& choice, const char* key, int32_t value) {
  if (value > 0) choice.values.emplace_back(key, value);
}

bool is_for(const TargetRecord& record, const Target& target) {
  return record.name == target.name && record.isa == target.isa &&
         record.l1_bytes == target.l1_bytes && record.l2_bytes == target.l2_bytes &&
         record.l3_bytes == target.l3_bytes;
}

bool read_band(const Choice& record, PlanChoices& choices) {
  BandChoice band{.op = record.op};
  const bool valid = read_value(record, "members", band.members) &&
                     read_value(record, "rows", band.rows) && read_value(record, "cols", band.cols);
  choices.bands.push_back(band);
  return valid && band.members > 0 && band.rows > 0;
}

bool read_layer(const Choice& record, std::span<const KernelDesc> catalog, PlanChoices& choices) {
  LayerChoice layer{.op = record.op};
  if (choices.layer(record.op) != nullptr) return false;
  if (record.kernel != kPlanned) {
    const std::optional<KernelId> kernel = find_kernel(catalog, record.kernel);
    if (!kernel) return false;
    layer.kernel = *kernel;
  }
  for (int dim = 0; dim < kDimCount; ++dim)
    if (!read_value(record, kTileKeys[dim], layer.tile[dim])) return false;
  if (!read_value(record, "threads", layer.threads)) return false;
  choices.layers.push_back(layer);
  return true;
}

}  // namespace

std::vector<Choice> write_choices(const PlanChoices& choices, const TuningStatistics& s,
                                  std::span<const KernelDesc> catalog) {
  std::vector<Choice> records;
  records.push_back({0,
                     kTuned,
                     {{"before_ns", s.before_ns},
                      {"after_ns", s.after_ns},
                      {"candidates", s.candidates},
                      {"threads", s.threads}}});
  write_value(records.back(), kFastestThreads, choices.threads);
  for (const BandChoice& b : choices.bands) {
    records.push_back({b.op, kBand, {{"members", b.members}, {"rows", b.rows}}});
    write_value(records.back(), "cols", b.cols);
  }
  for (const LayerChoice& l : choices.layers) {
    records.push_back(
        {l.op, l.kernel < 0 ? kPlanned : catalog[static_cast<size_t>(l.kernel)].name, {}});
    for (int dim = 0; dim < kDimCount; ++dim)
      write_value(records.back(), kTileKeys[dim], l.tile[dim]);
    write_value(records.back(), "threads", l.threads);
  }
  return records;
}

ReadChoices read_choices(const std::vector<TargetRecord>& targets, const Target& target,
                         std::span<const KernelDesc> catalog) {
  ReadChoices read;
  for (const TargetRecord& record : targets) {
    if (record.choices.empty() || !is_for(record, target)) continue;
    PlanChoices choices;
    bool tuned = false, understood = true;
    for (const Choice& choice : record.choices) {
      if (choice.kernel == kTuned) {
        tuned = true;
        understood = read_value(choice, kFastestThreads, choices.threads);
      } else {
        understood = choice.kernel == kBand ? read_band(choice, choices)
                                            : read_layer(choice, catalog, choices);
      }
      if (understood) continue;
      read.problem = fmt::format("'{}' of operator {} is damaged or of another version",
                                 choice.kernel, choice.op);
      break;
    }
    if (!understood) continue;
    if (tuned) return {std::move(choices), {}};
    read.problem = "the tuner's own record is missing";
  }
  return read;
}

}  // namespace pj
