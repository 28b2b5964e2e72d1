// Boards whose files are damaged at random: no crash, no negative joule, none that no power
// explains. 10,000 times, or PJ_MUTATIONS if that is more (`./dev fuzz`).
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <random>

#include "runtime/energy/counters/accumulator.h"
#include "runtime/energy/counters/integrator.h"
#include "tests/energy/boards.h"
#include "tests/energy/figures.h"

namespace pj::energy {
namespace {

class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  std::string text(std::string old) {
    static const char* const kExtremes[] = {"",
                                            "-1",
                                            "18446744073709551615",
                                            "18446744073709551616",
                                            "-9223372036854775808",
                                            "0",
                                            "nan",
                                            "1e308",
                                            "0x10",
                                            "9999999999999",
                                            "inf",
                                            "\n",
                                            "CH(",
                                            "CH[], 5",
                                            "=A\n_A=5A\n_V=5V",
                                            "0-99999999"};
    switch (below(4)) {
      case 0:
        return kExtremes[below(std::size(kExtremes))];
      case 1:
        if (!old.empty()) old[below(old.size())] ^= static_cast<char>(1 << below(8));
        return old;
      case 2:
        return old.substr(0, below(old.size() + 1));
      default:
        return std::to_string(random_());
    }
  }

  void apply(FakeSystem& system) {
    auto file = std::next(system.files.begin(), static_cast<long>(below(system.files.size())));
    if (below(10) == 0) {
      static const int kErrors[] = {EACCES, ENODATA, EIO, ENOENT};
      system.failures[file->first] = kErrors[below(4)];
    } else {
      file->second = text(file->second);
    }
    for (auto& [event, value] : system.perf_values)
      if (below(4) == 0) value = random_();
  }

 private:
  std::mt19937_64 random_;
};

// What a board's counters would do by themselves.
void run_for_ms(FakeSystem& system, double ms) {
  system.advance_ms(ms);
  for (auto& [path, content] : system.files) {
    if (!path.ends_with("energy_uj") && path.find("/energy") == path.npos) continue;
    if (const auto value = parse_unsigned(first_line(content)); value && *value < 1u << 31)
      content = std::to_string(*value + static_cast<uint64_t>(ms * 5000));
  }
  for (auto& [event, value] : system.perf_values) value += uint64_t{1} << 28;
}

TEST(DamagedBoards, NeverCrashAndNeverInventJoules) {
  Damage damage(7);
  int64_t readings = 0, figures_made = 0;
  const char* const more = std::getenv("PJ_MUTATIONS");
  const int trials = std::max(10'000, more != nullptr ? std::atoi(more) : 0);
  for (int trial = 0; trial < trials; ++trial) {
    FakeSystem system(boards()[damage.below(boards().size())].name);
    for (size_t n = damage.below(4); n > 0; --n) damage.apply(system);
    const Counters counters = find_counters(system);
    std::vector<Integrator> integrators;
    for (const auto& counter : counters) integrators.emplace_back(counter->info());
    const int64_t begin = system.time_ns;
    for (int round = 0; round < 14; ++round) {
      if (damage.below(8) == 0) damage.apply(system);
      run_for_ms(system, 1 + static_cast<double>(damage.below(1000)));
      for (size_t i = 0; i < counters.size(); ++i) {
        const Result<Reading> reading = counters[i]->read();
        integrators[i].add(reading);
        if (!reading) continue;
        ++readings;
        const CounterInfo& info = counters[i]->info();
        const double seconds =
            static_cast<double>(system.time_ns - begin + 14 * info.update_period_ns) * 1e-9;
        const bool sampled = info.kind == CounterKind::kSampled;
        const double most = sampled ? kMostWatts * 1.2 : kMostWatts * seconds;
        ASSERT_TRUE(std::isfinite(reading->value) && reading->value >= 0 && reading->value <= most)
            << info.where << " in trial " << trial << ": " << reading->value;
      }
    }
    for (const Integrator& integrator : integrators) {
      const Usage usage = integrator.usage();
      ASSERT_EQ(usage.energy.has_value(), usage.problem.empty());
      if (!usage.energy) continue;
      ++figures_made;
      const Figures f = figures(*usage.energy);
      ASSERT_TRUE(0 <= f.low && f.low <= f.joules && f.joules <= f.high && std::isfinite(f.high));
    }
  }
  // The damage must not have made everything unreadable.
  EXPECT_GT(readings, 100'000);
  EXPECT_GT(figures_made, 10'000);
}

}  // namespace
}  // namespace pj::energy
