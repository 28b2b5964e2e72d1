// Small objects of the tool (cmake/targets.cmake, PJ_STATIC_CXX): loading a model makes thousands,
// and malloc takes ten times as long for them, since it merges what is freed.
//
// Blocks of some multiple of 16 bytes come from the end of a chunk and go to a list of their size,
// of the thread that frees them. A word in front of each tells its size. Larger ones are malloc's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kUnit = 16, kMost = 1024, kChunk = 32 << 10;
constexpr uint64_t kLarge = 0;

struct Block {
  Block* next;
};
struct Pool {
  Block* free[kMost / kUnit + 2];  // by units
  std::byte* next;
  std::byte* end;
};
thread_local constinit Pool pool = {};

uint64_t& units_of(void* p) { return static_cast<uint64_t*>(p)[-1]; }

// With a word in front of it that says `units`, at a multiple of kUnit.
void* large(size_t bytes) {
  void* block = bytes <= PTRDIFF_MAX - kUnit ? std::malloc(bytes + kUnit) : nullptr;
  if (block == nullptr) throw std::bad_alloc();
  void* p = static_cast<std::byte*>(block) + kUnit;
  units_of(p) = kLarge;
  return p;
}

void* carve(size_t units) {
  const size_t bytes = units * kUnit;
  if (static_cast<size_t>(pool.end - pool.next) < bytes) {
    auto* chunk = static_cast<std::byte*>(std::malloc(kChunk));
    if (chunk == nullptr) throw std::bad_alloc();
    pool.next = chunk + kUnit;  // behind the first word
    pool.end = chunk + kChunk;
  }
  void* p = pool.next;
  pool.next += bytes;
  units_of(p) = units;
  return p;
}

}  // namespace

void* operator new(size_t bytes) {
  if (bytes > kMost) return large(bytes);
  const size_t units = (bytes + sizeof(uint64_t) + kUnit - 1) / kUnit;
  Block* first = pool.free[units];
  if (first == nullptr) return carve(units);
  pool.free[units] = first->next;
  return first;
}

void operator delete(void* p) noexcept {
  if (p == nullptr) return;
  const uint64_t units = units_of(p);
  if (units == kLarge) return std::free(static_cast<std::byte*>(p) - kUnit);
  auto* block = static_cast<Block*>(p);
  block->next = pool.free[units];
  pool.free[units] = block;
}

void operator delete(void* p, size_t) noexcept { operator delete(p); }
