#include "runtime/base/aligned.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdint>
#include <cstdlib>

namespace pj {

namespace {

// Pages of 2 MB, where the system has them: far fewer page faults at load and misses of the TLB.
constexpr size_t kHugePage = size_t{2} << 20;

void ask_for_huge_pages([[maybe_unused]] std::byte* data, [[maybe_unused]] size_t size) {
#if defined(__linux__)
  // Whole ones, so that no more memory is touched. It is a wish: an error changes nothing.
  madvise(data, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
}

}  // namespace

AlignedBuffer::AlignedBuffer(size_t size) {
  const size_t alignment = size < kHugePage ? kCacheLine : kHugePage;
  if (size == 0 || size > PTRDIFF_MAX - alignment) return;  // no object can be larger
  // calloc() takes large blocks as zero pages from the system, which appear when they are touched:
  // nothing is cleared twice, and what is never used costs nothing.
  block_ = std::calloc(1, size + alignment - 1);
  if (block_ == nullptr) return;
  const auto address = round_up(reinterpret_cast<uintptr_t>(block_), alignment);
  data_ = reinterpret_cast<std::byte*>(address);
  size_ = size;
  if (alignment == kHugePage) ask_for_huge_pages(data_, size_);
}

AlignedBuffer::~AlignedBuffer() { std::free(block_); }

}  // namespace pj
