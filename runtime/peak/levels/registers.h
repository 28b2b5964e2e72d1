// Building blocks of the loops: vectors that stay in registers and that the compiler cannot see
// through. Included by one file a level; all templates get lambdas or types of that file, so that
// no two levels share an instance.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/peak/levels/loops.h"

// The constraint of a vector register in inline assembly.
#if defined(__x86_64__) || defined(__i386__)
#define PJ_VECTOR_REGISTER "v"
#elif defined(__aarch64__) || defined(__ARM_NEON)
#define PJ_VECTOR_REGISTER "w"
#else
#define PJ_VECTOR_REGISTER "m"
#endif

namespace pj::peak {
namespace {

// From here on `value` may be anything, for the compiler; no instruction is spent on it.
template <typename Vector>
inline void obscure(Vector& value) {
  asm volatile("" : "+" PJ_VECTOR_REGISTER(value));
}

template <typename Vector>
inline void consume(const Vector& value) {
  asm volatile("" : : PJ_VECTOR_REGISTER(value));
}

// Repeats: sum = step(sum, a, b) for kChains independent sums. `step` may obscure a and b, so that
// what depends on them alone is computed each time.
template <int kChains, typename Vector, typename Factor, typename Step>
inline void accumulate(int64_t repeats, Step step) {
  Vector sums[kChains] = {};
  Factor a{}, b{};
  obscure(a);
  obscure(b);
  // Sums that begin alike are one sum.
#pragma GCC unroll 32
  for (int i = 0; i < kChains; ++i) obscure(sums[i]);
  for (; repeats > 0; --repeats) {
#pragma GCC unroll 32
    for (int i = 0; i < kChains; ++i) sums[i] = step(sums[i], a, b);
  }
#pragma GCC unroll 32
  for (int i = 0; i < kChains; ++i) consume(sums[i]);
}

// Enough to make the loop's own instructions few.
constexpr size_t kUnroll = 8;

template <size_t kWidth>
using Bytes [[gnu::vector_size(kWidth)]] = uint8_t;

template <size_t kWidth>
void load_all(const std::byte* memory, size_t bytes) {
  const auto* v = reinterpret_cast<const Bytes<kWidth>*>(memory);
  const auto* end = v + bytes / kWidth;
  for (; v != end; v += kUnroll) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kUnroll; ++i) {
      const Bytes<kWidth> value = v[i];
      consume(value);
    }
  }
}

template <size_t kWidth>
void store_all(std::byte* memory, size_t bytes) {
  Bytes<kWidth> value{};
  obscure(value);
  auto* v = reinterpret_cast<Bytes<kWidth>*>(memory);
  const auto* end = v + bytes / kWidth;
  for (; v != end; v += kUnroll) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kUnroll; ++i) v[i] = value;
  }
}

// With vectors of so many bytes.
template <size_t kWidth>
constexpr MoveLoops kMoves = {kWidth, load_all<kWidth>, store_all<kWidth>};

}  // namespace
}  // namespace pj::peak
