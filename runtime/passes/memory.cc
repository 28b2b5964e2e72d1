#include "runtime/passes/memory.h"

#include <algorithm>
#include <functional>

namespace pj {

int64_t constant_bytes(const Graph& graph) {
  struct Range {
    const std::byte *begin, *end;
  };
  std::vector<Range> ranges;
  for (const Tensor& t : graph.tensors) {
    if (!t.constant || t.data.empty()) continue;
    ranges.push_back({t.data.bytes.data(), t.data.bytes.data() + t.data.bytes.size()});
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::less<const std::byte*>()(a.begin, b.begin);
  });
  // Tensors of a file may name overlapping bytes.
  int64_t total = 0;
  const std::byte* end = nullptr;
  for (const Range& r : ranges) {
    const std::byte* begin = end == nullptr ? r.begin : std::max(r.begin, end);
    if (r.end <= begin) continue;
    total += r.end - begin;
    end = r.end;
  }
  return total;
}

int64_t folding_budget(const Graph& graph) {
  constexpr int64_t kFree = int64_t{64} << 20;
  return constant_bytes(graph) + kFree;
}

}  // namespace pj
