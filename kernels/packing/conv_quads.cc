// Panels of kConvQuads (kernels/conv/quad_rows.h): which k's are multiplied together.
//
// Two k's may form a pair if for every channel of the panel neither their positive weights nor
// their negative ones exceed a byte together: 255 * 127 and 255 * -128 are in 16 bits. Of each 16
// k's the quads of neighbours whose pairs may stay as they are; the others are matched in pairs as
// a graph's nodes are, as many as possible, and those that remain are paired with zeros.
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/conv/quad_rows.h"
#include "kernels/packing/packing.h"

namespace pj {
namespace {

constexpr int kMostNodes = 32;

typedef uint8_t Bytes __attribute__((vector_size(kQuadChannels)));
typedef int8_t Chars __attribute__((vector_size(kQuadChannels)));
typedef int16_t Words __attribute__((vector_size(2 * kQuadChannels)));

// More than zero if an element has its sign bit set, else zero.
int32_t negative_ones(const Chars& v) {
#ifdef __SSE2__
  return _mm_movemask_epi8(reinterpret_cast<__m128i>(v));
#else
  uint64_t parts[sizeof(v) / 8], all = 0;
  std::memcpy(parts, &v, sizeof(parts));
  for (const uint64_t part : parts) all |= part;
  return (all & 0x8080808080808080U) != 0 ? 1 : 0;
#endif
}

// Modulo 256.
Chars wrapped_sum(const Chars& a, const Chars& b) {
  return reinterpret_cast<Chars>(reinterpret_cast<Bytes>(a) + reinterpret_cast<Bytes>(b));
}

// The weights of one k, or a part of them, for each channel.
struct Node {
  Chars w;

  // -1 if the two may be a pair, else 0. Weights of different signs always may, and the sum of
  // others has to be a byte.
  int32_t fits(const Node& o) const {
    const Chars sum = wrapped_sum(w, o.w);
    return (negative_ones((sum ^ w) & (sum ^ o.w)) - 1) >> 31;
  }
};

// The positive weights of a pair together, and the negative ones. Both are bytes.
struct Pair {
  Chars positive, negative;

  Pair(const Node& a, const Node& b) {
    const Chars below_a = a.w & (a.w < Chars{}), below_b = b.w & (b.w < Chars{});
    negative = below_a + below_b;
    positive = (a.w - below_a) + (b.w - below_b);
  }
  // The sign bits of sums that are no bytes.
  Chars overflow(const Pair& o) const {
    return wrapped_sum(positive, o.positive) |
           (~wrapped_sum(negative, o.negative) & negative & o.negative);
  }
  // The sums of all magnitudes.
  Bytes magnitudes() const {
    return reinterpret_cast<Bytes>(positive) - reinterpret_cast<Bytes>(negative);
  }
};

// Four nodes of a block: two pairs.
struct Quad {
  int32_t block;  // its first k
  int32_t nodes[4];
};

// Pairs up nodes of a graph, whose edges are the pairs that fit.
class Matching {
 public:
  void add(const Node& node) { nodes_[count_++] = node; }

  // True if none is left alone. The first partner that is free often leads there; else nodes with
  // few partners come first.
  bool match() {
    find_partners();
    begin_with_first();
    if (exchange()) return true;
    begin_with_fewest();
    return exchange();
  }
  // -1 for none.
  int mate(int node) const { return mate_[node]; }

 private:
  static uint32_t bit(int i) { return uint32_t{1} << i; }
  static int lowest(uint32_t nodes) { return __builtin_ctz(nodes); }
  // Of the bits of each two, four, ... neighbours.
  static uint32_t count(uint32_t bits) {
    bits -= bits >> 1 & 0x55555555U;
    bits = (bits & 0x33333333U) + (bits >> 2 & 0x33333333U);
    return ((bits + (bits >> 4)) & 0x0f0f0f0fU) * 0x01010101U >> 24;
  }
  uint32_t partners(int node) const { return count(edges_[node] & free_); }

  int fewest_partners(uint32_t nodes) const {
    int best = lowest(nodes);
    uint32_t fewest = partners(best);
    while ((nodes &= nodes - 1) != 0) {
      const uint32_t some = partners(lowest(nodes));
      if (some >= fewest) continue;
      fewest = some;
      best = lowest(nodes);
    }
    return best;
  }
  void find_partners() {
    std::fill_n(edges_, count_, 0);
    for (int i = 0; i < count_; ++i) {
      const Node node = nodes_[i];
      uint32_t partners = 0;
#pragma GCC unroll 4
      for (int j = count_ - 1; j > i; --j) {
        const auto fits = static_cast<uint32_t>(node.fits(nodes_[j]));
        partners = 2 * partners - fits;
        edges_[j] |= fits & bit(i);
      }
      edges_[i] |= partners << i << 1;
    }
  }
  void free_all() {
    free_ = static_cast<uint32_t>((uint64_t{1} << count_) - 1);
    std::fill_n(mate_, count_, -1);
  }
  void begin_with_first() {
    free_all();
    for (uint32_t left = free_; left != 0; left &= free_) {
      const int a = lowest(left);
      left &= ~bit(a);
      if ((edges_[a] & left) != 0) join(a, lowest(edges_[a] & left));
    }
  }
  void begin_with_fewest() {
    free_all();
    for (uint32_t left = free_; left != 0; left &= free_) {
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

  Node nodes_[kMostNodes];
  int count_ = 0;
  uint32_t edges_[kMostNodes], free_ = 0;  // of node i: bit i
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
void transpose_step(const Bytes (&from)[kQuadBlock], Bytes (&to)[kQuadBlock]) {
#pragma GCC unroll 8
  for (int i = 0; i < kQuadBlock / 2; ++i) {
    to[2 * i] = zip<false>(from[i], from[i + kQuadBlock / 2]);
    to[2 * i + 1] = zip<true>(from[i], from[i + kQuadBlock / 2]);
  }
}
void transpose(Bytes (&rows)[kQuadBlock]) {
  static_assert(kQuadBlock == 16 && kQuadChannels == 16);
  Bytes turned[kQuadBlock];
  for (int step = 0; step < 2; ++step) {
    transpose_step(rows, turned);
    transpose_step(turned, rows);
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
    if (count < kQuadBlock || channels < kQuadChannels)
      std::memset(rows, static_cast<uint8_t>(zero_point) ^ flip, sizeof(rows));
    for (int32_t n = 0; n < channels; ++n, from += s.out_stride) {
      auto* row = reinterpret_cast<uint8_t*>(&rows[n]);
      if (s.in_stride != 1) {
        for (int32_t k = 0; k < count; ++k) row[k] = from[k * s.in_stride];
      } else if (count == kQuadBlock) {
        std::memcpy(row, from, kQuadBlock);
      } else {
        std::memcpy(row, from, static_cast<size_t>(count));
      }
    }
    if (flip != 0)
      for (Bytes& row : rows) row ^= flip;
    transpose(rows);
    std::memcpy(out, rows, sizeof(rows));
  }
};

// Sorts the k's of a panel into quads of each kind.
class Sorter {
 public:
  std::vector<Quad> strong, plain, shuffled, wide;

  explicit Sorter(const PanelWeights& weights)
      : weights_(weights),
        whole_((weights.s.in_channels + kQuadBlock - 1) / kQuadBlock * kQuadBlock),
        spare_(QuadLists(weights.s.in_channels).capacity - (weights.s.in_channels + 3) / 4),
        nodes_(new Node[static_cast<size_t>(whole_)]) {}

  // False if there is no room.
  bool sort() {
    const int32_t k = weights_.s.in_channels;
    plain.reserve(static_cast<size_t>(whole_ / 4));
    shuffled.reserve(static_cast<size_t>(whole_ / 4));
    for (int32_t block = 0; block < k; block += kQuadBlock)
      if (!load(block, std::min(kQuadBlock, k - block)) || !sort_block(block)) return false;
    join();
    return true;
  }

  const Chars& weights(int32_t node) const {
    return node < whole_ ? nodes_[node].w : parts_[static_cast<size_t>(node - whole_)].w;
  }
  // Among the k's of its block.
  int32_t place(int32_t node) const {
    return node < whole_ ? node % kQuadBlock : places_[static_cast<size_t>(node - whole_)];
  }

 private:
  // Nodes for `count` k's and for more up to kQuadBlock, then for what of their weights does not
  // fit a byte. False if that does not fit another.
  bool load(int32_t block, int32_t count) {
    Chars values[kQuadBlock];
    weights_.load(block, count, values);
    k_count_ = (count + 3) / 4 * 4;
    first_part_ = whole_ + static_cast<int32_t>(parts_.size());
    const int32_t zero_point = weights_.zero_point;
    if (zero_point == 0) {
      std::memcpy(&nodes_[block], values, sizeof(values));
      return true;
    }
    const Chars low = Chars{} + static_cast<int8_t>(std::max(zero_point - 128, -128)),
                high = Chars{} + static_cast<int8_t>(std::min(zero_point + 127, 127));
    for (int k = 0; k < kQuadBlock; ++k) {
      const Chars v = values[k];
      Node& node = nodes_[block + k];
      if (negative_ones((v < low) | (v > high)) == 0) {
        node.w = v - static_cast<int8_t>(zero_point);
      } else if (!split(k, __builtin_convertvector(v, Words) - static_cast<int16_t>(zero_point),
                        node)) {
        return false;
      }
    }
    return true;
  }
  bool split(int k, const Words& v, Node& node) {
    const Words least = Words{} - 128, most = Words{} + 127;
    const Words w = v < least ? least : (v > most ? most : v), left = v - w;
    for (int n = 0; n < kQuadChannels; ++n)
      if (left[n] < -128 || left[n] > 127) return false;
    node.w = __builtin_convertvector(w, Chars);
    places_.push_back(k);
    parts_.push_back({__builtin_convertvector(left, Chars)});
    return part_count() <= kMostNodes - kQuadBlock;
  }
  int part_count() const { return whole_ + static_cast<int32_t>(parts_.size()) - first_part_; }

  // Of a block, nodes are numbered from 0, and parts from kQuadBlock on.
  int32_t node_of(int32_t block, int i) const {
    return i < kQuadBlock ? block + i : first_part_ + i - kQuadBlock;
  }
  const Node& node(int32_t block, int i) const {
    const int32_t at = node_of(block, i);
    return at < whole_ ? nodes_[at] : parts_[static_cast<size_t>(at - whole_)];
  }

  bool sort_block(int32_t block) {
    const auto parts = static_cast<uint32_t>((uint64_t{1} << part_count()) - 1) << kQuadBlock;
    const uint32_t all = ((1U << k_count_) - 1) | parts;
    uint32_t rest = parts;
    for (int i = 0; i < k_count_; i += 4) {
      const bool stays = parts == 0 && node(block, i).fits(node(block, i + 1)) != 0 &&
                         node(block, i + 2).fits(node(block, i + 3)) != 0;
      if (!stays) rest |= 0xfU << i;
    }
    if (rest != 0) {
      const size_t first = shuffled.size();
      if (!shuffle(block, rest) && rest != all) {
        rest = all;
        shuffled.resize(first);
        shuffle(block, all);
      }
      int64_t more = static_cast<int64_t>(shuffled.size() - first);
      for (int i = 0; i < k_count_; i += 4) more -= rest >> i & 1;
      if (more > 0 && parts == 0 && (more > 1 || more > spare_)) {
        shuffled.resize(first);
        for (int i = 0; i < k_count_; i += 4) add_neighbours(block, i, wide);
        return true;
      }
      spare_ -= std::max<int64_t>(more, 0);
    }
    for (int i = 0; i < k_count_; i += 4)
      if ((rest >> i & 1) == 0) add_neighbours(block, i, plain);
    return spare_ >= 0;
  }

  static void add_neighbours(int32_t block, int i, std::vector<Quad>& quads) {
    const int32_t k = block + i;
    quads.push_back({block, {k, k + 1, k + 2, k + 3}});
  }

  // Quads of some nodes of a block. False if one of them has no partner.
  bool shuffle(int32_t block, uint32_t nodes) {
    Matching matching;
    int32_t from[kMostNodes];
    int count = 0;
    for (; nodes != 0; nodes &= nodes - 1, ++count) {
      const int i = __builtin_ctz(nodes);
      from[count] = node_of(block, i);
      matching.add(node(block, i));
    }
    const bool matched = matching.match();
    const int32_t nothing = whole_;
    int32_t waiting[2] = {-1, -1};
    auto add = [&](int32_t a, int32_t b) {
      if (waiting[0] < 0) {
        waiting[0] = a;
        waiting[1] = b;
      } else {
        shuffled.push_back({block, {waiting[0], waiting[1], a, b}});
        waiting[0] = -1;
      }
    };
    for (int i = 0; i < count; ++i) {
      const int mate = matching.mate(i);
      if (mate < 0 || mate > i) add(from[i], mate < 0 ? nothing : from[mate]);
    }
    if (waiting[0] >= 0) add(nothing, nothing);
    return matched;
  }

  // The two pairs of a quad.
  struct Pairs {
    Pair first, second;

    bool fit(const Pairs& o) const {
      return negative_ones(first.overflow(o.first) | second.overflow(o.second)) == 0;
    }
    // About the sum of all magnitudes, from 0 to kSizes - 1.
    size_t size() const {
      constexpr uint64_t kEven = 0x00ff00ff00ff00ffU;
      const Bytes sums[] = {first.magnitudes(), second.magnitudes()};
      uint64_t parts[sizeof(sums) / 8], sum = 0;
      std::memcpy(parts, sums, sizeof(sums));
      for (const uint64_t part : parts) sum += (part & kEven) + (part >> 8 & kEven);
      return static_cast<size_t>(sum * 0x0001000100010001U >> 48) / 2 / kQuadChannels;
    }
  };
  static constexpr size_t kSizes = 256;

  // Makes plain quads strong, two of similar size at a time, the smallest first. The larger they
  // are the fewer fit: after some that found none the others are not asked.
  void join() {
    constexpr int kTries = 8, kFailures = 12;
    std::vector<Pairs> pairs;
    pairs.reserve(plain.size());
    std::vector<uint8_t> sizes;
    sizes.reserve(plain.size());
    size_t places[kSizes + 1] = {};
    for (const Quad& q : plain) {
      const Node* n = &nodes_[q.nodes[0]];
      pairs.push_back({{n[0], n[1]}, {n[2], n[3]}});
      sizes.push_back(static_cast<uint8_t>(pairs.back().size()));
      ++places[sizes.back() + 1U];
    }
    for (size_t i = 0; i < kSizes; ++i) places[i + 1] += places[i];
    constexpr size_t kJoined = SIZE_MAX;
    std::vector<size_t> order(plain.size());
    for (size_t i = 0; i < plain.size(); ++i) order[places[sizes[i]]++] = i;
    std::vector<Quad> left;
    left.reserve(plain.size());
    int failures = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      if (order[i] == kJoined) continue;
      size_t found = kJoined;
      int tries = failures < kFailures ? kTries : 0;
      for (size_t j = i + 1; j < order.size() && tries > 0; ++j) {
        if (order[j] == kJoined) continue;
        --tries;
        if (!pairs[order[i]].fit(pairs[order[j]])) continue;
        found = j;
        break;
      }
      if (found == kJoined) {
        ++failures;
        left.push_back(plain[order[i]]);
        continue;
      }
      failures = 0;
      strong.push_back(plain[order[i]]);
      strong.push_back(plain[order[found]]);
      order[found] = kJoined;
    }
    plain = std::move(left);
  }

  PanelWeights weights_;
  int32_t whole_;                  // k's, up to a multiple of kQuadBlock
  int64_t spare_;                  // quads beyond those for each four k's
  std::unique_ptr<Node[]> nodes_;  // of k's
  // Nodes from whole_ on, and their places: one without weights, then parts.
  std::vector<Node> parts_ = std::vector<Node>(1);
  std::vector<int32_t> places_ = {0};
  int32_t first_part_ = 0;  // of a block
  int k_count_ = 0;         // of a block, up to a multiple of four
};

// The weights of four nodes next to each other; or of the even ones and then of the odd ones.
template <bool wide>
void write_weights(const Bytes (&w)[4], std::byte* out) {
  // Every second one first: zipped with the others, they are in their order again.
  const Bytes even[] = {zip<false>(w[0], w[2]), zip<true>(w[0], w[2])};
  const Bytes odd[] = {zip<false>(w[1], w[3]), zip<true>(w[1], w[3])};
  Bytes to[4];
  for (int half = 0; half < 2; ++half) {
    to[wide ? half : 2 * half] = wide ? even[half] : zip<false>(even[half], odd[half]);
    to[wide ? half + 2 : 2 * half + 1] = wide ? odd[half] : zip<true>(even[half], odd[half]);
  }
  static_assert(sizeof(to) == kQuadBytes);
  std::memcpy(out, to, sizeof(to));
}

// Where the next quads of a panel go.
struct QuadWriter {
  const Sorter& panel;
  std::byte* weights;
  std::byte* choice;
  uint16_t* position;

  template <bool wide>
  void write_neighbours(const std::vector<Quad>& quads) {
    for (const Quad& q : quads) {
      Bytes w[4];
      std::memcpy(w, &panel.weights(q.nodes[0]), sizeof(w));
      write<wide>(q.nodes[0], w);
      choice += 4;
    }
  }
  void write_shuffled(const std::vector<Quad>& quads) {
    for (const Quad& q : quads) {
      Bytes w[4];
      for (int i = 0; i < 4; ++i) {
        w[i] = reinterpret_cast<Bytes>(panel.weights(q.nodes[i]));
        *choice++ = static_cast<std::byte>(panel.place(q.nodes[i]));
      }
      write<false>(q.block, w);
    }
  }

 private:
  template <bool wide>
  void write(int32_t k, const Bytes (&w)[4]) {
    *position++ = static_cast<uint16_t>(k / 4);
    write_weights<wide>(w, weights);
    weights += kQuadBytes;
  }
};

void write_quads(const Sorter& panel, const QuadLists& lists, std::byte* out) {
  QuadWriter to = {panel, out + lists.weights_at(), out + lists.choices_at(),
                   reinterpret_cast<uint16_t*>(out + lists.positions_at())};
  to.write_neighbours<false>(panel.strong);
  to.write_neighbours<false>(panel.plain);
  to.write_shuffled(panel.shuffled);
  to.write_neighbours<true>(panel.wide);
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
