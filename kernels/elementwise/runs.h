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

using RunFn = void (*)(const void* context, const Run& run);

// The walk of for_runs(), once for all kernels.
[[maybe_unused, gnu::noinline]] void walk_runs(const Tile& t, const ElementStrides& s, int inputs,
                                               RunFn f, const void* context) {
  Run run{};
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
  const int32_t cols = joined > kCol ? t.size[kCol] : 1;
  auto at = [&](const int64_t* stride, int32_t b, int32_t r, int32_t c) {
    return b * stride[kBatch] + r * stride[kRow] + c * stride[kCol];
  };
  for (int32_t b = 0; b < batches; ++b) {
    for (int32_t r = 0; r < rows; ++r) {
      for (int32_t c = 0; c < cols; ++c) {
        for (int k = 0; k < inputs; ++k) run.in[k] = t.in[k] + at(s.in[k], b, r, c);
        run.out = t.out[0] + at(s.out, b, r, c);
        f(context, run);
      }
    }
  }
}

// Calls f(run) for all elements of the tile, with `inputs` operands. Dimensions that every operand
// walks as one are joined.
template <int inputs, typename F>
PJ_INLINE void for_runs(const Tile& t, const ElementStrides& s, const F& f) {
  walk_runs(
      t, s, inputs, [](const void* c, const Run& run) { (*static_cast<const F*>(c))(run); }, &f);
}

}  // namespace
}  // namespace pj
