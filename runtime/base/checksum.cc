#include "runtime/base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <array>
#include <cstring>

#include "runtime/base/cpu.h"

namespace pj {
namespace {

// The sum of one byte.
constexpr auto kBytes = [] {
  std::array<uint32_t, 256> t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t c = b;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1u) ? 0xEDB88320u : 0u);
    t[b] = c;
  }
  return t;
}();

constexpr uint32_t one(uint32_t c, uint8_t byte) { return (c >> 8) ^ kBytes[(c ^ byte) & 0xffu]; }

// Each step waits for the one before, so long runs are cut into lanes of this many bytes that are
// summed side by side.
constexpr int kLaneBits = 8;
constexpr size_t kLane = size_t{1} << kLaneBits, kLanes = 4;

// For long runs: 12 kB that are not worth their place in the file.
struct Tables {
  // Slicing by 8 (Kounavis and Berry, "A Systematic Approach to Building High Performance
  // Software-Based CRC Generators", 2005): after[k][b] is the sum of byte b followed by k zeros.
  std::array<std::array<uint32_t, 256>, 8> after = {};
  // Sums are linear: what a lane of zeros makes of a sum is that of its bits, added up. One table
  // for each byte of the sum.
  std::array<std::array<uint32_t, 256>, 4> past_lane = {};

  Tables() {
    after[0] = kBytes;
    for (size_t k = 1; k < 8; ++k)
      for (size_t b = 0; b < 256; ++b) after[k][b] = one(after[k - 1][b], 0);
    std::array<uint32_t, 32> bits{};  // what becomes of each bit, first past one byte
    for (size_t i = 0; i < 32; ++i) bits[i] = one(uint32_t{1} << i, 0);
    for (int doubling = 0; doubling < kLaneBits; ++doubling) {
      const std::array<uint32_t, 32> half = bits;
      for (uint32_t& b : bits) b = sum_of(half.data(), 32, b);
    }
    for (size_t byte = 0; byte < 4; ++byte)
      for (uint32_t b = 0; b < 256; ++b) past_lane[byte][b] = sum_of(&bits[byte * 8], 8, b);
  }

  // Of those numbers whose bit in `chosen` is set.
  static uint32_t sum_of(const uint32_t* numbers, size_t count, uint32_t chosen) {
    uint32_t sum = 0;
    for (size_t i = 0; i < count; ++i)
      if ((chosen >> i & 1u) != 0) sum ^= numbers[i];
    return sum;
  }

  uint32_t past(uint32_t c) const {
    return past_lane[0][c & 0xffu] ^ past_lane[1][(c >> 8) & 0xffu] ^
           past_lane[2][(c >> 16) & 0xffu] ^ past_lane[3][c >> 24];
  }
  uint32_t eight(uint32_t c, const uint8_t* p) const {
    const uint32_t low =
        c ^ (uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24);
    return after[7][low & 0xffu] ^ after[6][(low >> 8) & 0xffu] ^ after[5][(low >> 16) & 0xffu] ^
           after[4][low >> 24] ^ after[3][p[4]] ^ after[2][p[5]] ^ after[1][p[6]] ^ after[0][p[7]];
  }
};

// The sum of whole groups of lanes: moves `p` and `n` on.
uint32_t sum_lanes(uint32_t c, const uint8_t*& p, size_t& n) {
  static const Tables tables;
  for (; n >= kLanes * kLane; n -= kLanes * kLane, p += kLanes * kLane) {
    uint32_t sums[kLanes] = {c};
    for (size_t i = 0; i < kLane; i += 8) {
#pragma GCC unroll 4
      for (size_t lane = 0; lane < kLanes; ++lane)
        sums[lane] = tables.eight(sums[lane], p + lane * kLane + i);
    }
    c = sums[0];
    for (size_t lane = 1; lane < kLanes; ++lane) c = tables.past(c) ^ sums[lane];
  }
  return c;
}

uint32_t sum(uint32_t c, const uint8_t* p, size_t n) {
  if (n >= kLanes * kLane) c = sum_lanes(c, p, n);
  for (; n > 0; --n, ++p) c = one(c, *p);
  return c;
}

#if defined(__x86_64__)
// x to the power of n, bits reversed as in the sums, as the carry-less multiplier wants it.
constexpr uint64_t power_of_x(int n) {
  uint32_t c = uint32_t{1} << 31;
  for (; n > 0; --n) c = (c >> 1) ^ ((c & 1u) != 0 ? 0xEDB88320u : 0u);
  return uint64_t{c} << 1;
}

constexpr size_t kFolded = 64;  // bytes

// Makes the first `n` bytes, a multiple of kFolded and not 0, into kFolded bytes with the same sum
// (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", 2009):
// each 16 bytes times x^512 are added to those 64 bytes further on. `c` is the sum before, that
// after starts from 0.
__attribute__((target("pclmul"))) void fold(uint32_t c, const uint8_t* p, size_t n, uint8_t* to) {
  constexpr uint64_t kHigh = power_of_x(512 - 32), kLow = power_of_x(512 + 32);
  const __m128i powers = _mm_set_epi64x(kHigh, kLow);
  __m128i x[4];
  for (int i = 0; i < 4; ++i) x[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i);
  x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(static_cast<int32_t>(c)));
  for (p += kFolded; n > kFolded; n -= kFolded, p += kFolded) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m128i low = _mm_clmulepi64_si128(x[i], powers, 0x00);
      const __m128i high = _mm_clmulepi64_si128(x[i], powers, 0x11);
      const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i);
      x[i] = _mm_xor_si128(_mm_xor_si128(low, high), next);
    }
  }
  for (int i = 0; i < 4; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i, x[i]);
}
#endif

// The sum of all but the last few bytes where the CPU folds: moves `p` and `n` on.
uint32_t sum_folded(uint32_t c, [[maybe_unused]] const uint8_t*& p, [[maybe_unused]] size_t& n) {
#if defined(__x86_64__)
  constexpr size_t kWorthIt = 2 * kFolded;
  if (n < kWorthIt || !host_cpu().carryless) return c;
  uint8_t rest[kFolded];
  const size_t whole = n / kFolded * kFolded;
  fold(c, p, whole, rest);
  p += whole;
  n -= whole;
  c = sum(0, rest, kFolded);
#endif
  return c;
}

}  // namespace

uint32_t crc32(std::span<const std::byte> bytes, uint32_t crc) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t n = bytes.size();
  const uint32_t folded = sum_folded(~crc, p, n);
  return ~sum(folded, p, n);
}

}  // namespace pj
