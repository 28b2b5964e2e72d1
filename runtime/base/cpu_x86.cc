#include "runtime/base/cpu_x86.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>
// clang 14 does not know the _Bool that the header has in C++.
#if __has_include(<sys/platform/x86.h>) && !defined(__clang__)
#include <sys/platform/x86.h>
#define PJ_LIBC_HAS_CPUID
#endif

#include <cstring>

namespace pj {
namespace {

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Zeros if the CPU has no such leaf. Under a hypervisor each CPUID costs a microsecond or more.
Leaf cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  static uint32_t most[2] = {};  // of either kind; 0: not asked yet
  uint32_t& last = most[leaf >> 31];
  if (last == 0) last = static_cast<uint32_t>(__get_cpuid_max(leaf & 0x80000000, nullptr));
  Leaf r;
  if (last < leaf) return r;
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
  return r;
}

// The leaves with features. The C library has read them at its start.
struct FeatureLeaves {
  Leaf leaf1, leaf7, leaf7_1;
};

#ifdef PJ_LIBC_HAS_CPUID
Leaf known_to_libc(unsigned index) {
  const cpuid_feature* known = __x86_get_cpuid_feature_leaf(index);
  const unsigned* r = known->cpuid_array;
  return {r[0], r[1], r[2], r[3]};
}
FeatureLeaves feature_leaves() {
  return {known_to_libc(CPUID_INDEX_1), known_to_libc(CPUID_INDEX_7),
          known_to_libc(CPUID_INDEX_7_ECX_1)};
}
#else
FeatureLeaves feature_leaves() { return {cpuid(1), cpuid(7), cpuid(7, 1)}; }
#endif

bool bit(uint32_t word, int position) { return (word >> position & 1u) != 0; }

// The register state that the system saves; 0 if it saves none beyond SSE.
uint32_t saved_state(const Leaf& leaf1) {
  constexpr int kOsxsave = 27;
  if (!bit(leaf1.ecx, kOsxsave)) return 0;
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

IsaSet features(const FeatureLeaves& leaves) {
  const auto& [leaf1, leaf7, leaf7_1] = leaves;
  const uint32_t state = saved_state(leaf1);
  constexpr uint32_t kYmm = 0x06, kZmm = 0xe6, kTiles = 0x60000;
  const bool ymm = (state & kYmm) == kYmm && bit(leaf1.ecx, 28);
  const bool zmm = ymm && (state & kZmm) == kZmm;

  IsaSet isa;
  auto add = [&](bool present, Feature f) {
    if (present) isa = isa | IsaSet{f};
  };
  // Code for AVX2 uses BMI1 and BMI2 as well: every CPU with one has the others, but hypervisors
  // hide things.
  add(ymm && bit(leaf7.ebx, 5) && bit(leaf7.ebx, 3) && bit(leaf7.ebx, 8), Feature::kAvx2);
  add(ymm && bit(leaf1.ecx, 12), Feature::kFma);
  add(ymm && bit(leaf1.ecx, 29), Feature::kF16c);
  add(ymm && bit(leaf7_1.eax, 4), Feature::kAvxVnni);
  // F, DQ, CD, BW, VL.
  const bool avx512 = zmm && bit(leaf7.ebx, 16) && bit(leaf7.ebx, 17) && bit(leaf7.ebx, 28) &&
                      bit(leaf7.ebx, 30) && bit(leaf7.ebx, 31);
  add(avx512, Feature::kAvx512);
  add(avx512 && bit(leaf7.ecx, 11), Feature::kAvx512Vnni);
  add(avx512 && bit(leaf7.ecx, 1), Feature::kAvx512Vbmi);
  add(avx512 && bit(leaf7_1.eax, 5), Feature::kAvx512Bf16);
  add(avx512 && bit(leaf7.edx, 23), Feature::kAvx512Fp16);
#ifdef PJ_EMULATE_AVX512
  // For tests: those levels are software, which is built for AVX2.
  for (Feature f : {Feature::kAvxVnni, Feature::kAvx512, Feature::kAvx512Vnni})
    add(isa.includes(*isa_by_name("avx2")), f);
#endif
  add((state & kTiles) == kTiles && bit(leaf7.edx, 24) && bit(leaf7.edx, 25), Feature::kAmxInt8);
  return isa;
}

// Both makers describe a cache in the same words, in different leaves.
void caches(CpuInfo& cpu) {
  constexpr uint32_t kIntel = 4, kAmd = 0x8000001d;
  uint32_t leaf = kAmd;
  Leaf c = cpuid(leaf);
  if ((c.eax & 0x1f) == 0) c = cpuid(leaf = kIntel);
  constexpr uint32_t kMostCaches = 16, kInstructions = 2;
  for (uint32_t i = 0; i < kMostCaches && cpu.l3_bytes == 0; c = cpuid(leaf, ++i)) {
    const uint32_t type = c.eax & 0x1f, level = c.eax >> 5 & 7;
    if (type == 0) break;
    if (type == kInstructions) continue;
    const int64_t ways = (c.ebx >> 22) + 1, partitions = (c.ebx >> 12 & 0x3ff) + 1,
                  line = (c.ebx & 0xfff) + 1, sets = int64_t{c.ecx} + 1;
    const int64_t bytes = ways * partitions * line * sets;
    const auto lines_of_set = static_cast<int32_t>(ways);
    if (level == 1) cpu.l1_bytes = bytes, cpu.l1_ways = lines_of_set;
    if (level == 2) cpu.l2_bytes = bytes, cpu.l2_ways = lines_of_set;
    if (level == 3) cpu.l3_bytes = bytes, cpu.l3_ways = lines_of_set;
  }
}

void brand(CpuInfo& cpu) {
  constexpr uint32_t kFirst = 0x80000002;
  char text[3 * sizeof(Leaf) + 1] = {};
  for (uint32_t i = 0; i < 3; ++i) {
    const Leaf part = cpuid(kFirst + i);
    std::memcpy(text + i * sizeof(Leaf), &part, sizeof(part));
  }
  std::string name;
  for (const char* p = text; *p != '\0'; ++p)
    if (*p != ' ' || (!name.empty() && name.back() != ' ')) name += *p;
  while (!name.empty() && name.back() == ' ') name.pop_back();
  if (!name.empty()) cpu.name = name;
}

}  // namespace

void detect_x86(CpuInfo& cpu) {
  const FeatureLeaves leaves = feature_leaves();
  cpu.isa = features(leaves);
  cpu.carryless = bit(leaves.leaf1.ecx, 1);
  caches(cpu);
  brand(cpu);
}

}  // namespace pj

#endif
