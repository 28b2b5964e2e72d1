#include "runtime/energy/energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace pj::energy {
namespace {

struct Prefix {
  double factor;
  const char* name;
};
constexpr Prefix kPrefixes[] = {{1e3, "k"},  {1, ""},     {1e-3, "m"},
                                {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};

// Figure and interval share the prefix that suits the largest of them.
std::string with_interval(double value, double low, double high, const char* unit) {
  const double size = std::max({std::abs(value), std::abs(low), std::abs(high)});
  const Prefix* prefix = &kPrefixes[1];
  for (const Prefix& p : kPrefixes) {
    prefix = &p;
    if (size >= p.factor) break;
  }
  if (size == 0) prefix = &kPrefixes[1];
  const double f = prefix->factor;
  return fmt::format("{:.4g} {}{} [{:.4g}, {:.4g}]", value / f, prefix->name, unit, low / f,
                     high / f);
}

}  // namespace

const char* name_of(EnergySource source) {
  constexpr const char* kNames[] = {"measured", "calibrated", "prior"};
  return kNames[static_cast<int>(source)];
}

const char* name_of(IdlePolicy policy) {
  constexpr const char* kNames[] = {"gross", "dynamic", "marginal"};
  return kNames[static_cast<int>(policy)];
}

Energy::Energy(double joules, double low, double high, EnergySource source, IdlePolicy policy)
    : joules_(joules), low_(low), high_(high), source_(source), policy_(policy) {
  assert(std::isfinite(joules) && low <= joules && joules <= high);
}

Energy Energy::scaled(double factor) const {
  return {joules_ * factor, low_ * factor, high_ * factor, source_, policy_};
}

Energy Energy::operator+(const Energy& other) const {
  assert(policy_ == other.policy_);
  return {joules_ + other.joules_, low_ + other.low_, high_ + other.high_,
          std::max(source_, other.source_), policy_};
}

std::string Energy::text() const {
  return fmt::format("{} {}, {}", with_interval(joules_, low_, high_, "J"), name_of(source_),
                     name_of(policy_));
}

std::string Energy::watts_text(double seconds) const {
  return fmt::format("{} {}, {}",
                     with_interval(joules_ / seconds, low_ / seconds, high_ / seconds, "W"),
                     name_of(source_), name_of(policy_));
}

}  // namespace pj::energy
