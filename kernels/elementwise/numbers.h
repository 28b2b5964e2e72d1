// Functions of numbers of any type, a block at a time: each operand becomes 32-bit lanes in L1, the
// function is computed there, and the result becomes the output's type. A loop so exists for each
// type and each function, not for each combination.
#pragma once

#include "kernels/elementwise/float_binary.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

inline constexpr int64_t kNumbers = 256;  // of a block
static_assert(kNumbers % kLanes32 == 0);

// Lanes of one operand; floats are kept as their bits.
struct alignas(64) NumberLanes {
  int32_t v[kNumbers];
};
PJ_INLINE VecI32 load_lanes(const int32_t* v) { return hn::LoadU(kI32, v); }
PJ_INLINE void store_lanes(VecI32 v, int32_t* to) { hn::StoreU(v, kI32, to); }
PJ_INLINE VecF32 load_real(const int32_t* v) { return hn::BitCast(kF32, load_lanes(v)); }
PJ_INLINE void store_real(VecF32 v, int32_t* to) { store_lanes(hn::BitCast(kI32, v), to); }

// Calls f(i) for the first lane of each vector; the last one is whole too.
template <typename F>
PJ_INLINE void for_vectors(int64_t n, F&& f) {
  for (int64_t i = 0; i < n; i += kLanes32) f(i);
}

template <typename T>
PJ_INLINE void widen_all(const std::byte* from, int64_t n, int32_t* to) {
  const T* x = reinterpret_cast<const T*>(from);
  for_vectors(n, [&](int64_t i) { store_lanes(load_wide(x + i), to + i); });
}

// Where the lanes of n elements are: in `buffer`, or where the elements are.
[[maybe_unused]] const int32_t* load_numbers(DType type, const std::byte* x, int64_t n,
                                             NumberLanes& buffer) {
  int32_t* to = buffer.v;
  switch (type) {
    case DType::kF32:
    case DType::kI32:
      return reinterpret_cast<const int32_t*>(x);
    case DType::kF16:
      for (int64_t i = 0; i < n; ++i)
        to[i] = std::bit_cast<int32_t>(to_float(reinterpret_cast<const Half*>(x)[i]));
      break;
    case DType::kI8:
      widen_all<int8_t>(x, n, to);
      break;
    case DType::kU8:
      widen_all<uint8_t>(x, n, to);
      break;
    case DType::kI16:
      widen_all<int16_t>(x, n, to);
      break;
    case DType::kI64:
      // Little-endian: every second half.
      for_vectors(n, [&](int64_t i) {
        VecI32 low, high;
        hn::LoadInterleaved2(kI32, reinterpret_cast<const int32_t*>(x) + 2 * i, low, high);
        store_lanes(low, to + i);
      });
      break;
    case DType::kBool:
      widen_all<uint8_t>(x, n, to);
      for_vectors(n,
                  [&](int64_t i) { store_lanes(hn::Min(load_lanes(to + i), splat(1)), to + i); });
      break;
  }
  return to;
}

template <typename T>
PJ_INLINE void narrow_all(const int32_t* v, int64_t n, std::byte* to) {
  constexpr hn::Rebind<T, TagI32> d;
  const VecI32 mask = splat(std::numeric_limits<T>::max());
  for_vectors(n, [&](int64_t i) {
    hn::StoreU(hn::DemoteTo(d, hn::And(load_lanes(v + i), mask)), d, reinterpret_cast<T*>(to) + i);
  });
}

// The low bits of whole numbers; floats as they are, or rounded to 16 bits.
[[maybe_unused]] void store_numbers(DType type, const int32_t* v, int64_t n, std::byte* y) {
  switch (type) {
    case DType::kF32:
    case DType::kI32:
      return for_vectors(
          n, [&](int64_t i) { store_lanes(load_lanes(v + i), reinterpret_cast<int32_t*>(y) + i); });
    case DType::kF16:
      for (int64_t i = 0; i < n; ++i)
        reinterpret_cast<Half*>(y)[i] = to_half(std::bit_cast<float>(v[i]));
      return;
    case DType::kI16:
      return narrow_all<uint16_t>(v, n, y);
    case DType::kI64:
      for (int64_t i = 0; i < n; ++i) reinterpret_cast<int64_t*>(y)[i] = v[i];
      return;
    default:
      return narrow_all<uint8_t>(v, n, y);
  }
}

PJ_INLINE auto no_more(VecF32 a, VecF32 b) { return hn::Le(a, b); }
PJ_INLINE auto no_more(VecI32 a, VecI32 b) { return hn::Not(hn::Lt(b, a)); }

template <typename F>
PJ_INLINE void compare_all(const NumbersParams& p, const int32_t* a, const int32_t* b, int64_t n,
                           int32_t* y, F f) {
  const VecI32 one = splat(1);
  if (p.real) {
    return for_vectors(n, [&](int64_t i) {
      const auto holds = hn::RebindMask(kI32, f(load_real(a + i), load_real(b + i)));
      store_lanes(hn::IfThenElseZero(holds, one), y + i);
    });
  }
  for_vectors(n, [&](int64_t i) {
    store_lanes(hn::IfThenElseZero(f(load_lanes(a + i), load_lanes(b + i)), one), y + i);
  });
}

[[maybe_unused]] void whole_arithmetic(const NumbersParams& p, const int32_t* a, const int32_t* b,
                                       int64_t n, int32_t* y) {
  const VecI32 least = splat(p.least), most = splat(p.most);
  auto map = [&](auto f) {
    for_vectors(n, [&](int64_t i) {
      store_lanes(hn::Min(hn::Max(f(load_lanes(a + i), load_lanes(b + i)), least), most), y + i);
    });
  };
  switch (static_cast<FloatBinaryFn>(p.arithmetic)) {
    case FloatBinaryFn::kAdd:
      return map([](VecI32 u, VecI32 v) { return hn::Add(u, v); });
    case FloatBinaryFn::kSub:
      return map([](VecI32 u, VecI32 v) { return hn::Sub(u, v); });
    case FloatBinaryFn::kMul:
      return map([](VecI32 u, VecI32 v) { return hn::Mul(u, v); });
    case FloatBinaryFn::kMinimum:
      return map([](VecI32 u, VecI32 v) { return hn::Min(u, v); });
    case FloatBinaryFn::kMaximum:
      return map([](VecI32 u, VecI32 v) { return hn::Max(u, v); });
    default:
      return map([](VecI32 u, VecI32 v) {
        const VecI32 d = hn::Sub(u, v);
        return hn::Mul(d, d);
      });
  }
}

[[maybe_unused]] void real_arithmetic(const NumbersParams& p, const int32_t* a, const int32_t* b,
                                      int64_t n, int32_t* y) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const FloatBinaryParams params = {{}, -kInfinity, kInfinity, p.arithmetic, 0};
  Runs runs{};
  runs.first.in[0] = reinterpret_cast<const std::byte*>(a);
  runs.first.in[1] = reinterpret_cast<const std::byte*>(b);
  runs.first.out = reinterpret_cast<std::byte*>(y);
  runs.first.n = n;
  runs.count = 1;
  float_binary_runs(params, runs);
}

// The function of n numbers, whose lanes begin at a and b; false if the result is a itself.
[[maybe_unused]] bool compute_numbers(const NumbersParams& p, const int32_t* a, const int32_t* b,
                                      int64_t n, int32_t* y) {
  switch (static_cast<NumbersFn>(p.fn)) {
    case NumbersFn::kNone:
      return false;
    case NumbersFn::kArithmetic:
      p.real ? real_arithmetic(p, a, b, n, y) : whole_arithmetic(p, a, b, n, y);
      return true;
    case NumbersFn::kEqual:
      compare_all(p, a, b, n, y, [](auto u, auto v) { return hn::Eq(u, v); });
      return true;
    case NumbersFn::kNotEqual:
      // NaN differs from everything, which Highway's Ne() does not say.
      compare_all(p, a, b, n, y, [](auto u, auto v) { return hn::Not(hn::Eq(u, v)); });
      return true;
    case NumbersFn::kLess:
      compare_all(p, a, b, n, y, [](auto u, auto v) { return hn::Lt(u, v); });
      return true;
    case NumbersFn::kLessEqual:
      compare_all(p, a, b, n, y, [](auto u, auto v) { return no_more(u, v); });
      return true;
  }
  return false;
}

// Floats to whole numbers, in place of them.
[[maybe_unused]] void finish_reals(const NumbersParams& p, const int32_t* v, int64_t n,
                                   int32_t* to) {
  const VecF32 scale = splat(p.out_scale), low = splat(p.low), high = splat(p.high);
  const VecI32 zero = splat(p.out_zero_point);
  if (p.truncates) {
    return for_vectors(n, [&](int64_t i) {
      const VecF32 x = load_real(v + i);
      const VecF32 number = hn::IfThenElseZero(hn::Eq(x, x), x);
      store_lanes(hn::ConvertTo(kI32, clamp_lanes(number, low, high)), to + i);
    });
  }
  for_vectors(n, [&](int64_t i) {
    const VecF32 x = clamp_lanes(hn::Mul(load_real(v + i), scale), low, high);
    store_lanes(hn::Add(round_lanes(x), zero), to + i);
  });
}

[[maybe_unused, gnu::noinline]] void numbers_run(const NumbersParams& p, const Run& run) {
  struct Block {
    alignas(64) std::byte bytes[kNumbers * 8];
  };
  Block raw[2], result;
  NumberLanes lanes[2], y_lanes;
  if (p.inputs < 2) std::memset(&lanes[1], 0, sizeof(lanes[1]));
  const auto y_type = static_cast<DType>(p.out_type);
  const auto y_size = static_cast<int64_t>(size_of(y_type));
  const std::byte* in[2] = {run.in[0], run.in[1]};
  std::byte* out = run.out;
  for (int64_t left = run.n; left > 0; left -= kNumbers, out += kNumbers * y_size) {
    const int64_t n = left < kNumbers ? left : kNumbers;
    const int64_t whole = (n + kLanes32 - 1) / kLanes32 * kLanes32;
    const int32_t* v[2] = {nullptr, lanes[1].v};
    for (int k = 0; k < p.inputs; ++k) {
      const auto type = static_cast<DType>(p.type[k]);
      const auto size = static_cast<int64_t>(size_of(type));
      const std::byte* x = in[k];
      if (run.repeats[k]) {
        for (int64_t i = 0; left == run.n && i < whole; ++i)
          std::memcpy(raw[k].bytes + i * size, x, static_cast<size_t>(size));
        x = raw[k].bytes;
      } else {
        in[k] += kNumbers * size;
        if (whole != n) {
          // Whatever the missing elements are, they must be numbers that one may compute with.
          std::memset(raw[k].bytes + n * size, 0, static_cast<size_t>((whole - n) * size));
          std::memcpy(raw[k].bytes, x, static_cast<size_t>(n * size));
          x = raw[k].bytes;
        }
      }
      v[k] = load_numbers(type, x, whole, lanes[k]);
      if (!p.real || is_float(type)) continue;
      const VecI32 zero = splat(p.zero_point[k]);
      const VecF32 scale = splat(p.scale[k]);
      for_vectors(whole, [&](int64_t i) {
        const VecI32 distance = hn::Sub(load_lanes(v[k] + i), zero);
        store_real(hn::Mul(hn::ConvertTo(kF32, distance), scale), lanes[k].v + i);
      });
      v[k] = lanes[k].v;
    }
    const int32_t* y = compute_numbers(p, v[0], v[1], whole, y_lanes.v) ? y_lanes.v : v[0];
    const bool compares = p.fn > static_cast<int32_t>(NumbersFn::kArithmetic);
    if (p.real && !compares && !is_float(y_type)) {
      finish_reals(p, y, whole, y_lanes.v);
      y = y_lanes.v;
    }
    store_numbers(y_type, y, whole, whole == n ? out : result.bytes);
    if (whole != n) std::memcpy(out, result.bytes, static_cast<size_t>(n * y_size));
  }
}

template <typename, typename>
void run_numbers(const Tile& t) {
  const NumbersParams& p = *static_cast<const NumbersParams*>(t.params);
  const auto run = [&](const Runs& runs) { runs.each([&](const Run& r) { numbers_run(p, r); }); };
  p.inputs == 2 ? for_groups<2>(t, p.strides, run) : for_groups<1>(t, p.strides, run);
}

}  // namespace
}  // namespace pj
