// Functions of two arguments, element by element with broadcasting.
#include "kernels/common/quantized_add.h"
#include "kernels/reference/binary_functions.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/reference_rows.h"

namespace pj {
namespace {

using namespace ref;

// y = f(a, b): f(a, b, n, y) gets blocks of at most kBlock numbers of type W and gives numbers of
// type R.
template <typename W, typename R, typename F>
void map(const Tile& tile, const ReferenceParams& p, F&& f) {
  const OperandDesc da = p.input(0), db = p.input(1), dy = p.output(0);
  const auto size_y = static_cast<int64_t>(size_of(dy.dtype));
  std::byte* y = tile.out[0];
  auto row = [&](const auto& at, int64_t count, const auto& step) {
    for (int64_t i = 0; i < count; i += kBlock) {
      const int64_t n = std::min<int64_t>(kBlock, count - i);
      W a[kBlock], b[kBlock];
      R result[kBlock];
      const Row row_a = row_at(da, tile.in[0], at[0] + i * step[0], step[0]);
      const Row row_b = row_at(db, tile.in[1], at[1] + i * step[1], step[1]);
      f(numbers(row_a, n, a), numbers(row_b, n, b), n, result);
      store(dy.dtype, result, n, y);
      y += n * size_y;
    }
  };
  for_each_row<2>(dy.shape,
                  {broadcast_strides(da.shape, dy.shape), broadcast_strides(db.shape, dy.shape)},
                  row);
}

template <typename W, typename R, typename F>
void map_each(const Tile& tile, const ReferenceParams& p, F&& f) {
  map<W, R>(tile, p, [&](const W* a, const W* b, int64_t n, R* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  });
}

template <typename W>
void arithmetic(BinaryFn fn, const W* a, const W* b, int64_t n, W* y) {
  visit_arithmetic_function(fn, [&](auto f) {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  });
}

template <typename W>
void compare(const Tile& tile, const ReferenceParams& p, BinaryFn fn) {
  map<W, int64_t>(tile, p, [&](const W* a, const W* b, int64_t n, int64_t* y) {
    visit_comparison(fn, [&](auto compares) {
      for (int64_t i = 0; i < n; ++i) y[i] = compares(a[i], b[i]);
    });
  });
}

void floats(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const ActivationLimits limits = limits_of(params.activation);
  map<float, float>(tile, p, [&](const float* a, const float* b, int64_t n, float* y) {
    arithmetic(params.fn, a, b, n, y);
    for (int64_t i = 0; i < n; ++i) y[i] = ref::clamp(y[i], limits);
  });
}

// int32 and int64. The activation's limits are whole numbers themselves.
void integers(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const ActivationLimits limits = limits_of(params.activation);
  const bool narrow = p.output(0).dtype == DType::kI32;
  auto finish = [&](int64_t x) {
    if (narrow) x = static_cast<int32_t>(x);
    if (!std::isinf(limits.low)) x = std::max(x, static_cast<int64_t>(limits.low));
    return std::isinf(limits.high) ? x : std::min(x, static_cast<int64_t>(limits.high));
  };
  map<int64_t, int64_t>(tile, p, [&](const int64_t* a, const int64_t* b, int64_t n, int64_t* y) {
    arithmetic(params.fn, a, b, n, y);
    for (int64_t i = 0; i < n; ++i) y[i] = finish(y[i]);
  });
}

// Functions without a rule of their own: computed in f32 on the real values, then quantised. A
// quotient 0 / 0 gives the lowest value, x / 0 saturates.
void through_reals(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc dy = p.output(0);
  const OutputStage stage = make_output_stage(dy.dtype, dy.scale, dy.zero_point, params.activation);
  const float inverse = 1.0f / dy.scale;
  map<float, int64_t>(tile, p, [&](const float* a, const float* b, int64_t n, int64_t* y) {
    float real[kBlock];
    arithmetic(params.fn, a, b, n, real);
    for (int64_t i = 0; i < n; ++i)
      y[i] = round_to_int(clamp_to(real[i] * inverse, stage.low, stage.high)) + stage.zero_point;
  });
}

void quantized_sum(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  const QuantizedAdd rule = prepare_quantized_add({a.scale, a.zero_point}, {b.scale, b.zero_point},
                                                  {y.scale, y.zero_point}, y.dtype,
                                                  params.activation, params.fn == BinaryFn::kSub);
  map_each<int64_t, int64_t>(tile, p, [&](int64_t qa, int64_t qb) {
    return quantized_add(rule, static_cast<int32_t>(qa), static_cast<int32_t>(qb));
  });
}

// The product as the accumulator of requantize(). Products of 16 bits need not fit one.
void quantized_product(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  const float scale = requantization_scale(a.scale, b.scale, y.scale);
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, params.activation);
  map_each<int64_t, int64_t>(tile, p, [&](int64_t qa, int64_t qb) {
    const int64_t product = (qa - a.zero_point) * (qb - b.zero_point);
    return requantize(static_cast<int32_t>(product), scale, stage);
  });
}

bool same_quantization(const OperandDesc& a, const OperandDesc& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

// The larger or smaller operand, whose stored number needs no arithmetic. Also for tensors without
// quantisation.
void quantized_extreme(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc y = p.output(0);
  const IntRange range = range_of(y.dtype);
  const OutputStage stage =
      y.scale > 0 ? make_output_stage(y.dtype, y.scale, y.zero_point, params.activation)
                  : OutputStage{0, static_cast<float>(range.min), static_cast<float>(range.max)};
  const int64_t low = static_cast<int64_t>(stage.low) + stage.zero_point;
  const int64_t high = static_cast<int64_t>(stage.high) + stage.zero_point;
  const bool minimum = params.fn == BinaryFn::kMinimum;
  map_each<int64_t, int64_t>(tile, p, [&](int64_t a, int64_t b) {
    return std::min(std::max(minimum ? std::min(a, b) : std::max(a, b), low), high);
  });
}

void quantized(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  const BinaryFn fn = params.fn;
  // The order of the stored numbers is that of the real values, unless they mean different things.
  if (gives_bool(fn))
    return same_quantization(a, b) ? compare<int64_t>(tile, p, fn) : compare<float>(tile, p, fn);
  if (fn == BinaryFn::kAdd || fn == BinaryFn::kSub) return quantized_sum(tile, p, params);
  if (fn == BinaryFn::kMul && size_of(y.dtype) == 1) return quantized_product(tile, p, params);
  const bool extreme = fn == BinaryFn::kMinimum || fn == BinaryFn::kMaximum;
  if (extreme && same_quantization(a, b) && same_quantization(a, y))
    return quantized_extreme(tile, p, params);
  through_reals(tile, p, params);
}

void logical(const Tile& tile, const ReferenceParams& p, BinaryFn fn) {
  map_each<int64_t, int64_t>(tile, p, [&](int64_t a, int64_t b) {
    switch (fn) {
      case BinaryFn::kLogicalAnd:
        return a & b;
      case BinaryFn::kLogicalOr:
        return a | b;
      case BinaryFn::kEqual:
        return int64_t{a == b};
      default:
        return int64_t{a != b};
    }
  });
}

}  // namespace

void reference_Binary(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& params = p.as<BinaryParams>();
  const bool comparison = gives_bool(params.fn);
  switch (p.input(0).dtype) {
    case DType::kF32:
      return comparison ? compare<float>(tile, p, params.fn) : floats(tile, p, params);
    case DType::kI32:
    case DType::kI64:
      return comparison ? compare<int64_t>(tile, p, params.fn) : integers(tile, p, params);
    case DType::kI8:
    case DType::kU8:
    case DType::kI16:
      return quantized(tile, p, params);
    case DType::kBool:
      return logical(tile, p, params.fn);
    case DType::kF16:
      return;
  }
}

}  // namespace pj
