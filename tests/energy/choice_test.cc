// Choosing between latency and energy. All joules here are made up.
#include "runtime/energy/choice.h"

#include <gmock/gmock.h>

#include "runtime/energy/model.h"

namespace pj::energy {
namespace {

using ::testing::ElementsAre;

Energy joules(double value) {
  return {value, value * 0.9, value * 1.1, EnergySource::kPrior, IdlePolicy::kGross};
}

const std::vector<Outcome> kOutcomes = {{3, joules(5)}, {1, joules(9)}, {2, joules(7)},
                                        {2, joules(6)}, {4, joules(5)}, {5, joules(4)}};

TEST(ParetoFront, IsWhatNothingBeatsInBoth) {
  EXPECT_THAT(pareto_front(kOutcomes), ElementsAre(1, 3, 0, 5));
  EXPECT_TRUE(pareto_front({}).empty());
}

TEST(Cheapest, KeepsTheDeadline) {
  EXPECT_EQ(cheapest(kOutcomes, 0), 5u);
  EXPECT_EQ(cheapest(kOutcomes, 4), 0u);
  EXPECT_EQ(cheapest(kOutcomes, 2), 3u);
  EXPECT_EQ(cheapest(kOutcomes, 0.5), std::nullopt);
}

// A machine whose power is mostly there anyway rewards hurrying; one that spends it on cores does
// not. Periods make both plans last equally long.
TEST(ModelDifference, RacesToIdleWhereTheMachineNeedsMoreThanItsCores) {
  Terms race, steady;  // two cores for 1 s, and one for 1.5 s
  race[Term::kCoreSeconds] = 2, race[Term::kSeconds] = 1;
  steady[Term::kCoreSeconds] = 1.5, steady[Term::kSeconds] = 1.5;
  EnergyModel model;
  model.joules[Term::kSeconds] = 10;
  model.joules[Term::kCoreSeconds] = 1;
  model.low = model.high = model.joules;
  EXPECT_TRUE(model.difference(race, steady).is_saving());
  race[Term::kSeconds] = steady[Term::kSeconds] = 2;
  EXPECT_TRUE(model.difference(steady, race).is_saving());
}

TEST(ModelDifference, SharesTheCoefficientsErrors) {
  EnergyModel model;
  model.joules[Term::kCoreSeconds] = 5;
  model.low[Term::kCoreSeconds] = 1;
  model.high[Term::kCoreSeconds] = 25;
  Terms less, more;
  less[Term::kCoreSeconds] = 1, more[Term::kCoreSeconds] = 1.1;
  // The estimates' intervals overlap, but whatever a core draws, this is less of it.
  EXPECT_TRUE(model.difference(less, more).is_saving());
  EXPECT_TRUE(model.difference(more, less).excludes_zero());
  // Fewer seconds of cores for more bytes: who knows.
  model.joules[Term::kByteDram] = 1;
  model.high[Term::kByteDram] = 2;
  less[Term::kByteDram] = 0.5;
  EXPECT_FALSE(model.difference(less, more).excludes_zero());
}

}  // namespace
}  // namespace pj::energy
