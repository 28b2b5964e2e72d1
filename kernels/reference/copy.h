// Copying boxes of elements between tensors of any type: the one loop behind the operators that
// only move data. Types do not matter, only the size of an element.
#pragma once

#include <cstring>

#include "kernels/reference/view.h"
#include "runtime/base/strided_slice.h"

namespace pj::ref {

// A box inside a tensor: where its first element is and how far neighbours are apart, in elements.
struct Box {
  int64_t offset = 0;
  Strides strides{};
};

// Where the element at `position` is.
inline int64_t offset_of(const Dims& position, const Strides& strides) {
  int64_t offset = 0;
  for (int32_t i = 0; i < position.count; ++i)
    offset += position[i] * strides[static_cast<size_t>(i)];
  return offset;
}

// What a strided slice reads of a tensor of these strides, and its shape. Dropped dimensions have
// size 1: the order of the output's elements is that of the box.
inline Box strided_box(const StridedSlicePlan& plan, const Strides& own, Shape& shape) {
  Box box;
  shape = Dims::filled(plan.rank, 1);
  for (int32_t i = 0; i < plan.rank; ++i) {
    const auto d = static_cast<size_t>(i);
    const StridedSlicePlan::Range& r = plan.ranges[d];
    shape[i] = r.size;
    box.offset += r.begin * own[d];
    box.strides[d] = r.stride * own[d];
  }
  return box;
}

// Calls f with an unsigned integer as wide as an element.
template <typename F>
void visit_width(DType t, F&& f) {
  switch (size_of(t)) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

// Copies a box of `shape` elements. Runs that are contiguous in both tensors go through memcpy.
inline void copy_box(DType dtype, const Shape& shape, const std::byte* from, const Box& from_box,
                     std::byte* to, const Box& to_box) {
  // An empty box may begin outside its tensor.
  if (elements(shape) == 0) return;
  visit_width(dtype, [&](auto width) {
    using T = decltype(width);
    const T* source = reinterpret_cast<const T*>(from) + from_box.offset;
    T* target = reinterpret_cast<T*>(to) + to_box.offset;
    auto row = [&](const std::array<int64_t, 2>& at, int64_t n,
                   const std::array<int64_t, 2>& step) {
      if (step[0] == 1 && step[1] == 1) {
        std::memcpy(target + at[1], source + at[0], static_cast<size_t>(n) * sizeof(T));
        return;
      }
      for (int64_t i = 0; i < n; ++i) target[at[1] + i * step[1]] = source[at[0] + i * step[0]];
    };
    for_each_row<2>(shape, {from_box.strides, to_box.strides}, row);
  });
}

// Fills `count` elements with the one at `value`.
inline void fill(DType dtype, std::byte* to, int64_t count, const std::byte* value) {
  visit_width(dtype, [&](auto width) {
    using T = decltype(width);
    T v;
    std::memcpy(&v, value, sizeof(T));
    std::fill_n(reinterpret_cast<T*>(to), count, v);
  });
}

// Fills with real value 0: the zero point of a quantised tensor, otherwise zero bytes.
inline void fill_zero(const OperandDesc& d, std::byte* to) {
  // Little-endian: the low bytes of the zero point are the element.
  const int64_t zero = d.scale != 0 ? d.zero_point : 0;
  std::byte value[sizeof(zero)];
  std::memcpy(value, &zero, sizeof(zero));
  fill(d.dtype, to, elements(d.shape), value);
}

// Copies a tensor that keeps its order of elements; the two may be the same memory.
inline void copy_whole(const Tile& tile, const OperandDesc& d) {
  const auto bytes = static_cast<size_t>(elements(d.shape)) * size_of(d.dtype);
  if (bytes > 0 && tile.in[0] != tile.out[0]) std::memmove(tile.out[0], tile.in[0], bytes);
}

// The element that a mirrored border repeats. Reflection turns around at the last element
// (x[1], x[0], x[1]), symmetry behind it (x[0], x[0], x[1]).
inline int32_t mirrored(int32_t i, int32_t size, PadFn fn) {
  const int32_t skipped = fn == PadFn::kReflect ? 1 : 0;
  if (i < 0) i = -1 - i + skipped;
  if (i >= size) i = size - 1 - (i - size) - skipped;
  return std::clamp(i, 0, size - 1);
}

// `shape` with a dimension of `size` put in at `axis`.
inline Shape insert_dim(const Shape& shape, int32_t axis, int32_t size) {
  Shape out;
  for (int32_t i = 0; i <= shape.rank(); ++i) {
    if (i == axis) out.push_back(size);
    if (i < shape.rank()) out.push_back(shape[i]);
  }
  return out;
}

}  // namespace pj::ref
