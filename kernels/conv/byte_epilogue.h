// Epilogues of integer convolutions (ConvEpilogue), on the bytes that a tile has just written: what
// the elementwise kernels would do, while the bytes are in cache and without a step of its own.
//
// In the registers of each block instead, a sum would save loads and stores of these bytes and cost
// code for every size of block.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/conv.h"
#include "kernels/elementwise/quantized_binary.h"
#include "kernels/elementwise/table.h"

namespace pj {
namespace {

template <typename Q>
[[gnu::noinline]] void finish_epilogue(const Tile& t, const ConvKernelParams& p) {
  const bool dense = t.size[kChannel] == p.out_col_bytes;  // pixels follow each other
  const int32_t pixels = dense ? 1 : t.size[kCol];
  Run run{};
  run.n = dense ? t.size[kCol] * p.out_col_bytes : t.size[kChannel];
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
      const int64_t at = row * p.out_row_bytes + pixel * p.out_col_bytes;
      run.out = t.out[0] + at;
      if (p.epilogue.is(EpilogueFn::kAdd)) {
        run.in[0] = run.out;
        run.in[1] = t.in[3] + at;
        fixed_point_sum<Q>(p.epilogue.sum, run);
      } else {
        auto* bytes = reinterpret_cast<uint8_t*>(run.out);
        look_up(p.epilogue.table, bytes, bytes, run.n);
      }
    }
  }
}

// After the kernel has written a tile.
template <typename Q>
PJ_INLINE void finish_bytes(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  if (!p.epilogue.is(EpilogueFn::kNone)) finish_epilogue<Q>(t, p);
}

}  // namespace
}  // namespace pj
