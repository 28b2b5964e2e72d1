#include "runtime/energy/calibration.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "runtime/energy/figures.h"

namespace pj::energy {
namespace {

using Used = std::array<bool, kTermCount>;

double predict(const Terms& joules, const Terms& amounts) {
  double sum = 0;
  for (size_t t = 0; t < kTermCount; ++t) sum += joules[t] * amounts[t];
  return sum;
}

// The measured numbers, for arithmetic that ends in another Energy.
struct Sample {
  const Terms* amounts;
  double joules, weight;
  int group;
};

// How far off a sum of these terms is at best, as a part of the sample.
constexpr double kModelError = 0.02;

Sample to_sample(const CalibrationSample& sample) {
  const Figures f = figures(sample.measured);
  const double error = (f.high - f.low) / 2 / 1.96;
  return {&sample.amounts, f.joules, 1 / std::hypot(error, kModelError * f.joules), sample.group};
}

Result<std::vector<Sample>> to_samples(std::span<const CalibrationSample> given) {
  std::vector<Sample> samples;
  for (const CalibrationSample& s : given) {
    if (s.measured.source() != EnergySource::kMeasured)
      return error(ErrorCode::kInvalidArgument, "a sample is {}, not measured",
                   name_of(s.measured.source()));
    if (s.measured.policy() != given.front().measured.policy())
      return error(ErrorCode::kInvalidArgument,
                   "samples with the idle policies {} and {}: measure all with one",
                   name_of(given.front().measured.policy()), name_of(s.measured.policy()));
    const Sample sample = to_sample(s);
    if (s.measured.excludes_zero() && sample.joules > 0) samples.push_back(sample);
  }
  return samples;
}

// Fits all samples but those of `left_out`.
Terms fit(std::span<const Sample> samples, const int* left_out, const Used& used) {
  std::vector<Equation> equations;
  for (const Sample& s : samples)
    if (left_out == nullptr || s.group != *left_out)
      equations.push_back({*s.amounts, s.joules, s.weight});
  return solve_nonnegative(equations, used);
}

struct HeldOut {
  double total_error = 0;           // mean over networks
  std::vector<double> step_errors;  // relative, absolute values
};

HeldOut leave_each_out(std::span<const Sample> samples, const std::set<int>& networks,
                       const Used& used) {
  HeldOut result;
  for (int network : networks) {
    const Terms joules = fit(samples, &network, used);
    double measured = 0, predicted = 0;
    for (const Sample& s : samples) {
      if (s.group != network) continue;
      const double p = predict(joules, *s.amounts);
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

Result<EnergyModel> calibrate(std::span<const CalibrationSample> given, const Used& used) {
  PJ_ASSIGN(const std::vector<Sample> samples, to_samples(given));
  std::set<int> networks;
  for (const Sample& s : samples)
    if (s.group != kMicroKernel) networks.insert(s.group);
  if (networks.size() < 2)
    return error(
        ErrorCode::kInvalidArgument,
        "samples with energy of {} network(s): at least two are needed, so that one can be left "
        "out",
        networks.size());
  const HeldOut held_out = leave_each_out(samples, networks, used);
  const double spread = quantile(held_out.step_errors, 0.95);
  EnergyModel model;
  model.source = EnergySource::kCalibrated;
  model.policy = given.front().measured.policy();
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
