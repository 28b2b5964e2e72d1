#include "runtime/base/aligned.h"

#include <cstdint>
#include <cstdlib>

namespace pj {

AlignedBuffer::AlignedBuffer(size_t size) {
  if (size == 0 || size > PTRDIFF_MAX - kCacheLine) return;  // no object can be larger
  // calloc() takes large blocks as zero pages from the system, which appear when they are touched:
  // nothing is cleared twice, and what is never used costs nothing.
  block_ = std::calloc(1, size + kCacheLine - 1);
  if (block_ == nullptr) return;
  const auto address = round_up(reinterpret_cast<uintptr_t>(block_), kCacheLine);
  data_ = reinterpret_cast<std::byte*>(address);
  size_ = size;
}

AlignedBuffer::~AlignedBuffer() { std::free(block_); }

}  // namespace pj
