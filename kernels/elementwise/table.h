// Functions of one 8-bit argument, by a table of 256 bytes that the planner made.
//
// A vector lookup has 16 entries: T0 to T15 are the table's pieces, x = 16 * h + l, and T_h[l] is
// wanted. With differences D_k = T_k ^ T_(k-1) it is the xor of D_k[l] over all k <= h. The lookup
// gives 0 for an index with the top bit set and uses the low four bits of others, which are l for
// x - 16 * k as well: subtracting 16 with signed saturation before each lookup leaves out exactly
// the k > h. That works for x below 128; a second chain serves the others, on x ^ 128, and each
// gives 0 where the other one counts.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

#if HWY_TARGET == HWY_SCALAR

PJ_INLINE void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = table[x[i]];
}

#else

PJ_INLINE void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  constexpr hn::ScalableTag<uint8_t> d8;
  constexpr hn::ScalableTag<int8_t> di8;
  constexpr int kPieces = 16, kHalf = kPieces / 2;
  using Vec = hn::Vec<decltype(d8)>;
  Vec differences[kPieces];
  unrolled<kPieces>([&](auto k) PJ_INLINE_LAMBDA {
    differences[k] = hn::LoadDup128(d8, table + 16 * k);
    if constexpr (k % kHalf != 0)
      differences[k] = hn::Xor(differences[k], hn::LoadDup128(d8, table + 16 * (k - 1)));
  });
  const auto sixteen = hn::Set(di8, 16);
  auto chain = [&](Vec from, const Vec* pieces) PJ_INLINE_LAMBDA {
    auto index = hn::BitCast(di8, from);
    Vec sum = hn::Zero(d8);
    unrolled<kHalf>([&](auto k) PJ_INLINE_LAMBDA {
#if HWY_ARCH_ARM
      // Here indices of 16 and more give 0.
      const auto low = hn::And(index, hn::Set(di8, static_cast<int8_t>(0x8F)));
#else
      const auto low = index;
#endif
      sum = hn::Xor(sum, hn::TableLookupBytesOr0(pieces[k], hn::BitCast(d8, low)));
      index = hn::SaturatedSub(index, sixteen);
    });
    return sum;
  };
  const Vec top = hn::Set(d8, 128);
  auto block = [&](uint8_t* to, const uint8_t* from) {
    const Vec v = hn::LoadU(d8, from);
    hn::StoreU(hn::Or(chain(v, differences), chain(hn::Xor(v, top), differences + kHalf)), d8, to);
  };
  for_blocks<static_cast<int64_t>(hn::MaxLanes(d8))>(n, y, block, x);
}

#endif

template <typename, typename>
void run_table(const Tile& t) {
  const TableParams& p = *static_cast<const TableParams*>(t.params);
  for_runs<1>(t, p.strides, [&](const Run& run) {
    look_up(p.table, reinterpret_cast<const uint8_t*>(run.in[0]),
            reinterpret_cast<uint8_t*>(run.out), run.n);
  });
}

}  // namespace
}  // namespace pj
