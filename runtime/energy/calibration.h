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
  Energy measured;  // its interval says how much it weighs
  int group = 0;    // the model that it is a step of; kMicroKernel for none
};
inline constexpr int kMicroKernel = -1;

inline constexpr std::array<bool, kTermCount> kAllTerms = {true, true, true, true, true,
                                                           true, true, true, true};

// Every sample weighs by its relative error: of its interval, and of what no sum of these terms
// explains. Those whose interval contains 0 say nothing and are left out. What the model says of
// networks that it has not seen is tried by leaving out each in turn: `held_out_error` is the mean
// relative error of their totals, and the coefficients' ranges are as wide as the errors of 95 of
// 100 of their steps. Terms that `used` leaves out stay 0. The model has the samples' idle policy.
// Errors: kInvalidArgument with fewer than two networks that have energy, or with samples that are
// not measured or of different idle policies.
Result<EnergyModel> calibrate(std::span<const CalibrationSample> samples,
                              const std::array<bool, kTermCount>& used = kAllTerms);

}  // namespace pj::energy
