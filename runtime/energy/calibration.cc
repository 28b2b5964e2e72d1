#include "runtime/energy/calibration.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace pj::energy {
namespace {

using Used = std::array<bool, kTermCount>;

double predict(const Terms& joules, const Terms& amounts) {
  double sum = 0;
  for (size_t t = 0; t < kTermCount; ++t) sum += joules[t] * amounts[t];
  return sum;
}

// Fits all samples but those of `left_out`.
Terms fit(std::span<const CalibrationSample> samples, const int* left_out, const Used& used) {
  std::vector<Equation> equations;
  for (const CalibrationSample& s : samples)
    if (left_out == nullptr || s.group != *left_out)
      equations.push_back({s.amounts, s.joules, 1 / s.joules});
  return solve_nonnegative(equations, used);
}

struct HeldOut {
  double total_error = 0;           // mean over networks
  std::vector<double> step_errors;  // relative, absolute values
};

HeldOut leave_each_out(std::span<const CalibrationSample> samples, const std::set<int>& networks,
                       const Used& used) {
  HeldOut result;
  for (int network : networks) {
    const Terms joules = fit(samples, &network, used);
    double measured = 0, predicted = 0;
    for (const CalibrationSample& s : samples) {
      if (s.group != network) continue;
      const double p = predict(joules, s.amounts);
      measured += s.joules;
      predicted += p;
      result.step_errors.push_back(std::abs(p / s.joules - 1));
    }
    result.total_error += std::abs(predicted / measured - 1) / static_cast<double>(networks.size());
  }
  return result;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::ceil(last * share))];
}

}  // namespace

Result<EnergyModel> calibrate(std::span<const CalibrationSample> samples, IdlePolicy policy,
                              const Used& used) {
  std::set<int> networks;
  for (const CalibrationSample& s : samples) {
    if (!std::isfinite(s.joules) || s.joules <= 0)
      return error(ErrorCode::kInvalidArgument,
                   "a sample of {} J: measure longer, until every sample has energy", s.joules);
    if (s.group != kMicroKernel) networks.insert(s.group);
  }
  if (networks.size() < 2)
    return error(ErrorCode::kInvalidArgument,
                 "samples of {} network(s): measure at least two, so that one can be left out",
                 networks.size());
  const HeldOut held_out = leave_each_out(samples, networks, used);
  const double spread = quantile(held_out.step_errors, 0.95);
  EnergyModel model;
  model.source = EnergySource::kCalibrated;
  model.policy = policy;
  model.origin =
      fmt::format("{} samples of {} networks and micro-kernels", samples.size(), networks.size());
  model.held_out_error = held_out.total_error;
  model.joules = fit(samples, nullptr, used);
  for (size_t t = 0; t < kTermCount; ++t) {
    model.low[t] = model.joules[t] * std::max(0.0, 1 - spread);
    model.high[t] = model.joules[t] * (1 + spread);
  }
  return model;
}

}  // namespace pj::energy
