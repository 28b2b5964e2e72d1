// Boxes of bytes, for the levels that have a row of them. The length of a run decides once for a
// whole row of runs how they are copied.
#pragma once

#include "kernels/move/copy_run.h"
#include "kernels/move/move.h"

namespace pj {
namespace {

template <typename F>
PJ_INLINE void copy_row(const CopyBox& b, std::byte* to, const std::byte* from, F copy) {
  const int64_t in_step = b.in_step[kChannel], out_step = b.out_step[kChannel];
  for (int32_t i = 0; i < b.size[kChannel]; ++i) copy(to + i * out_step, from + i * in_step);
}
// Runs of a length that the compiler knows.
template <size_t N>
PJ_INLINE void copy_row_of(const CopyBox& b, std::byte* to, const std::byte* from) {
  copy_row(b, to, from, [](std::byte* y, const std::byte* x) { std::memcpy(y, x, N); });
}

PJ_INLINE void copy_any_row(const CopyBox& b, std::byte* to, const std::byte* from) {
  switch (b.run) {
    case 1:
      return copy_row_of<1>(b, to, from);
    case 2:
      return copy_row_of<2>(b, to, from);
    case 4:
      return copy_row_of<4>(b, to, from);
    case 8:
      return copy_row_of<8>(b, to, from);
    default:
      copy_row(b, to, from, [&](std::byte* y, const std::byte* x) { copy_run(y, x, b.run); });
  }
}

[[maybe_unused]] void copy_box(const Tile& t, const CopyBox& b) {
  const std::byte* in = t.in[b.in] + b.in_offset;
  std::byte* out = t.out[b.out] + b.out_offset;
  for (int32_t i = 0; i < b.size[kBatch]; ++i) {
    for (int32_t r = 0; r < b.size[kRow]; ++r) {
      for (int32_t c = 0; c < b.size[kCol]; ++c) {
        auto at = [&](const int64_t* step) {
          return i * step[kBatch] + r * step[kRow] + c * step[kCol];
        };
        copy_any_row(b, out + at(b.out_step), in + at(b.in_step));
      }
    }
  }
}

template <typename T>
void fill_elements(const CopyKernelParams& p, std::byte* to) {
  T* y = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < p.fill_count; ++i) y[i] = static_cast<T>(p.fill);
}

[[maybe_unused]] void fill_output(const CopyKernelParams& p, std::byte* to) {
  if (p.fill == 0) {
    std::memset(to, 0, static_cast<size_t>(p.fill_count * p.fill_size));
    return;
  }
  switch (p.fill_size) {
    case 1:
      return fill_elements<uint8_t>(p, to);
    case 2:
      return fill_elements<uint16_t>(p, to);
    case 4:
      return fill_elements<uint32_t>(p, to);
    default:
      return fill_elements<uint64_t>(p, to);
  }
}

template <typename, typename>
void run_copy(const Tile& t) {
  const auto& p = *static_cast<const CopyKernelParams*>(t.params);
  if (p.fill_count > 0) fill_output(p, t.out[0]);
  for (int32_t i = 0; i < p.boxes; ++i) copy_box(t, *p.box(i));
}

}  // namespace
}  // namespace pj
