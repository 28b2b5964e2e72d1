#include "runtime/energy/choice.h"

#include <algorithm>
#include <numeric>

#include "runtime/energy/figures.h"

namespace pj::energy {
namespace {

double joules_of(const Outcome& outcome) { return figures(outcome.energy).joules; }

}  // namespace

std::vector<size_t> pareto_front(std::span<const Outcome> outcomes) {
  std::vector<size_t> order(outcomes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Outcome &x = outcomes[a], &y = outcomes[b];
    return x.seconds != y.seconds ? x.seconds < y.seconds : joules_of(x) < joules_of(y);
  });
  std::vector<size_t> front;
  for (size_t i : order)
    if (front.empty() || joules_of(outcomes[i]) < joules_of(outcomes[front.back()]))
      front.push_back(i);
  return front;
}

std::optional<size_t> cheapest(std::span<const Outcome> outcomes, double deadline_seconds) {
  std::optional<size_t> best;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (deadline_seconds > 0 && outcomes[i].seconds > deadline_seconds) continue;
    if (!best || joules_of(outcomes[i]) < joules_of(outcomes[*best])) best = i;
  }
  return best;
}

}  // namespace pj::energy
