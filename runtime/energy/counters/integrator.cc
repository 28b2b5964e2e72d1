#include "runtime/energy/counters/integrator.h"

#include <algorithm>
#include <cmath>

#include "runtime/energy/statistics.h"

namespace pj::energy {
namespace {

constexpr int64_t kUnknownPeriodNs = 100'000'000;  // assumed where a counter does not tell
constexpr int64_t kStoppedNs = 1'000'000'000;      // a CPU that runs moves its register by then
constexpr int64_t kLeastSamples = 10, kGoodSamples = 100;

int64_t period_of(const CounterInfo& info) {
  return info.update_period_ns > 0 ? info.update_period_ns : kUnknownPeriodNs;
}

}  // namespace

void Integrator::add(const Result<Reading>& reading) {
  ++readings_;
  if (!reading) {
    std::string& first = reading.error().code == ErrorCode::kWrongState ? problem_ : failure_;
    if (first.empty()) first = reading.error().message;
    ++failures_;
    return;
  }
  if (!first_) first_ = *reading, changed_ns_ = reading->time_ns;
  if (info_.kind == CounterKind::kSampled) {
    add_sample(*reading);
  } else if (last_ && reading->value > last_->value) {
    changed_ns_ = reading->time_ns;
  }
  last_ = *reading;
}

// A sample is the mean power since the one before it; the first only starts the clock, because
// what it averages was before.
void Integrator::add_sample(const Reading& reading) {
  if (!last_ || reading.time_ns <= last_->time_ns) return;
  if (in_span_ == per_span_ || span_count_ == 0) {
    if (span_count_ == kSpans) merge_spans();
    spans_[span_count_++] = {};
    in_span_ = 0;
  }
  const double seconds = static_cast<double>(reading.time_ns - last_->time_ns) * 1e-9;
  Span& span = spans_[span_count_ - 1];
  span.seconds += seconds;
  span.joules += reading.value * seconds;
  ++in_span_;
}

void Integrator::merge_spans() {
  for (size_t i = 0; i < kSpans / 2; ++i) {
    const Span &a = spans_[2 * i], &b = spans_[2 * i + 1];
    spans_[i] = {a.seconds + b.seconds, a.joules + b.joules};
  }
  span_count_ = kSpans / 2;
  per_span_ *= 2;
}

Usage Integrator::usage() const {
  Usage usage;
  usage.readings = readings_;
  usage.problem = problem_;
  if (first_ && last_) usage.seconds = static_cast<double>(last_->time_ns - first_->time_ns) * 1e-9;
  // A few failures only make other readings span more time.
  if (usage.problem.empty() && (failures_ * 10 > readings_ || !first_)) usage.problem = failure_;
  if (usage.problem.empty() && usage.seconds <= 0) usage.problem = "there was only one reading";
  if (!usage.problem.empty()) return usage;
  usage = info_.kind == CounterKind::kSampled ? sampled(usage) : accumulated(usage);
  if (failures_ > 0 && usage.note.empty())
    usage.note = fmt::format("{} of {} readings failed", failures_, readings_);
  return usage;
}

Energy Integrator::figure(double joules, double half_width) const {
  return {joules, std::max(0.0, joules - half_width), joules + half_width, info_.quality,
          IdlePolicy::kGross};
}

Usage Integrator::accumulated(Usage usage) const {
  const double period = static_cast<double>(period_of(info_)) * 1e-9;
  const double joules = last_->value - first_->value;
  if (usage.seconds < 2 * period) {
    usage.problem = fmt::format("{:.3g} ms are too short: the counter moves every {:.3g} ms",
                                usage.seconds * 1e3, period * 1e3);
    return usage;
  }
  if (const int64_t still = last_->time_ns - changed_ns_;
      still > std::max(kStoppedNs, 20 * period_of(info_)) || joules <= 0) {
    usage.problem = fmt::format("the counter did not move for {:.3g} s: switched off, or stopped",
                                static_cast<double>(still) * 1e-9);
    return usage;
  }
  // Each end is up to one period old; the difference of two such ages is within 0.776 periods in
  // 95 of 100 cases.
  usage.energy = figure(joules, 0.776 * period * joules / usage.seconds + info_.resolution);
  if (info_.update_period_ns == 0)
    usage.note = "how often the counter moves is unknown; 100 ms are assumed";
  return usage;
}

Usage Integrator::sampled(Usage usage) const {
  const double period = static_cast<double>(period_of(info_)) * 1e-9;
  // Reading faster than the meter measures gives no new samples.
  const double samples = std::min(static_cast<double>(readings_ - failures_ - 1),
                                  std::floor(usage.seconds / period + 0.5));
  if (samples < static_cast<double>(kLeastSamples)) {
    usage.problem =
        fmt::format("{:.3g} s are too short: at least {} samples of {:.3g} ms are needed",
                    usage.seconds, kLeastSamples, period * 1e3);
    return usage;
  }
  double joules = 0;
  for (size_t i = 0; i < span_count_; ++i) joules += spans_[i].joules;
  const double watts = joules / usage.seconds;
  // Scatter of the spans' powers around the mean, each with its weight in time.
  double squares = 0;
  for (size_t i = 0; i < span_count_; ++i) {
    const double off = spans_[i].joules - watts * spans_[i].seconds;
    squares += off * off;
  }
  const auto n = static_cast<double>(span_count_);
  const double deviation = std::sqrt(squares * n / (n - 1));
  usage.energy = figure(
      joules, student_t95(n - 1) * deviation + watts * period + info_.resolution * usage.seconds);
  if (samples < static_cast<double>(kGoodSamples))
    usage.note = fmt::format("only {:.0f} samples; {} are better", samples, kGoodSamples);
  return usage;
}

}  // namespace pj::energy
