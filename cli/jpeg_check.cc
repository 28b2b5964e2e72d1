#include "cli/jpeg_check.h"

#include <cstdint>

namespace pj::cli {
namespace {

constexpr int kMaxCodes = 256;  // a code stands for a byte

// Bytes as stb_image reads them: zeros beyond the end.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> rest) : rest_(rest) {}
  int next() {
    if (rest_.empty()) return 0;
    const int value = std::to_integer<int>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  void skip(int count) {
    rest_ = rest_.subspan(static_cast<size_t>(count) < rest_.size() ? static_cast<size_t>(count)
                                                                    : rest_.size());
  }

 private:
  std::span<const std::byte> rest_;
};

// `segment` begins behind the marker: a length, and tables of a class and number, 16 counts of
// codes by length, and the codes' values.
bool segment_is_oversized(Bytes segment) {
  int left = segment.next() << 8;
  left += segment.next() - 2;
  while (left > 0) {
    const int table = segment.next();
    if (table >> 4 > 1 || (table & 15) > 3) return false;  // stb_image gives up here
    int codes = 0;
    for (int i = 0; i < 16; ++i) codes += segment.next();
    if (codes > kMaxCodes) return true;
    segment.skip(codes);
    left -= 17 + codes;
  }
  return false;
}

}  // namespace

bool has_oversized_huffman_table(std::span<const std::byte> file) {
  for (size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == std::byte{0xff} && file[i + 1] == std::byte{0xc4} &&
        segment_is_oversized(Bytes(file.subspan(i + 2))))
      return true;
  }
  return false;
}

}  // namespace pj::cli
