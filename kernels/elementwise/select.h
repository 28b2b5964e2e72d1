// One of two elements by a bool: elements are copied as they are, whatever they mean.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

template <typename T, typename>
void run_select(const Tile& t) {
  using U = std::make_unsigned_t<T>;
  constexpr hn::ScalableTag<U> d;
  constexpr hn::Rebind<uint8_t, decltype(d)> d8;
  constexpr auto kCount = static_cast<int64_t>(hn::MaxLanes(d));
  const SelectParams& p = *static_cast<const SelectParams*>(t.params);
  for_runs<3>(t, p.strides, [&](const Run& run) {
    // What repeats becomes a block of copies.
    uint8_t conditions[kCount];
    U values[2][kCount];
    const auto* c = reinterpret_cast<const uint8_t*>(run.in[0]);
    const U* x[2];
    for (int k = 0; k < 2; ++k) {
      x[k] = reinterpret_cast<const U*>(run.in[k + 1]);
      if (!run.repeats[k + 1]) continue;
      for (U& v : values[k]) v = *x[k];
      x[k] = values[k];
    }
    if (run.repeats[0]) {
      std::memset(conditions, *c, sizeof(conditions));
      c = conditions;
    }
    auto step = [&](int k) { return run.repeats[k] ? 0 : kCount; };
    auto block = [&](U* y, const uint8_t* condition, const U* a, const U* b) {
      const auto chosen = hn::LoadU(d8, condition);
      const auto widened = [&] {
        if constexpr (sizeof(U) == 1) {
          return chosen;
        } else {
          return hn::PromoteTo(d, chosen);
        }
      }();
      hn::StoreU(hn::IfThenElse(hn::Ne(widened, hn::Zero(d)), hn::LoadU(d, a), hn::LoadU(d, b)), d,
                 y);
    };
    walk_blocks<kCount>(run.n, reinterpret_cast<U*>(run.out), block, Stream<uint8_t>{c, step(0)},
                        Stream<U>{x[0], step(1)}, Stream<U>{x[1], step(2)});
  });
}

}  // namespace
}  // namespace pj
