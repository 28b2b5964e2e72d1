// Which of two variants of a step needs less energy.
//
// They are measured in blocks A B B A: a drift that is straight over a block falls out of
// A - B - B + A, however large it is. All of A and then all of B has turned 2 % less into more.
#pragma once

#include <optional>

#include "runtime/energy/window.h"

namespace pj::energy {

struct Comparison {
  double relative = 0;       // (A - B) / B; negative: A needs less
  double low = 0, high = 0;  // interval of `confidence`
  double confidence = 0;
  int blocks = 0;  // 0: of two energies that were there already

  // Only an interval without zero is a reason to change anything.
  enum class Verdict { kUndecided, kFirstNeedsLess, kSecondNeedsLess };
  Verdict verdict() const {
    return high < 0 ? Verdict::kFirstNeedsLess
                    : (low > 0 ? Verdict::kSecondNeedsLess : Verdict::kUndecided);
  }
};

// Compares steps `a` and `b` of `bench`. The interval is one of 98 %: a decision changes what
// users run. Errors: those of read_window.
Result<Comparison> compare(Bench& bench, const Meter& meter, size_t a, size_t b, int64_t budget_ns);

// The same of two energies from runs of their own, whose errors are independent: only sources and
// policies that are the same can be compared. Nothing if the second may be 0. `families`: how many
// comparisons are looked at together; all their intervals hold at once with 95 %.
std::optional<Comparison> compare(const Energy& a, const Energy& b, int families = 1);

}  // namespace pj::energy
