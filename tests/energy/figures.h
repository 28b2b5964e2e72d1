// The numbers of an Energy, for tests only.
#pragma once

#include <string>
#include <type_traits>

#include "runtime/energy/energy.h"

namespace pj::energy {

struct Figures {
  double joules = 0, low = 0, high = 0;
  std::string source, policy;
};

inline Figures figures(const Energy& energy) {
  Figures f;
  energy.visit([&](const std::string& name, const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const double&>) {
      (name == "energy_uj" ? f.joules : name == "energy_low_uj" ? f.low : f.high) = value * 1e-6;
    } else {
      (name == "energy_source" ? f.source : f.policy) = value;
    }
  });
  return f;
}

}  // namespace pj::energy
