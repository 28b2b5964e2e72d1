// Fits an energy model to measurements of this machine.
//
// Layers of networks alone leave the coefficients undetermined, since time, arithmetic and bytes
// grow together; micro-kernels that do one thing only (arithmetic in registers, streams from L1, L2
// and memory, spinning) belong among the samples.
#pragma once

#include <array>
#include <span>

#include "runtime/base/result.h"
#include "runtime/energy/model.h"
#include "runtime/energy/nnls.h"

namespace pj::energy {

struct CalibrationSample {
  Terms amounts;
  double joules = 0;  // measured, > 0
  int group = 0;      // the model that it is a step of; kMicroKernel for none
};
inline constexpr int kMicroKernel = -1;

inline constexpr std::array<bool, kTermCount> kAllTerms = {true, true, true, true,
                                                           true, true, true, true};

// Every sample weighs by its relative error. What the model says of networks that it has not seen
// is tried by leaving out each in turn: `held_out_error` is the mean relative error of their
// totals, and the coefficients' ranges are as wide as the errors of 95 of 100 of their steps. Terms
// that `used` leaves out stay 0. Errors: kInvalidArgument with fewer than two networks, or samples
// without energy.
Result<EnergyModel> calibrate(std::span<const CalibrationSample> samples, IdlePolicy policy,
                              const std::array<bool, kTermCount>& used = kAllTerms);

}  // namespace pj::energy
