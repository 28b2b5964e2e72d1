// The numbers and the labels of an Energy, for tests.
#pragma once

#include <string>

#include "runtime/energy/figures.h"

namespace pj::energy {

struct LabelledFigures : Figures {
  std::string source, policy;
};

inline LabelledFigures labelled(const Energy& energy) {
  return {figures(energy), name_of(energy.source()), name_of(energy.policy())};
}

}  // namespace pj::energy
