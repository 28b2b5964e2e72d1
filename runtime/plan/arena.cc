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

// Simulated annealing over orders, from `order`, whose placement is `layout`. What decides is where
// the few largest tensors stand, and those that end at the top of the arena: they failed to fit
// below. A move puts one of either to the front or near it; worse arenas are gone on from too, by
// 15 % at first and none at the end (sizes that fit only together are reached through worse ones).
// Its random numbers are fixed and its work is bounded.
void search(std::span<const Lifetime> tensors, std::vector<size_t> order, ArenaLayout& layout) {
  constexpr size_t kSearchWork = 16'000'000, kMostRounds = 200, kFront = 8;
  constexpr int64_t kWorsePercent = 15;
  const size_t square = std::max<size_t>(1, tensors.size() * tensors.size());
  const auto rounds = static_cast<int64_t>(std::min(kSearchWork / square, kMostRounds));
  const std::vector<size_t> largest =
      sorted_order(tensors, [](const Lifetime& t) { return -t.bytes; });
  const size_t front = std::min(order.size(), kFront);
  uint32_t random = 1;
  auto draw = [&](size_t below) {
    random = random * 1664525u + 1013904223u;
    return static_cast<size_t>(uint64_t{random} * below >> 32);
  };
  int64_t bytes = layout.bytes;
  std::vector<int64_t> offsets = layout.offsets, next_offsets(tensors.size());
  for (int64_t i = 0; i < rounds && layout.bytes > layout.lower_bound; ++i) {
    size_t moved = largest[draw(front)];
    if (i % 2 == 0) {
      size_t at_top = 0;
      for (size_t t : order) {
        if (offsets[t] + padded(tensors[t].bytes) == bytes && draw(++at_top) == 0) moved = t;
      }
    }
    std::vector<size_t> next = order;
    std::erase(next, moved);
    next.insert(next.begin() + static_cast<ptrdiff_t>(draw(front)), moved);
    const int64_t next_bytes = place(tensors, next, next_offsets);
    if (next_bytes > bytes + bytes * (rounds - i) / rounds * kWorsePercent / 100) continue;
    order = std::move(next);
    bytes = next_bytes;
    offsets = next_offsets;
    if (bytes < layout.bytes) {
      layout.bytes = bytes;
      layout.offsets = offsets;
    }
  }
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
  // Placing is quadratic: with very many tensors one order has to do, as one that cannot be beaten.
  constexpr size_t kMany = 4096;
  constexpr int64_t (*kKeys[])(const Lifetime&) = {
      [](const Lifetime& t) { return -t.bytes; },
      [](const Lifetime& t) { return -t.bytes * (t.last - t.first + 1); },
      [](const Lifetime& t) { return int64_t{t.first}; },
      [](const Lifetime& t) { return int64_t{t.first - t.last}; }};
  for (const auto key : kKeys) {
    attempt(sorted_order(tensors, key));
    if (tensors.size() > kMany || layout.bytes == layout.lower_bound) break;
  }
  search(tensors, std::move(best_order), layout);
  return layout;
}

}  // namespace pj
