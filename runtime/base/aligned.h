// Memory aligned to a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace pj {

inline constexpr size_t kCacheLine = 64;

constexpr size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// An owning block of bytes, aligned to a cache line, zero-filled. Empty if memory ran out or the
// size is 0: compare size() with what was asked.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size);
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    AlignedBuffer moved(std::move(other));
    swap(moved);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {data_, size_}; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  void swap(AlignedBuffer& other) {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  void* block_ = nullptr;  // what was allocated: data_ and what aligns it
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace pj
