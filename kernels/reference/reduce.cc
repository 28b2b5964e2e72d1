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
#include "kernels/reference/numbers.h"
#include "kernels/reference/reference_rows.h"

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

// The fold of n numbers, from what came before.
template <typename W>
W fold(ReduceFn fn, W sum, const W* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    switch (fn) {
      case ReduceFn::kMean:
      case ReduceFn::kSum:
        sum = Add{}(sum, x[i]);
        break;
      case ReduceFn::kProd:
        sum = Mul{}(sum, x[i]);
        break;
      case ReduceFn::kMax:
        sum = x[i] > sum ? x[i] : sum;
        break;
      case ReduceFn::kMin:
        sum = x[i] < sum ? x[i] : sum;
        break;
    }
  }
  return sum;
}

// Extremes of f32 are f32 themselves: one fold of f64 serves all.
double number_of(float x) { return x; }
int64_t number_of(int64_t x) { return x; }

// y[i] = finish(fold of the elements that i stands for, from `start`). Elements are read as R.
template <typename R, typename W, typename Finish>
void reduce(const Tile& tile, const ReferenceParams& p, W start, Finish finish) {
  const OperandDesc x = p.input(0), out = p.output(0);
  const auto& params = p.as<ReduceParams>();
  const Split s = split(x.shape, params.axes);
  std::byte* y = tile.out[0];
  auto fold_row = [&](int64_t first, int64_t n, int64_t step, W sum) {
    for (int64_t k = 0; k < n; k += kBlock) {
      const int64_t count = std::min<int64_t>(kBlock, n - k);
      R buffer[kBlock];
      W wide[kBlock];
      const R* from = numbers(row_at(x, tile.in[0], first + k * step, step), count, buffer);
      for (int64_t i = 0; i < count; ++i) wide[i] = number_of(from[i]);
      sum = fold(params.fn, sum, wide, count);
    }
    return sum;
  };
  for_each_row<1>(s.kept, {s.kept_strides}, [&](const auto& at, int64_t count, const auto& next) {
    for (int64_t i = 0; i < count; ++i) {
      W sum = start;
      for_each_row<1>(s.reduced, {s.reduced_strides},
                      [&](const auto& from, int64_t n, const auto& stride) {
                        sum = fold_row(at[0] + i * next[0] + from[0], n, stride[0], sum);
                      });
      const R result = finish(sum);
      store(out.dtype, &result, 1, y);
      y += size_of(out.dtype);
    }
  });
}

// Number of input elements for each output.
int64_t count_of(const ReferenceParams& p) {
  return elements(split(p.input(0).shape, p.as<ReduceParams>().axes).reduced);
}

void floats(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double start = fn == ReduceFn::kProd ? 1 : 0;
  if (fn == ReduceFn::kMax) start = -kInfinity;
  if (fn == ReduceFn::kMin) start = kInfinity;
  const double divisor = fn == ReduceFn::kMean ? static_cast<double>(count_of(p)) : 1;
  reduce<float>(tile, p, start, [&](double sum) { return static_cast<float>(sum / divisor); });
}

// int32, int64 and bool.
void integers(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  const bool narrow = p.input(0).dtype == DType::kI32;
  using Narrow = std::numeric_limits<int32_t>;
  using Wide = std::numeric_limits<int64_t>;
  const int64_t count = fn == ReduceFn::kMean ? count_of(p) : 1;
  int64_t start = fn == ReduceFn::kProd ? 1 : 0;
  if (fn == ReduceFn::kMax) start = narrow ? Narrow::min() : Wide::min();
  if (fn == ReduceFn::kMin) start = narrow ? Narrow::max() : Wide::max();
  // Of nothing "any" is false, and "all" is true.
  if (p.input(0).dtype == DType::kBool) start = fn == ReduceFn::kMin;
  reduce<int64_t>(tile, p, start, [&](int64_t sum) { return count > 0 ? sum / count : 0; });
}

void quantized(const Tile& tile, const ReferenceParams& p, ReduceFn fn) {
  const OperandDesc x = p.input(0), y = p.output(0);
  const int64_t count = count_of(p);
  if (fn == ReduceFn::kMax || fn == ReduceFn::kMin) {
    const QuantizedConvert rule =
        prepare_quantized_convert(x.dtype, x.scale, x.zero_point, y.dtype, y.scale, y.zero_point);
    const bool same = x.scale == y.scale && x.zero_point == y.zero_point;
    const IntRange range = range_of(x.dtype);
    const int64_t start = fn == ReduceFn::kMax ? range.min : range.max;
    return reduce<int64_t>(tile, p, start, [&](int64_t best) {
      return same ? best : int64_t{quantized_convert(rule, static_cast<int32_t>(best))};
    });
  }
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, Activation::kNone);
  const float divisor = fn == ReduceFn::kMean ? static_cast<float>(count) : 1.0f;
  const float scale = finite_ratio(x.scale, y.scale * divisor);
  reduce<int64_t>(tile, p, int64_t{0}, [&](int64_t sum) {
    return int64_t{requantize(static_cast<int32_t>(sum - count * x.zero_point), scale, stage)};
  });
}

// The first extreme element. A NaN counts only where there is nothing else.
template <typename W>
void arg_extreme(const Tile& tile, const ReferenceParams& p) {
  const auto& a = p.as<ArgReduceParams>();
  const OperandDesc x = p.input(0), y = p.output(0);
  const int32_t axis = normalize_axis(a.axis, x.shape.rank());
  const int64_t outer = elements(x.shape, 0, axis), count = x.shape[axis];
  const int64_t inner = elements(x.shape, axis + 1, x.shape.rank());
  auto wins = [&](W value, W top) {
    const bool better = a.maximum ? value > top : value < top;
    return better || (top != top && value == value);
  };
  std::byte* to = tile.out[0];
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i, to += size_of(y.dtype)) {
      int64_t best = 0;
      W top = 0;
      for (int64_t k = 0; k < count; k += kBlock) {
        W buffer[kBlock];
        const int64_t n = std::min<int64_t>(kBlock, count - k);
        const W* from =
            numbers(row_at(x, tile.in[0], (o * count + k) * inner + i, inner), n, buffer);
        if (k == 0) top = from[0];
        for (int64_t j = 0; j < n; ++j) {
          if (!wins(from[j], top)) continue;
          best = k + j;
          top = from[j];
        }
      }
      store(y.dtype, &best, 1, to);
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
    case DType::kI64:
    case DType::kBool:
      return integers(tile, p, fn);
    case DType::kI8:
    case DType::kU8:
    case DType::kI16:
      return quantized(tile, p, fn);
    case DType::kF16:
      return;
  }
}

void reference_ArgReduce(const Tile& tile) {
  const ReferenceParams p(tile.params);
  p.input(0).dtype == DType::kF32 ? arg_extreme<float>(tile, p) : arg_extreme<int64_t>(tile, p);
}

}  // namespace pj
