// Panels of kConvQuads (kernels/conv/quad_rows.h): which k's are multiplied together.
//
// Two k's may form a pair if for every channel of the panel neither their positive weights nor
// their negative ones exceed kMostPair together. Of each 16 k's the quads of neighbours whose pairs
// may stay as they are; the others are matched in pairs as a graph's nodes are, as many as
// possible, and those that remain are paired with zeros.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/conv/quad_rows.h"
#include "kernels/packing/packing.h"

namespace pj {
namespace {

// 255 * 128 is less than 2^15.
constexpr uint8_t kMostPair = 128;
constexpr int kMostNodes = 32;

typedef uint8_t Bytes __attribute__((vector_size(kQuadChannels)));
typedef int8_t Chars __attribute__((vector_size(kQuadChannels)));
typedef int16_t Words __attribute__((vector_size(2 * kQuadChannels)));

template <typename Vector>
bool any(const Vector& v) {
  uint64_t parts[sizeof(Vector) / 8], all = 0;
  std::memcpy(parts, &v, sizeof(parts));
  for (const uint64_t part : parts) all |= part;
  return all != 0;
}

// Magnitudes of the positive and of the negative weights of one k, or of the sum of several, for
// each channel.
struct Line {
  Bytes positive, negative;

  Line operator+(const Line& o) const { return {positive + o.positive, negative + o.negative}; }
  // True if no sum exceeds kMostPair; neither operand does.
  bool fits(const Line& o) const {
    const Bytes left = kMostPair - o.positive, right = kMostPair - o.negative;
    const Bytes a = positive > left ? positive : left, b = negative > right ? negative : right;
    return !any((a ^ left) | (b ^ right));
  }
  int largest() const {
    const Bytes more = positive > negative ? positive : negative;
    int most = 0;
    for (int n = 0; n < kQuadChannels; ++n) most = std::max<int>(most, more[n]);
    return most;
  }
};

// A place among the k's of a block and the weights there, or a part of them.
struct Node {
  int place;
  Line line;
};

// Four nodes: two pairs.
struct Quad {
  int32_t block = 0;  // its first k
  int places[4] = {};
  Line lines[4] = {};

  Quad(int32_t first, const Node& a, const Node& b, const Node& c, const Node& d)
      : block(first),
        places{a.place, b.place, c.place, d.place},
        lines{a.line, b.line, c.line, d.line} {}
  Line pair(int i) const { return lines[2 * i] + lines[2 * i + 1]; }
  bool fits(const Quad& o) const { return pair(0).fits(o.pair(0)) && pair(1).fits(o.pair(1)); }
};

// Pairs up nodes of a graph.
class Matching {
 public:
  // True if none of `chosen` is left alone. The first partner that is free mostly leads there; else
  // nodes with few partners come first.
  bool match(const Node* nodes, uint32_t chosen) {
    free_ = chosen;
    std::fill_n(mate_, kMostNodes, -1);
    for (uint32_t left = chosen; left != 0; left &= free_) {
      const int a = lowest(left);
      left &= ~bit(a);
      for (uint32_t near = left; near != 0; near &= near - 1) {
        if (!nodes[a].line.fits(nodes[lowest(near)].line)) continue;
        join(a, lowest(near));
        break;
      }
    }
    if (free_ == 0) return true;
    find_partners(nodes, chosen);
    if (exchange()) return true;
    begin_with_fewest(chosen);
    return exchange();
  }
  // -1 for none.
  int mate(int node) const { return mate_[node]; }

 private:
  static uint32_t bit(int i) { return uint32_t{1} << i; }
  static int lowest(uint32_t nodes) { return __builtin_ctz(nodes); }
  int partners(int node) const { return __builtin_popcount(edges_[node] & free_); }

  void find_partners(const Node* nodes, uint32_t chosen) {
    std::fill_n(edges_, kMostNodes, 0);
    for (uint32_t from = chosen; from != 0; from &= from - 1) {
      const int i = lowest(from);
      for (uint32_t to = from & (from - 1); to != 0; to &= to - 1) {
        const int j = lowest(to);
        if (nodes[i].line.fits(nodes[j].line)) edges_[i] |= bit(j), edges_[j] |= bit(i);
      }
    }
  }
  int fewest_partners(uint32_t nodes) const {
    int best = lowest(nodes);
    for (; nodes != 0; nodes &= nodes - 1)
      if (partners(lowest(nodes)) < partners(best)) best = lowest(nodes);
    return best;
  }
  void begin_with_fewest(uint32_t nodes) {
    free_ = nodes;
    std::fill_n(mate_, kMostNodes, -1);
    for (uint32_t left = nodes; left != 0; left &= free_) {
      const int a = fewest_partners(left);
      const uint32_t near = edges_[a] & free_;
      if (near != 0) join(a, fewest_partners(near));
      left &= ~bit(a);
    }
  }
  void join(int a, int b) {
    mate_[a] = b;
    mate_[b] = a;
    free_ &= ~(bit(a) | bit(b));
  }
  // Two that are left alone take the partners of each other's neighbours.
  void exchange(int a) {
    for (uint32_t near = edges_[a]; near != 0; near &= near - 1) {
      const int c = lowest(near), d = mate_[c];
      const uint32_t others = d < 0 ? 0 : edges_[d] & free_ & ~bit(a);
      if (others == 0) continue;
      join(a, c);
      join(lowest(others), d);
      return;
    }
  }
  bool exchange() {
    for (uint32_t left = free_; left != 0; left &= left - 1)
      if ((free_ & bit(lowest(left))) != 0) exchange(lowest(left));
    return free_ == 0;
  }

  uint32_t edges_[kMostNodes], free_ = 0;
  int mate_[kMostNodes];
};

// Elements of `a` and `b` in turn, from the lower or upper halves.
template <bool upper>
Bytes zip(Bytes a, Bytes b) {
  constexpr int o = upper ? 8 : 0;
  return __builtin_shufflevector(a, b, o, o + 16, o + 1, o + 17, o + 2, o + 18, o + 3, o + 19,
                                 o + 4, o + 20, o + 5, o + 21, o + 6, o + 22, o + 7, o + 23);
}

// Rows become columns.
void transpose(Bytes (&rows)[kQuadBlock]) {
  static_assert(kQuadBlock == 16 && kQuadChannels == 16);
  for (int step = 0; step < 4; ++step) {
    Bytes zipped[kQuadBlock];
    for (int i = 0; i < kQuadBlock / 2; ++i) {
      zipped[2 * i] = zip<false>(rows[i], rows[i + kQuadBlock / 2]);
      zipped[2 * i + 1] = zip<true>(rows[i], rows[i + kQuadBlock / 2]);
    }
    std::copy_n(zipped, kQuadBlock, rows);
  }
}

// The weights of the panel from channel `first`.
struct PanelWeights {
  const PackSpec& s;
  const std::byte* weights;
  int32_t first;
  int32_t zero_point;  // of signed weights

  // Signed weights of k's [block, block + count) for all channels; zero points where there are
  // none.
  void load(int32_t block, int32_t count, Chars* out) const {
    const int32_t channels = std::min(s.nr, s.out_channels - first);
    const uint8_t flip = s.weights == DType::kU8 ? 0x80 : 0;
    const auto* from =
        reinterpret_cast<const uint8_t*>(weights) + block * s.in_stride + first * s.out_stride;
    Bytes rows[kQuadBlock];  // of channels, then of k's
    if (s.in_stride == 1 && count == kQuadBlock && channels == kQuadChannels) {
      for (int32_t n = 0; n < channels; ++n) {
        std::memcpy(&rows[n], from + n * s.out_stride, kQuadBlock);
        rows[n] ^= flip;
      }
    } else {
      std::memset(rows, static_cast<uint8_t>(zero_point), sizeof(rows));
      for (int32_t n = 0; n < channels; ++n)
        for (int32_t k = 0; k < count; ++k)
          rows[n][k] = from[n * s.out_stride + k * s.in_stride] ^ flip;
    }
    transpose(rows);
    std::memcpy(out, rows, sizeof(rows));
  }
};

Line line_of(const Words& w) {
  const Words zero = {};
  return {__builtin_convertvector(w > zero ? w : zero, Bytes),
          __builtin_convertvector(w < zero ? -w : zero, Bytes)};
}
Line line_of(const Chars& w) {
  const auto negative = reinterpret_cast<Bytes>(w < Chars{}), raw = reinterpret_cast<Bytes>(w);
  return {raw & ~negative, -raw & negative};
}

// Sorts the k's of a panel into quads of each kind.
class Sorter {
 public:
  std::vector<Quad> strong, plain, shuffled, wide;

  explicit Sorter(const PanelWeights& weights)
      : weights_(weights),
        spare_(QuadLists(weights.s.in_channels).capacity - (weights.s.in_channels + 3) / 4) {}

  // False if there is no room.
  bool sort() {
    const int32_t k = weights_.s.in_channels;
    plain.reserve(static_cast<size_t>(k / 4 + 1));
    for (int32_t block = 0; block < k; block += kQuadBlock)
      if (!load(block, std::min(kQuadBlock, k - block)) || !sort_block(block)) return false;
    join();
    return true;
  }

 private:
  // Nodes for `count` k's and for more up to a multiple of four, then for what of their weights
  // does not fit a byte. False if that does not fit another.
  bool load(int32_t block, int32_t count) {
    const int32_t zero_point = weights_.zero_point;
    const Chars low = Chars{} + static_cast<int8_t>(std::max(zero_point - 128, -128)),
                high = Chars{} + static_cast<int8_t>(std::min(zero_point + 127, 127));
    Chars values[kQuadBlock];
    weights_.load(block, count, values);
    count_ = whole_ = (count + 3) / 4 * 4;
    for (int k = 0; k < whole_; ++k) {
      const Chars v = values[k];
      if (any((v < low) | (v > high))) {
        if (!split(k, __builtin_convertvector(v, Words) - static_cast<int16_t>(zero_point)))
          return false;
      } else {
        nodes_[k] = {k, line_of(v - static_cast<int8_t>(zero_point))};
      }
    }
    return true;
  }
  bool split(int k, const Words& v) {
    const Words least = Words{} - 128, most = Words{} + 127;
    const Words w = v < least ? least : (v > most ? most : v), left = v - w;
    if (any((left < least) | (left > most)) || count_ == kMostNodes) return false;
    nodes_[k] = {k, line_of(w)};
    nodes_[count_++] = {k, line_of(left)};
    return true;
  }

  bool sort_block(int32_t block) {
    uint32_t all = 0, rest = 0;
    int moved = 0;  // quads of k's in `rest`
    for (int i = 0; i < count_; i += 4) {
      const uint32_t four = (count_ - i >= 4 ? 0xfU : (1U << (count_ - i)) - 1) << i;
      const bool stays = count_ == whole_ && nodes_[i].line.fits(nodes_[i + 1].line) &&
                         nodes_[i + 2].line.fits(nodes_[i + 3].line);
      all |= four;
      if (stays) continue;
      rest |= four;
      if (i < whole_) ++moved;
    }
    const auto first = static_cast<std::ptrdiff_t>(shuffled.size());
    if (rest != 0) {
      Matching matching;
      if (!matching.match(nodes_, rest) && rest != all) {
        rest = all;
        moved = whole_ / 4;
        matching.match(nodes_, all);
      }
      shuffle(block, matching, rest);
    }
    const auto more = static_cast<std::ptrdiff_t>(shuffled.size()) - first - moved;
    if (more > 0 && count_ == whole_ && (more > 1 || more > spare_)) {
      shuffled.erase(shuffled.begin() + first, shuffled.end());
      for (int i = 0; i < whole_; i += 4) add_neighbours(block, i, wide);
      return true;
    }
    spare_ -= std::max<int64_t>(more, 0);
    for (int i = 0; i < whole_; i += 4)
      if ((rest >> i & 1) == 0) add_neighbours(block, i, plain);
    return spare_ >= 0;
  }

  void add_neighbours(int32_t block, int i, std::vector<Quad>& quads) {
    quads.emplace_back(block, nodes_[i], nodes_[i + 1], nodes_[i + 2], nodes_[i + 3]);
  }

  void shuffle(int32_t block, const Matching& matching, uint32_t nodes) {
    const Node nothing = {0, {}};
    const Node *first = nullptr, *second = nullptr;
    auto add = [&](const Node& a, const Node& b) {
      if (first == nullptr) {
        first = &a;
        second = &b;
      } else {
        shuffled.emplace_back(block, *first, *second, a, b);
        first = nullptr;
      }
    };
    for (int i = 0; i < count_; ++i) {
      const int mate = matching.mate(i);
      if ((nodes >> i & 1) == 0 || (mate >= 0 && mate < i)) continue;
      add(nodes_[i], mate < 0 ? nothing : nodes_[mate]);
    }
    if (first != nullptr) add(nothing, nothing);
  }

  // Makes plain quads strong, two of similar size at a time, the smallest first.
  void join() {
    constexpr int kTries = 8;
    auto size = [](const Quad& q) { return std::max(q.pair(0).largest(), q.pair(1).largest()); };
    size_t places[kMostPair + 2] = {};
    for (const Quad& q : plain) ++places[size(q) + 1];
    for (int i = 0; i < kMostPair; ++i) places[i + 1] += places[i];
    std::vector<const Quad*> order(plain.size());
    for (const Quad& q : plain) order[places[size(q)]++] = &q;
    std::vector<Quad> left;
    for (size_t i = 0; i < order.size(); ++i) {
      if (order[i] == nullptr) continue;
      int tries = 0;
      size_t j = i + 1;
      for (; j < order.size() && tries < kTries; ++j)
        if (order[j] != nullptr && (++tries, order[i]->fits(*order[j]))) break;
      if (j == order.size() || tries == kTries) {
        left.push_back(*order[i]);
        continue;
      }
      strong.push_back(*order[i]);
      strong.push_back(*order[j]);
      order[j] = nullptr;
    }
    plain = std::move(left);
  }

  PanelWeights weights_;
  int64_t spare_;  // quads beyond those for each four k's
  Node nodes_[kMostNodes];
  int count_ = 0, whole_ = 0;  // nodes; of k's, the first ones
};

// The weights of the four nodes next to each other; or of the even ones and then of the odd ones.
void write_weights(const Quad& q, bool wide, std::byte* out) {
  Bytes w[4], to[4];
  for (int i = 0; i < 4; ++i) w[i] = q.lines[i].positive - q.lines[i].negative;
  // Every second one first: zipped with the others, they are in their order again.
  const Bytes even[] = {zip<false>(w[0], w[2]), zip<true>(w[0], w[2])};
  const Bytes odd[] = {zip<false>(w[1], w[3]), zip<true>(w[1], w[3])};
  for (int half = 0; half < 2; ++half) {
    to[wide ? half : 2 * half] = wide ? even[half] : zip<false>(even[half], odd[half]);
    to[wide ? half + 2 : 2 * half + 1] = wide ? odd[half] : zip<true>(even[half], odd[half]);
  }
  static_assert(sizeof(to) == kQuadBytes);
  std::memcpy(out, to, sizeof(to));
}

void write_quads(const Sorter& panel, const QuadLists& lists, std::byte* out) {
  auto* position = reinterpret_cast<uint16_t*>(out + lists.positions_at());
  std::byte* choice = out + lists.choices_at();
  std::byte* weights = out + lists.weights_at();
  for (const auto* quads : {&panel.strong, &panel.plain, &panel.shuffled, &panel.wide}) {
    const bool shuffled = quads == &panel.shuffled;
    for (const Quad& q : *quads) {
      *position++ = static_cast<uint16_t>((q.block + (shuffled ? 0 : q.places[0])) / 4);
      for (const int place : q.places) *choice++ = static_cast<std::byte>(place);
      write_weights(q, quads == &panel.wide, weights);
      weights += kQuadBytes;
    }
  }
}

}  // namespace

void finish_quad_panel(const PackSpec& s, const std::byte* weights, std::span<const float> scales,
                       int32_t first, std::byte* panel) {
  auto& header = *reinterpret_cast<QuadPanel*>(panel);
  const int32_t channels = std::min(s.nr, s.out_channels - first);
  for (int32_t n = 0; n < channels; ++n)
    if (!(scales[static_cast<size_t>(first + n)] < 1)) header.limited = 1;
  Sorter sorted({s, weights, first, s.seen_weights_zero_point()});
  const bool folded = sorted.sort();
  // Else the zero point is left to the kernel: then every weight is a byte.
  Sorter raw({s, weights, first, 0});
  if (!folded) raw.sort();
  const Sorter& quads = folded ? sorted : raw;
  header.corrected = folded ? 0 : 1;
  header.strong = static_cast<int32_t>(quads.strong.size());
  header.plain = static_cast<int32_t>(quads.plain.size());
  header.shuffled = static_cast<int32_t>(quads.shuffled.size());
  header.wide = static_cast<int32_t>(quads.wide.size());
  write_quads(quads, QuadLists(s.in_channels), panel);
}

}  // namespace pj
