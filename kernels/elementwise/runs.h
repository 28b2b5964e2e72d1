// The loops of elementwise kernels: a tile as few, long runs.
#pragma once

#include "kernels/elementwise/elementwise.h"

namespace pj {
namespace {

// A run of n elements: in[k] advances by one element, or not at all if repeats[k].
struct Run {
  const std::byte* in[kElementwiseInputs];
  bool repeats[kElementwiseInputs];
  std::byte* out;
  int64_t n;
};

// Runs at equal distances, as many as the tile has columns.
struct Runs {
  Run first;
  int32_t count;
  int64_t in_step[kElementwiseInputs], out_step;

  template <typename F>
  PJ_INLINE void each(F&& f) const {
    Run run = first;
    for (int32_t i = 0; i < count; ++i) {
      f(run);
      for (int k = 0; k < kElementwiseInputs; ++k) run.in[k] += in_step[k];
      run.out += out_step;
    }
  }
};
using RunsFn = void (*)(const void* context, const Runs& runs);

// The walk of for_runs(), once for all kernels.
[[maybe_unused, gnu::noinline]] void walk_runs(const Tile& t, const ElementStrides& s, int inputs,
                                               RunsFn f, const void* context) {
  Runs runs{};
  Run& run = runs.first;
  int64_t step[kElementwiseInputs];
  for (int k = 0; k < inputs; ++k) {
    step[k] = s.in[k][kChannel];
    run.repeats[k] = step[k] == 0;
  }
  run.n = t.size[kChannel];
  int joined = kChannel;
  for (; joined > 0; --joined) {
    const int d = joined - 1;
    bool joins = t.size[d] == 1 || s.out[d] == run.n * s.out[kChannel];
    for (int k = 0; k < inputs; ++k)
      joins = joins && (t.size[d] == 1 || s.in[k][d] == run.n * step[k]);
    if (!joins) break;
    run.n *= t.size[d];
  }
  const int32_t batches = joined > kBatch ? t.size[kBatch] : 1;
  const int32_t rows = joined > kRow ? t.size[kRow] : 1;
  runs.count = joined > kCol ? t.size[kCol] : 1;
  for (int k = 0; k < inputs; ++k) runs.in_step[k] = s.in[k][kCol];
  runs.out_step = s.out[kCol];
  auto at = [&](const int64_t* stride, int32_t b, int32_t r) {
    return b * stride[kBatch] + r * stride[kRow];
  };
  for (int32_t b = 0; b < batches; ++b) {
    for (int32_t r = 0; r < rows; ++r) {
      for (int k = 0; k < inputs; ++k) run.in[k] = t.in[k] + at(s.in[k], b, r);
      run.out = t.out[0] + at(s.out, b, r);
      f(context, runs);
    }
  }
}

// Calls f(runs) for all elements of the tile, with `inputs` operands. Dimensions that every operand
// walks as one are joined.
template <int inputs, typename F>
PJ_INLINE void for_groups(const Tile& t, const ElementStrides& s, const F& f) {
  walk_runs(
      t, s, inputs, [](const void* c, const Runs& runs) { (*static_cast<const F*>(c))(runs); }, &f);
}
// Calls f(run) for each run.
template <int inputs, typename F>
PJ_INLINE void for_runs(const Tile& t, const ElementStrides& s, const F& f) {
  for_groups<inputs>(t, s, [&](const Runs& runs) { runs.each(f); });
}

}  // namespace
}  // namespace pj
