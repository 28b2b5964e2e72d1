// The numbers of an Energy, for the arithmetic of this folder, which ends in another Energy or in a
// ratio. What prints uses Energy's own text() and visit().
#pragma once

#include <string_view>
#include <type_traits>

#include "runtime/energy/energy.h"

namespace pj::energy {

struct Figures {
  double joules = 0, low = 0, high = 0;
};

inline Figures figures(const Energy& energy) {
  Figures f;
  energy.visit([&]<typename T>(std::string_view name, const T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (name == "energy_uj") f.joules = value * 1e-6;
      if (name == "energy_low_uj") f.low = value * 1e-6;
      if (name == "energy_high_uj") f.high = value * 1e-6;
    }
  });
  return f;
}

}  // namespace pj::energy
