#include "runtime/base/strided_slice.h"

#include <algorithm>

namespace pj {
namespace {

bool bit(int32_t mask, int32_t i) { return ((static_cast<uint32_t>(mask) >> i) & 1u) != 0; }

using Range = StridedSlicePlan::Range;

Result<Range> single_index(int32_t begin, int32_t dim, int32_t dimension) {
  // An unknown dimension is checked when it becomes known; -1 then still counts from the end.
  if (dim < 0) return Range{begin, 1, 1, true};
  const int64_t resolved = begin < 0 ? int64_t{begin} + dim : begin;
  if (resolved < 0 || resolved >= dim) {
    return error(ErrorCode::kModelInvalid, "index {} is outside dimension {} of size {}", begin,
                 dimension, dim);
  }
  return Range{static_cast<int32_t>(resolved), 1, 1, true};
}

Range entry_range(const StridedSliceParams& p, int32_t i, int32_t dim) {
  const int64_t stride = p.strides[i];
  const bool whole = bit(p.begin_mask, i) && bit(p.end_mask, i);
  if (dim < 0) {
    // Only a whole dimension of stride 1 has a begin that does not depend on the size.
    return {whole && stride == 1 ? 0 : p.begin[i], static_cast<int32_t>(stride), kUnknownDim,
            false};
  }
  // Positions lie between elements: [0, dim] going up, [-1, dim - 1] going down.
  const int64_t low = stride > 0 ? 0 : -1;
  const int64_t high = stride > 0 ? dim : dim - 1;
  auto position = [&](int64_t x) { return std::clamp(x < 0 ? x + dim : x, low, high); };
  const int64_t begin = bit(p.begin_mask, i) ? (stride > 0 ? low : high) : position(p.begin[i]);
  const int64_t end = bit(p.end_mask, i) ? (stride > 0 ? high : low) : position(p.end[i]);
  const int64_t distance = stride > 0 ? end - begin : begin - end;
  const int64_t step = stride > 0 ? stride : -stride;
  const int64_t size = distance <= 0 ? 0 : (distance + step - 1) / step;
  // Begin of an empty range may be one outside; nothing is read there.
  return {static_cast<int32_t>(begin), static_cast<int32_t>(stride), static_cast<int32_t>(size),
          false};
}

Range whole_range(int32_t dim) { return {0, 1, dim, false}; }

}  // namespace

Shape StridedSlicePlan::output_shape() const {
  Shape out;
  for (int32_t d = 0; d < rank; ++d) {
    const Range& r = ranges[static_cast<size_t>(d)];
    if (!r.dropped) out.push_back(r.size);
  }
  return out;
}

Result<StridedSlicePlan> resolve_strided_slice(const Shape& input,
                                               const StridedSliceParams& params) {
  const int32_t entries = params.begin.count;
  if (params.end.count != entries || params.strides.count != entries) {
    return error(
        ErrorCode::kModelInvalid,
        "begin, end and strides have {}, {} and {} entries; they must have the same number",
        entries, params.end.count, params.strides.count);
  }
  const int32_t rank = input.rank();
  StridedSlicePlan plan;
  plan.rank = rank;
  int32_t d = 0;
  bool ellipsis_seen = false;
  for (int32_t i = 0; i < entries; ++i) {
    if (bit(params.ellipsis_mask, i) && !ellipsis_seen) {
      // It stands for as many dimensions as the other entries leave, maybe none.
      ellipsis_seen = true;
      for (const int32_t end = rank - (entries - 1 - i); d < end; ++d)
        plan.ranges[static_cast<size_t>(d)] = whole_range(input[d]);
      continue;
    }
    if (d >= rank) {
      return error(ErrorCode::kModelInvalid, "{} entries for a tensor of {} dimensions", entries,
                   rank);
    }
    if (params.strides[i] == 0) {
      return error(ErrorCode::kModelInvalid, "the stride of dimension {} is 0", d);
    }
    Range& range = plan.ranges[static_cast<size_t>(d)];
    if (bit(params.shrink_axis_mask, i)) {
      const int32_t begin = bit(params.begin_mask, i) ? 0 : params.begin[i];
      PJ_ASSIGN(range, single_index(begin, input[d], d));
    } else {
      range = entry_range(params, i, input[d]);
    }
    ++d;
  }
  for (; d < rank; ++d) plan.ranges[static_cast<size_t>(d)] = whole_range(input[d]);
  return plan;
}

}  // namespace pj
