// Vectors of the ISA level that a file is compiled for, with Google Highway in its static mode: no
// dispatch of its own, the flags of the file decide. Where the flags promise no vectors that
// Highway knows, a vector is one number and the compiler vectorises the loops itself.
//
// Files compiled once for each ISA level include this, and everything they define is in anonymous
// namespaces (see PJ_INLINE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/unrolled.h"

#if defined(__AVX2__) || defined(__ARM_NEON)
#define HWY_COMPILE_ONLY_STATIC
#else
#define HWY_COMPILE_ONLY_SCALAR
#endif
// AES is part of what Highway calls AVX2, but not of what kernels need.
#define HWY_DISABLE_PCLMUL_AES
// For gcc on ARM, Highway gives its functions an attribute that asks for AES, which then are not
// inlined into ours; told that the system cannot say what its CPU has, it leaves that away.
#define TOOLCHAIN_MISS_SYS_AUXV_H
#include <hwy/highway.h>

namespace pj {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using TagF32 = hn::ScalableTag<float>;
using TagI32 = hn::ScalableTag<int32_t>;
using VecF32 = hn::Vec<TagF32>;
using VecI32 = hn::Vec<TagI32>;

inline constexpr TagF32 kF32;
inline constexpr TagI32 kI32;
inline constexpr int64_t kLanes32 = static_cast<int64_t>(hn::MaxLanes(kF32));
// 8-bit results are made four vectors of 32 bits at a time, which fill one vector of bytes.
inline constexpr int kByteVectors = kLanes32 == 1 ? 1 : 4;
inline constexpr int64_t kByteBlock = kByteVectors * kLanes32;

PJ_INLINE VecF32 splat(float x) { return hn::Set(kF32, x); }
PJ_INLINE VecI32 splat(int32_t x) { return hn::Set(kI32, x); }

// kLanes32 numbers of 8 bits as 32-bit ones.
template <typename Q>
PJ_INLINE VecI32 load_wide(const Q* x) {
  return hn::PromoteTo(kI32, hn::LoadU(hn::Rebind<Q, TagI32>(), x));
}
PJ_INLINE VecF32 load_wide(const float* x) { return hn::LoadU(kF32, x); }
PJ_INLINE void store(VecF32 v, float* y) { hn::StoreU(v, kF32, y); }

// The first `count` of less than kLanes32 floats, zeros after; no others are touched.
PJ_INLINE VecF32 load_first(const float* x, int64_t count) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::MaskedLoad(hn::FirstN(kF32, static_cast<size_t>(count)), kF32, x);
#else
  float copy[kLanes32] = {};
  std::memcpy(copy, x, static_cast<size_t>(count) * sizeof(float));
  return load_wide(copy);
#endif
}
PJ_INLINE void store_first(VecF32 v, int64_t count, float* y) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  hn::BlendedStore(v, hn::FirstN(kF32, static_cast<size_t>(count)), kF32, y);
#else
  float copy[kLanes32];
  store(v, copy);
  std::memcpy(y, copy, static_cast<size_t>(count) * sizeof(float));
#endif
}

// clamp_to() and round_to_int() of requantize.h, lane by lane.
PJ_INLINE VecF32 clamp_lanes(VecF32 x, VecF32 low, VecF32 high) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  // The maximum and minimum of x86 are `a > b ? a : b` and `a < b ? a : b`, NaN or not.
  return hn::Min(hn::Max(x, low), high);
#else
  const VecF32 raised = hn::IfThenElse(hn::Gt(x, low), x, low);
  return hn::IfThenElse(hn::Lt(raised, high), raised, high);
#endif
}
PJ_INLINE VecI32 round_lanes(VecF32 x) {
#if HWY_TARGET == HWY_SCALAR
  return splat(round_to_int(hn::GetLane(x)));
#else
  return hn::NearestInt(x);
#endif
}

// min(max(x, low), high), but NaN stays NaN.
PJ_INLINE VecF32 limit_lanes(VecF32 x, VecF32 low, VecF32 high) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  // The second operand is what x86 gives where one of them is NaN.
  return hn::Min(high, hn::Max(low, x));
#else
  const VecF32 raised = hn::IfThenElse(hn::Lt(x, low), low, x);
  return hn::IfThenElse(hn::Gt(raised, high), high, raised);
#endif
}
// x > y ? x : y, and y if there is a NaN.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
PJ_INLINE VecF32 larger_of(VecF32 x, VecF32 y) { return hn::Max(x, y); }
PJ_INLINE VecF32 smaller_of(VecF32 x, VecF32 y) { return hn::Min(x, y); }
#else
PJ_INLINE VecF32 larger_of(VecF32 x, VecF32 y) { return hn::IfThenElse(hn::Gt(x, y), x, y); }
PJ_INLINE VecF32 smaller_of(VecF32 x, VecF32 y) { return hn::IfThenElse(hn::Lt(x, y), x, y); }
#endif

// Calls f with the first channel of blocks of N channels that cover all `channels`; the last one
// may overlap the one before it. False, and nothing done, if there are fewer than N.
template <int64_t N, typename F>
PJ_INLINE bool for_channel_blocks(int64_t channels, F&& f) {
  if (channels < N) return false;
  for (int64_t c = 0; c < channels; c += N) f(c + N <= channels ? c : channels - N);
  return true;
}

// How 32-bit results become stored bytes: the zero point added, then limited to [low, high].
template <typename Q>
struct ByteLimits {
  int32_t zero_point, low, high;
};

// What a type of 8 bits can hold.
template <typename Q>
inline constexpr IntRange kByteRange = std::is_signed_v<Q> ? IntRange{-128, 127} : IntRange{0, 255};
template <typename Q>
PJ_INLINE ByteLimits<Q> all_bytes(int32_t zero_point) {
  return {zero_point, kByteRange<Q>.min, kByteRange<Q>.max};
}

// Stores one vector of results as bytes.
template <typename Q>
PJ_INLINE void store_narrow(VecI32 v, const ByteLimits<Q>& l, Q* y) {
  const VecI32 q = hn::Min(hn::Max(hn::Add(v, splat(l.zero_point)), splat(l.low)), splat(l.high));
  hn::StoreU(hn::DemoteTo(hn::Rebind<Q, TagI32>(), q), hn::Rebind<Q, TagI32>(), y);
}

// Stores kByteBlock results as bytes: clamp(v + zero_point, low, high).
template <typename Q>
PJ_INLINE void store_bytes(const VecI32* v, const ByteLimits<Q>& l, Q* y) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  constexpr hn::ScalableTag<Q> d8;
  // Packing works within 128 bits, so four quarters of each vector are put in order at the end. It
  // saturates to 16 and then to 8 bits, beyond any zero point and limit.
  constexpr hn::ScalableTag<int16_t> d16;
  const auto zero = hn::Set(d16, static_cast<int16_t>(l.zero_point));
  const auto a = hn::SaturatedAdd(hn::ReorderDemote2To(d16, v[0], v[1]), zero);
  const auto b = hn::SaturatedAdd(hn::ReorderDemote2To(d16, v[2], v[3]), zero);
  constexpr bool kSigned = std::is_signed_v<Q>;
#if HWY_TARGET == HWY_AVX2
  const __m256i packed =
      kSigned ? _mm256_packs_epi16(a.raw, b.raw) : _mm256_packus_epi16(a.raw, b.raw);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const hn::Vec<decltype(d8)> q{_mm256_permutevar8x32_epi32(packed, order)};
#else
  const __m512i packed =
      kSigned ? _mm512_packs_epi16(a.raw, b.raw) : _mm512_packus_epi16(a.raw, b.raw);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const hn::Vec<decltype(d8)> q{_mm512_permutexvar_epi32(order, packed)};
#endif
  const auto low = hn::Set(d8, static_cast<Q>(l.low)), high = hn::Set(d8, static_cast<Q>(l.high));
  hn::StoreU(hn::Min(hn::Max(q, low), high), d8, y);
#elif HWY_ARCH_ARM_A64 && HWY_TARGET != HWY_SCALAR
  // Narrowing saturates to 16 and then to 8 bits, likewise.
  constexpr hn::ScalableTag<Q> d8;
  const int16x8_t zero = vdupq_n_s16(static_cast<int16_t>(l.zero_point));
  const auto pair = [&](VecI32 a, VecI32 b) PJ_INLINE_LAMBDA {
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a.raw), b.raw), zero);
  };
  const int16x8_t a = pair(v[0], v[1]), b = pair(v[2], v[3]);
  hn::Vec<decltype(d8)> q;
  if constexpr (std::is_signed_v<Q>) {
    q.raw = vqmovn_high_s16(vqmovn_s16(a), b);
  } else {
    q.raw = vqmovun_high_s16(vqmovun_s16(a), b);
  }
  const auto low = hn::Set(d8, static_cast<Q>(l.low)), high = hn::Set(d8, static_cast<Q>(l.high));
  hn::StoreU(hn::Min(hn::Max(q, low), high), d8, y);
#else
  unrolled<kByteVectors>([&](auto k) PJ_INLINE_LAMBDA { store_narrow(v[k], l, y + k * kLanes32); });
#endif
}

// kByteBlock numbers of 8 bits as vectors of 32-bit ones.
template <typename Q>
PJ_INLINE void load_block(const Q* x, VecI32 (&v)[kByteVectors]) {
#if HWY_ARCH_ARM_A64 && HWY_TARGET != HWY_SCALAR
  const auto all = hn::LoadU(hn::ScalableTag<Q>(), x);
  if constexpr (std::is_signed_v<Q>) {
    const int16x8_t a = vmovl_s8(vget_low_s8(all.raw)), b = vmovl_high_s8(all.raw);
    v[0].raw = vmovl_s16(vget_low_s16(a)), v[1].raw = vmovl_high_s16(a);
    v[2].raw = vmovl_s16(vget_low_s16(b)), v[3].raw = vmovl_high_s16(b);
  } else {
    const uint16x8_t a = vmovl_u8(vget_low_u8(all.raw)), b = vmovl_high_u8(all.raw);
    v[0].raw = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(a)));
    v[1].raw = vreinterpretq_s32_u32(vmovl_high_u16(a));
    v[2].raw = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(b)));
    v[3].raw = vreinterpretq_s32_u32(vmovl_high_u16(b));
  }
#else
  unrolled<kByteVectors>([&](auto k) PJ_INLINE_LAMBDA { v[k] = load_wide(x + k * kLanes32); });
#endif
}

// An operand of walk_blocks(): `step` elements further for each block.
template <typename X>
struct Stream {
  const X* x;
  int64_t step;
};

// Calls op(y, x...) for each block of N elements. A last block that is not whole goes through
// copies, so that nothing is read or written outside. Operands may be the same memory. `op` is
// expanded once: the kernels are many, and their code should be small.
template <int64_t N, typename Y, typename Op, typename... X>
PJ_INLINE void walk_blocks(int64_t n, Y* y, Op&& op, Stream<X>... in) {
  struct Copy {
    alignas(64) std::byte bytes[N * 8];
  };
  Copy copies[sizeof...(X)], result;
  for (int64_t left = n; left > 0; left -= N) {
    Y* to = y;
    if (left < N) {
      Copy* copy = copies;
      auto redirect = [&]<typename T>(Stream<T>& s) {
        static_assert(sizeof(T) <= 8);
        const T* from = s.x;
        s.x = reinterpret_cast<const T*>(copy->bytes);
        // Whatever the missing elements are, they must be numbers that one may compute with.
        if constexpr (std::is_same_v<T, float> && N == kLanes32) {
          store(load_first(from, left), reinterpret_cast<float*>(copy->bytes));
        } else {
          std::memset(copy->bytes, 0, N * sizeof(T));
          std::memcpy(copy->bytes, from, static_cast<size_t>(left) * sizeof(T));
        }
        ++copy;
      };
      (redirect(in), ...);
      to = reinterpret_cast<Y*>(result.bytes);
    }
    op(to, in.x...);
    if (left < N) {
      if constexpr (std::is_same_v<Y, float> && N == kLanes32)
        return store_first(load_wide(to), left, y);
      std::memcpy(y, to, static_cast<size_t>(left) * sizeof(Y));
      return;
    }
    y += N;
    ((in.x += in.step), ...);
  }
}
template <int64_t N, typename Y, typename Op, typename... X>
PJ_INLINE void for_blocks(int64_t n, Y* y, Op&& op, const X*... x) {
  walk_blocks<N>(n, y, op, Stream<X>{x, N}...);
}

}  // namespace
}  // namespace pj
