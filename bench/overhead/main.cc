// ./dev bench overhead: nanoseconds of a step beyond its kernel, in one thread.
#include <cstdio>

#include "bench/overhead/overhead.h"

int main() {
  constexpr int kSamples = 2000;
  const pj::Result<pj::bench::Overhead> r = pj::bench::measure_overhead(kSamples);
  if (!r) {
    std::fprintf(stderr, "bench_overhead: %s\n", r.error().message.c_str());
    return 1;
  }
  std::printf("step %.1f ns, its kernel %.1f ns, overhead %.1f ns\n", r->step_ns, r->kernel_ns,
              r->overhead_ns());
  return 0;
}
