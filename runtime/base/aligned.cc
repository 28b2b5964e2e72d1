#include "runtime/base/aligned.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace pj {

AlignedBuffer::AlignedBuffer(size_t size) {
  if (size == 0 || size > PTRDIFF_MAX - kCacheLine) return;  // no object can be larger
  const size_t padded = round_up(size, kCacheLine);
  void* p = nullptr;
  if (posix_memalign(&p, kCacheLine, padded) != 0) return;
  std::memset(p, 0, padded);
  data_ = static_cast<std::byte*>(p);
  size_ = size;
}

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

}  // namespace pj
