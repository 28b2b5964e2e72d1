#include "runtime/plan/arena.h"

#include <algorithm>
#include <numeric>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

// Of whole lines. Neighbours whose sizes are round numbers would begin in the same sets of a cache,
// and operators that read one and write another would use few of its ways: a few lines between them
// cost less.
int64_t padded(int64_t bytes) {
  constexpr size_t kRound = 1024, kApart = 3 * kCacheLine;
  const size_t lines = round_up(static_cast<size_t>(bytes), kCacheLine);
  return static_cast<int64_t>(lines > 0 && lines % kRound == 0 ? lines + kApart : lines);
}

bool overlap_in_time(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

int64_t lower_bound_of(std::span<const Lifetime> tensors) {
  // Sizes change only where a life begins or has just ended.
  std::vector<std::pair<int32_t, int64_t>> events;
  for (const Lifetime& t : tensors) {
    events.emplace_back(t.first, padded(t.bytes));
    events.emplace_back(t.last + 1, -padded(t.bytes));
  }
  // At equal times releases come first.
  std::sort(events.begin(), events.end());
  int64_t live = 0, peak = 0;
  for (const auto& [time, bytes] : events) peak = std::max(peak, live += bytes);
  return peak;
}

// Places tensors one after the other in `order`, each into the tightest gap between those already
// placed that live at the same time. Returns the arena's size.
int64_t place(std::span<const Lifetime> tensors, std::span<const size_t> order,
              std::vector<int64_t>& offsets) {
  std::vector<size_t> placed;  // by offset
  int64_t total = 0;
  for (size_t t : order) {
    const int64_t bytes = padded(tensors[t].bytes);
    int64_t best = -1, best_gap = INT64_MAX, end = 0;
    for (size_t other : placed) {
      if (!overlap_in_time(tensors[t], tensors[other])) continue;
      const int64_t gap = offsets[other] - end;
      if (gap >= bytes && gap < best_gap) {
        best = end;
        best_gap = gap;
      }
      end = std::max(end, offsets[other] + padded(tensors[other].bytes));
    }
    offsets[t] = best >= 0 ? best : end;
    total = std::max(total, offsets[t] + bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), t,
                                     [&](size_t a, size_t b) { return offsets[a] < offsets[b]; });
    placed.insert(at, t);
  }
  return total;
}

// Orders worth trying before any search.
std::vector<size_t> sorted_order(std::span<const Lifetime> tensors,
                                 int64_t (*key)(const Lifetime&)) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int64_t ka = key(tensors[a]), kb = key(tensors[b]);
    return ka != kb ? ka < kb : tensors[a].bytes > tensors[b].bytes;
  });
  return order;
}

}  // namespace

ArenaLayout layout_arena(std::span<const Lifetime> tensors) {
  ArenaLayout layout;
  layout.lower_bound = lower_bound_of(tensors);
  layout.offsets.assign(tensors.size(), 0);
  layout.bytes = INT64_MAX;
  std::vector<size_t> best_order;
  std::vector<int64_t> offsets(tensors.size());
  auto attempt = [&](const std::vector<size_t>& order) {
    const int64_t bytes = place(tensors, order, offsets);
    if (bytes >= layout.bytes) return;
    layout.bytes = bytes;
    layout.offsets = offsets;
    best_order = order;
  };
  // Placing is quadratic: with very many tensors one order has to do.
  constexpr size_t kMany = 4096;
  attempt(sorted_order(tensors, [](const Lifetime& t) { return -t.bytes; }));
  if (tensors.size() <= kMany) {
    attempt(
        sorted_order(tensors, [](const Lifetime& t) { return -t.bytes * (t.last - t.first + 1); }));
    attempt(sorted_order(tensors, [](const Lifetime& t) { return int64_t{t.first}; }));
    attempt(sorted_order(tensors, [](const Lifetime& t) { return int64_t{t.first - t.last}; }));
  }
  // A local search: tensors that end at the top of the arena failed to fit below, so they should
  // have been placed earlier; all of them, for networks repeat the same block many times. Its
  // random numbers are fixed and its work is bounded.
  constexpr size_t kSearchWork = 16'000'000;
  const size_t square = std::max<size_t>(1, tensors.size() * tensors.size());
  const size_t rounds = std::min<size_t>(kSearchWork / square, 200);
  uint32_t random = 1;
  for (size_t i = 0; i < rounds && layout.bytes > layout.lower_bound; ++i) {
    random = random * 1664525u + 1013904223u;
    // Usually to the front; now and then to somewhere in the middle.
    const size_t to = i % 2 == 0 ? 0 : (random >> 8) % best_order.size();
    std::vector<size_t> order = best_order;
    std::stable_partition(order.begin() + static_cast<ptrdiff_t>(to), order.end(), [&](size_t t) {
      return layout.offsets[t] + padded(tensors[t].bytes) == layout.bytes;
    });
    attempt(order);
    // A failed move would fail again: swap two neighbours in the order as well.
    const size_t at = (random >> 16) % best_order.size();
    std::rotate(best_order.begin(), best_order.begin() + static_cast<ptrdiff_t>(at),
                best_order.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
  return layout;
}

}  // namespace pj
