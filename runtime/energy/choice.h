// Which of several ways to do the same is worth having: latency against energy.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "runtime/energy/energy.h"

namespace pj::energy {

struct Outcome {
  double seconds = 0;  // of latency
  Energy energy;
};

// Those that no other beats in both, by growing latency: each needs less energy than all before.
std::vector<size_t> pareto_front(std::span<const Outcome> outcomes);

// The one that needs least of those that keep the deadline, 0 being none; nothing if none does.
std::optional<size_t> cheapest(std::span<const Outcome> outcomes, double deadline_seconds);

}  // namespace pj::energy
