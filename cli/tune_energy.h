// pj tune --objective energy: the plan of a model that needs least energy within a deadline.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "runtime/energy/choice.h"
#include "runtime/plan/choices.h"

namespace pj::cli {

struct EnergyObjective {
  std::string model;
  int threads = 0;         // at most; 0: all cores
  double budget_s = 30;    // of measuring
  double deadline_ms = 0;  // 0: none
  double period_ms = 0;    // 0: the deadline
  double idle_watts = -1;  // of the resting machine, where a model computes; negative: the model's
  std::string counter, energy_model;

  double period() const { return (period_ms > 0 ? period_ms : deadline_ms) * 1e-3; }
};

// A plan as people choose it...
struct PlanName {
  int threads = 1;
  std::string isa;    // for --isa; empty: the default
  std::string bands;  // "on", "off" or "tuned"
};
// ...and what it was found to need a run, or a period.
struct EnergyCandidate {
  PlanName name;
  double fastest_ms;
  energy::Outcome choice;  // whose latency 95 of 100 runs keep
};

struct EnergyChoice {
  std::vector<EnergyCandidate> candidates;  // the first is the default plan
  std::vector<size_t> front;                // by growing latency
  std::optional<size_t> chosen;             // nothing if none keeps the deadline
  // What the chosen one saves of the default's; nothing if it is the default.
  std::string saving;
  std::string origin;            // of the energies
  std::string idle;              // the resting machine's power, with all that belongs to it
  PlanChoices plan;              // of the chosen one
  std::shared_ptr<Model> model;  // likewise
};

// Throws Failure.
EnergyChoice choose_by_energy(const EnergyObjective& objective);

std::string to_text(const EnergyObjective& objective, const EnergyChoice& choice);
Json to_json(const EnergyObjective& objective, const EnergyChoice& choice);
// The front, and what it leaves behind, as a drawing.
std::string to_svg(const EnergyObjective& objective, const EnergyChoice& choice);

}  // namespace pj::cli
