// Functions of two arguments, element by element with broadcasting.
#include "kernels/common/quantized_add.h"
#include "kernels/common/quantized_convert.h"
#include "kernels/reference/binary_functions.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// y[i] = f(a[i], b[i]) for every element of the output.
template <typename A, typename Y, typename F>
void map(const Tile& tile, const ReferenceParams& p, F&& f) {
  const A* a = input<A>(tile, 0);
  const A* b = input<A>(tile, 1);
  Y* y = output<Y>(tile, 0);
  const Shape shape = p.output(0).shape;
  for_each_row<2>(
      shape,
      {broadcast_strides(p.input(0).shape, shape), broadcast_strides(p.input(1).shape, shape)},
      [&](const auto& at, int64_t count, const auto& step) {
        const A *row_a = a + at[0], *row_b = b + at[1];
        if (step[0] == 1 && step[1] == 1) {
          for (int64_t i = 0; i < count; ++i) y[i] = f(row_a[i], row_b[i]);
        } else {
          for (int64_t i = 0; i < count; ++i) y[i] = f(row_a[i * step[0]], row_b[i * step[1]]);
        }
        y += count;
      });
}

// The activation on whole numbers: its limits are whole themselves.
template <typename T>
T clamp_number(T x, ActivationLimits limits) {
  if constexpr (std::is_floating_point_v<T>) {
    return ref::clamp(x, limits);
  } else {
    if (!std::isinf(limits.low)) x = std::max(x, static_cast<T>(limits.low));
    if (!std::isinf(limits.high)) x = std::min(x, static_cast<T>(limits.high));
    return x;
  }
}

// f32, int32 and int64.
template <typename T>
void plain(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const ActivationLimits limits = limits_of(params.activation);
  visit_arithmetic_function(params.fn, [&](auto fn) {
    map<T, T>(tile, p, [&](T a, T b) { return clamp_number(fn(a, b), limits); });
  });
}

template <typename T>
void compare(const Tile& tile, const ReferenceParams& p, BinaryFn fn) {
  visit_comparison(fn, [&](auto compares) {
    map<T, Bool>(tile, p, [&](T a, T b) { return Bool{compares(a, b)}; });
  });
}

// Functions without a rule of their own: computed in f32 on the real values, then quantised. A
// quotient 0 / 0 gives the lowest value, x / 0 saturates.
template <typename Q>
void through_reals(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc da = p.input(0), db = p.input(1), dy = p.output(0);
  const OutputStage stage = make_output_stage(dy.dtype, dy.scale, dy.zero_point, params.activation);
  const float inverse = 1.0f / dy.scale;
  visit_arithmetic_function(params.fn, [&](auto fn) {
    map<Q, Q>(tile, p, [&](Q a, Q b) {
      const float real =
          fn(dequantized(a, da.scale, da.zero_point), dequantized(b, db.scale, db.zero_point));
      return static_cast<Q>(round_to_int(clamp_to(real * inverse, stage.low, stage.high)) +
                            stage.zero_point);
    });
  });
}

template <typename Q>
void compare_quantized(const Tile& tile, const ReferenceParams& p, BinaryFn fn) {
  const OperandDesc da = p.input(0), db = p.input(1);
  // The order of the stored numbers is that of the real values, unless they mean different things.
  if (da.scale == db.scale && da.zero_point == db.zero_point) return compare<Q>(tile, p, fn);
  visit_comparison(fn, [&](auto compares) {
    map<Q, Bool>(tile, p, [&](Q a, Q b) {
      return Bool{compares(dequantized(a, da.scale, da.zero_point),
                           dequantized(b, db.scale, db.zero_point))};
    });
  });
}

template <typename Q>
void quantized_sum(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  const QuantizedAdd rule = prepare_quantized_add({a.scale, a.zero_point}, {b.scale, b.zero_point},
                                                  {y.scale, y.zero_point}, y.dtype,
                                                  params.activation, params.fn == BinaryFn::kSub);
  map<Q, Q>(tile, p, [&](Q qa, Q qb) { return static_cast<Q>(quantized_add(rule, qa, qb)); });
}

// The product as the accumulator of requantize(). Products of 16 bits need not fit one.
template <typename Q>
void quantized_product(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  const float scale = requantization_scale(a.scale, b.scale, y.scale);
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, params.activation);
  map<Q, Q>(tile, p, [&](Q qa, Q qb) {
    return static_cast<Q>(requantize((qa - a.zero_point) * (qb - b.zero_point), scale, stage));
  });
}

template <typename Q>
void quantized(const Tile& tile, const ReferenceParams& p, const BinaryParams& params) {
  const OperandDesc a = p.input(0), b = p.input(1), y = p.output(0);
  if (gives_bool(params.fn)) return compare_quantized<Q>(tile, p, params.fn);
  if (params.fn == BinaryFn::kAdd || params.fn == BinaryFn::kSub)
    return quantized_sum<Q>(tile, p, params);
  if (params.fn == BinaryFn::kMul && sizeof(Q) == 1) return quantized_product<Q>(tile, p, params);
  const bool extreme = params.fn == BinaryFn::kMinimum || params.fn == BinaryFn::kMaximum;
  const bool same = a.scale == b.scale && a.zero_point == b.zero_point && a.scale == y.scale &&
                    a.zero_point == y.zero_point;
  if (extreme && same) {
    // Also for tensors without quantisation. Choosing an operand needs no arithmetic on it.
    const OutputStage stage =
        a.scale > 0 ? make_output_stage(y.dtype, y.scale, y.zero_point, params.activation)
                    : OutputStage{0, static_cast<float>(range_of(y.dtype).min),
                                  static_cast<float>(range_of(y.dtype).max)};
    const auto low = static_cast<int32_t>(stage.low) + stage.zero_point;
    const auto high = static_cast<int32_t>(stage.high) + stage.zero_point;
    const bool minimum = params.fn == BinaryFn::kMinimum;
    map<Q, Q>(tile, p, [&](Q qa, Q qb) {
      const int32_t q = minimum ? std::min(qa, qb) : std::max(qa, qb);
      return static_cast<Q>(std::min(std::max(q, low), high));
    });
    return;
  }
  through_reals<Q>(tile, p, params);
}

void logical(const Tile& tile, const ReferenceParams& p, BinaryFn fn) {
  map<Bool, Bool>(tile, p, [&](Bool a, Bool b) {
    const bool x = a.byte != 0, y = b.byte != 0;
    switch (fn) {
      case BinaryFn::kLogicalAnd:
        return Bool{x && y};
      case BinaryFn::kLogicalOr:
        return Bool{x || y};
      case BinaryFn::kEqual:
        return Bool{x == y};
      default:
        return Bool{x != y};
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
      return comparison ? compare<float>(tile, p, params.fn) : plain<float>(tile, p, params);
    case DType::kI32:
      return comparison ? compare<int32_t>(tile, p, params.fn) : plain<int32_t>(tile, p, params);
    case DType::kI64:
      return comparison ? compare<int64_t>(tile, p, params.fn) : plain<int64_t>(tile, p, params);
    case DType::kI8:
      return quantized<int8_t>(tile, p, params);
    case DType::kU8:
      return quantized<uint8_t>(tile, p, params);
    case DType::kI16:
      return quantized<int16_t>(tile, p, params);
    case DType::kBool:
      return logical(tile, p, params.fn);
    case DType::kF16:
      return;
  }
}

}  // namespace pj
