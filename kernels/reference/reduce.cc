// Reductions over some dimensions, and the index of the extreme element along one.
//
// f32: sums and products are accumulated in f64 and rounded once; NaN propagates through mean, sum
// and product; maximum and minimum ignore NaN, unless it comes first. int32, int64: modulo 2^n, the
// mean is truncated toward zero (0 of nothing). Quantised: mean and sum are requantised sums of
// (x - zero_point); extremes are converted to the output's quantisation. bool: maximum is "any",
// minimum is "all". The extreme of nothing is the first value of the scan: the type's limit.
#include <limits>

#include "kernels/common/quantized_convert.h"
#include "kernels/reference/binary_functions.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// The input's dimensions, split: those that remain and those that are reduced.
struct Split {
  Shape kept, reduced;
  Strides kept_strides{}, reduced_strides{};
};

Split split(const Shape& x, const Dims& axes) {
  bool is_reduced[kMaxRank] = {};
  for (int32_t axis : axes) is_reduced[normalize_axis(axis, x.rank())] = true;
  const Strides strides = contiguous_strides(x);
  Split s;
  for (int32_t d = 0; d < x.rank(); ++d) {
    const bool goes = axes.empty() || is_reduced[d];
    Shape& shape = goes ? s.reduced : s.kept;
    (goes ? s.reduced_strides : s.kept_strides)[static_cast<size_t>(shape.rank())] =
        strides[static_cast<size_t>(d)];
    shape.push_back(x[d]);
  }
  return s;
}

// y[i] = finish(fold of step over the elements that i stands for), from `start`.
template <typename T, typename Y, typename Sum, typename Step, typename Finish>
void reduce(const Tile& tile, const ReferenceParams& p, Sum start, Step step, Finish finish) {
  const Split s = split(p.input(0).shape, p.as<ReduceParams>().axes);
  const T* x = input<T>(tile, 0);
  Y* y = output<Y>(tile, 0);
  for_each_row<1>(s.kept, {s.kept_strides}, [&](const auto& at, int64_t count, const auto& next) {
    for (int64_t i = 0; i < count; ++i) {
      const T* first = x + at[0] + i * next[0];
      Sum sum = start;
      for_each_row<1>(s.reduced, {s.reduced_strides},
                      [&](const auto& from, int64_t n, const auto& stride) {
                        for (int64_t k = 0; k < n; ++k)
                          sum = step(sum, first[from[0] + k * stride[0]]);
                      });
      *y++ = finish(sum);
    }
  });
}

// Number of input elements for each output.
int64_t count_of(const ReferenceParams& p) {
  return elements(split(p.input(0).shape, p.as<ReduceParams>().axes).reduced);
}

template <typename T>
void extremes(const Tile& tile, const ReferenceParams& p, bool maximum) {
  using Limits = std::numeric_limits<T>;
  auto same = [](T x) { return x; };
  if constexpr (std::is_floating_point_v<T>) {
    auto step = [&](T best, T x) { return (maximum ? x > best : x < best) ? x : best; };
    reduce<T, T>(tile, p, maximum ? -Limits::infinity() : Limits::infinity(), step, same);
  } else {
    auto step = [&](T best, T x) { return maximum ? std::max(best, x) : std::min(best, x); };
    reduce<T, T>(tile, p, maximum ? Limits::min() : Limits::max(), step, same);
  }
}

void floats(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  auto add = [](double sum, float x) { return sum + x; };
  auto narrow = [](double sum) { return static_cast<float>(sum); };
  switch (fn) {
    case ReduceFn::kMean: {
      const auto count = static_cast<double>(count_of(p));
      return reduce<float, float>(tile, p, 0.0, add,
                                  [&](double sum) { return static_cast<float>(sum / count); });
    }
    case ReduceFn::kSum:
      return reduce<float, float>(tile, p, 0.0, add, narrow);
    case ReduceFn::kProd:
      return reduce<float, float>(
          tile, p, 1.0, [](double product, float x) { return product * x; }, narrow);
    case ReduceFn::kMax:
      return extremes<float>(tile, p, true);
    case ReduceFn::kMin:
      return extremes<float>(tile, p, false);
  }
}

template <typename T>
void integers(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  auto same = [](T x) { return x; };
  switch (fn) {
    case ReduceFn::kMean: {
      const int64_t count = count_of(p);
      return reduce<T, T>(
          tile, p, int64_t{0}, [](int64_t sum, T x) { return Add{}(sum, int64_t{x}); },
          [&](int64_t sum) { return static_cast<T>(count > 0 ? sum / count : 0); });
    }
    case ReduceFn::kSum:
      return reduce<T, T>(tile, p, T{0}, Add{}, same);
    case ReduceFn::kProd:
      return reduce<T, T>(tile, p, T{1}, Mul{}, same);
    case ReduceFn::kMax:
      return extremes<T>(tile, p, true);
    case ReduceFn::kMin:
      return extremes<T>(tile, p, false);
  }
}

template <typename Q>
void quantized(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  const OperandDesc x = p.input(0), y = p.output(0);
  if (fn == ReduceFn::kMax || fn == ReduceFn::kMin) {
    const bool maximum = fn == ReduceFn::kMax;
    const QuantizedConvert rule =
        prepare_quantized_convert(x.dtype, x.scale, x.zero_point, y.dtype, y.scale, y.zero_point);
    const bool same = x.scale == y.scale && x.zero_point == y.zero_point;
    const IntRange range = range_of(x.dtype);
    return reduce<Q, Q>(
        tile, p, maximum ? range.min : range.max,
        [&](int32_t best, Q q) {
          return maximum ? std::max<int32_t>(best, q) : std::min<int32_t>(best, q);
        },
        [&](int32_t best) { return static_cast<Q>(same ? best : quantized_convert(rule, best)); });
  }
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, Activation::kNone);
  const float divisor = fn == ReduceFn::kMean ? static_cast<float>(count_of(p)) : 1.0f;
  const float scale = finite_ratio(x.scale, y.scale * divisor);
  reduce<Q, Q>(
      tile, p, uint32_t{0},
      [&](uint32_t sum, Q q) { return sum + static_cast<uint32_t>(q - x.zero_point); },
      [&](uint32_t sum) {
        return static_cast<Q>(requantize(static_cast<int32_t>(sum), scale, stage));
      });
}

void bools(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  const bool any = fn == ReduceFn::kMax;
  reduce<Bool, Bool>(
      tile, p, !any,
      [&](bool so_far, Bool x) { return any ? so_far || x.byte != 0 : so_far && x.byte != 0; },
      [](bool result) { return Bool{result}; });
}

// The first extreme element. A NaN counts only where there is nothing else.
template <typename T, typename Index>
void arg_extreme(const Tile& tile, const ReferenceParams& p) {
  const auto& a = p.as<ArgReduceParams>();
  const Shape shape = p.input(0).shape;
  const int32_t axis = normalize_axis(a.axis, shape.rank());
  const int64_t outer = elements(shape, 0, axis), count = shape[axis];
  const int64_t inner = elements(shape, axis + 1, shape.rank());
  const T* x = input<T>(tile, 0);
  Index* y = output<Index>(tile, 0);
  auto is_nan = [](T v) { return v != v; };
  for (int64_t o = 0; o < outer; ++o, x += count * inner) {
    for (int64_t i = 0; i < inner; ++i) {
      int64_t best = 0;
      for (int64_t k = 1; k < count; ++k) {
        const T value = x[k * inner + i], top = x[best * inner + i];
        const bool wins = a.maximum ? value > top : value < top;
        if (wins || (is_nan(top) && !is_nan(value))) best = k;
      }
      *y++ = static_cast<Index>(best);
    }
  }
}

}  // namespace

void reference_Reduce(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const ReduceFn fn = p.as<ReduceParams>().fn;
  switch (p.input(0).dtype) {
    case DType::kF32:
      return floats(tile, p, fn);
    case DType::kI32:
      return integers<int32_t>(tile, p, fn);
    case DType::kI64:
      return integers<int64_t>(tile, p, fn);
    case DType::kI8:
      return quantized<int8_t>(tile, p, fn);
    case DType::kU8:
      return quantized<uint8_t>(tile, p, fn);
    case DType::kI16:
      return quantized<int16_t>(tile, p, fn);
    case DType::kBool:
      return bools(tile, p, fn);
    case DType::kF16:
      return;
  }
}

void reference_ArgReduce(const Tile& tile) {
  const ReferenceParams p(tile.params);
  visit_dtype(p.input(0).dtype, [&](auto value) {
    using T = decltype(value);
    if constexpr (std::is_arithmetic_v<T>) {
      if (p.output(0).dtype == DType::kI64) return arg_extreme<T, int64_t>(tile, p);
      arg_extreme<T, int32_t>(tile, p);
    }
  });
}

}  // namespace pj
