#include "runtime/base/checksum.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/base/text_bytes.h"

namespace pj {
namespace {

TEST(Crc32, KnownValues) {
  EXPECT_EQ(crc32({}), 0u);
  // The check value of the catalogue of CRC algorithms, and values of zlib's documentation tests.
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32(bytes_of("a")), 0xE8B7BE43u);
  EXPECT_EQ(crc32(bytes_of("The quick brown fox jumps over the lazy dog")), 0x414FA339u);
}

// Bit by bit, straight from the polynomial.
uint32_t definition(std::span<const std::byte> bytes) {
  uint32_t c = 0xffffffffu;
  for (std::byte b : bytes) {
    c ^= std::to_integer<uint32_t>(b);
    for (int i = 0; i < 8; ++i) c = (c & 1u) != 0 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
  }
  return ~c;
}

TEST(Crc32, AgreesWithTheDefinitionAtEveryLengthAndOffset) {
  std::vector<std::byte> data;
  for (unsigned i = 0; i < 100; ++i) data.push_back(static_cast<std::byte>(i * i + 7 * i + 3));
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t n = 0; begin + n <= data.size(); ++n) {
      const auto part = std::span(data).subspan(begin, n);
      ASSERT_EQ(crc32(part), definition(part)) << begin << " " << n;
    }
  }
}

// Long runs are cut into lanes.
TEST(Crc32, AgreesWithTheDefinitionOnLongRuns) {
  std::vector<std::byte> data;
  for (unsigned i = 0; i < 5000; ++i) data.push_back(static_cast<std::byte>(i * i + i / 3));
  for (size_t n = 900; n <= data.size(); n += 37) {
    const auto part = std::span(data).first(n);
    ASSERT_EQ(crc32(part), definition(part)) << n;
  }
}

TEST(Crc32, Continues) {
  const auto whole = bytes_of("The quick brown fox");
  for (size_t n = 0; n <= whole.size(); ++n)
    EXPECT_EQ(crc32(whole.subspan(n), crc32(whole.first(n))), crc32(whole));
}

}  // namespace
}  // namespace pj
