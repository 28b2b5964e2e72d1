// A step costs little beyond its kernel. The bound is far above what `./dev bench overhead` shows:
// it has to hold on machines that are busy, and with sanitizers.
#include "bench/overhead/overhead.h"

#include <gtest/gtest.h>

namespace pj {
namespace {

TEST(Overhead, OfAStepIsFarBelowAMicrosecond) {
  const Result<bench::Overhead> r = bench::measure_overhead(200);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_LT(r->overhead_ns(), 1500);
}

}  // namespace
}  // namespace pj
