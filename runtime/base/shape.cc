#include "runtime/base/shape.h"

namespace pj {

std::optional<int64_t> element_count(const Shape& shape) {
  constexpr int64_t kLimit = int64_t{1} << 40;
  int64_t n = 1;
  bool zero = false;
  for (int32_t d : shape) {
    if (d < 0) return std::nullopt;
    if (d == 0) {
      zero = true;
    } else if (n > kLimit / d) {
      return std::nullopt;
    } else {
      n *= d;
    }
  }
  return zero ? 0 : n;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string s;
  for (int32_t d : shape) {
    if (!s.empty()) s += 'x';
    s += d < 0 ? std::string("?") : std::to_string(d);
  }
  return s;
}

}  // namespace pj
