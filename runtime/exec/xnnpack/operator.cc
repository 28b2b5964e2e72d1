// Tested with Debian 12's package (git 2022-02-16). The branch PJ_XNNPACK_RESHAPE was compiled
// against the header of the version that Debian 13 packages (git 2024-11-08); it has not been run.
#include "runtime/exec/xnnpack/operator.h"

#ifdef PJ_XNNPACK_SONAME
#include <dlfcn.h>
#endif
#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "runtime/exec/prepared.h"

namespace pj::xnn {
namespace {

static_assert(XNN_EXTRA_BYTES <= kReadSlack);

Status check(xnn_status status, const char* what) {
  if (status == xnn_status_success) return {};
  if (status == xnn_status_out_of_memory)
    return error(ErrorCode::kOutOfMemory, "no memory for an operator of XNNPACK ({})", what);
  return error(ErrorCode::kPlatformUnsupported,
               "XNNPACK refuses to {} an operator (status {}); run with --xnnpack off", what,
               static_cast<int>(status));
}

// The library's functions. A shared one is loaded when the first is asked for: few runs use it.
#ifdef PJ_XNNPACK_SONAME
template <typename F>
F* find(const char* name) {
  static void* const library = dlopen(PJ_XNNPACK_SONAME, RTLD_NOW | RTLD_LOCAL);
  return library == nullptr ? nullptr : reinterpret_cast<F*>(dlsym(library, name));
}
#define PJ_XNN(function) find<decltype(function)>(#function)
#else
#define PJ_XNN(function) (&(function))
#endif

// False if the library or one of its functions is not there.
bool initialize();

// The functions of one family and type. `Suffix` is the common end of their names.
#ifdef PJ_XNNPACK_RESHAPE
#define PJ_XNN_RESHAPE(suffix) \
  static auto reshape() { return PJ_XNN(xnn_reshape_##suffix); }
#else
#define PJ_XNN_RESHAPE(suffix)
#endif
#define PJ_XNN_FUNCTIONS(Name, kind, type, suffix)               \
  struct Name {                                                  \
    using Element = type;                                        \
    static constexpr Family family = Family::kind;               \
    static auto create() { return PJ_XNN(xnn_create_##suffix); } \
    static auto setup() { return PJ_XNN(xnn_setup_##suffix); }   \
    PJ_XNN_RESHAPE(suffix)                                       \
  };
PJ_XNN_FUNCTIONS(ConvF32, kConvolution, float, convolution2d_nhwc_f32)
PJ_XNN_FUNCTIONS(ConvU8, kConvolution, uint8_t, convolution2d_nhwc_qu8)
PJ_XNN_FUNCTIONS(DeconvF32, kDeconvolution, float, deconvolution2d_nhwc_f32)
PJ_XNN_FUNCTIONS(DeconvU8, kDeconvolution, uint8_t, deconvolution2d_nhwc_qu8)
PJ_XNN_FUNCTIONS(AverageF32, kAveragePooling, float, average_pooling2d_nhwc_f32)
PJ_XNN_FUNCTIONS(MaxF32, kMaxPooling, float, max_pooling2d_nhwc_f32)
PJ_XNN_FUNCTIONS(MaxI8, kMaxPooling, int8_t, max_pooling2d_nhwc_s8)
PJ_XNN_FUNCTIONS(MaxU8, kMaxPooling, uint8_t, max_pooling2d_nhwc_u8)
#ifdef PJ_XNNPACK_RESHAPE
constexpr bool kDeconvPerChannel = true;
PJ_XNN_FUNCTIONS(ConvI8, kConvolution, int8_t, convolution2d_nhwc_qs8_qc8w)
PJ_XNN_FUNCTIONS(DeconvI8, kDeconvolution, int8_t, deconvolution2d_nhwc_qs8_qc8w)
#else
constexpr bool kDeconvPerChannel = false;
PJ_XNN_FUNCTIONS(ConvI8, kConvolution, int8_t, convolution2d_nhwc_qc8)
PJ_XNN_FUNCTIONS(DeconvI8, kDeconvolution, int8_t, deconvolution2d_nhwc_qs8)
#endif
#undef PJ_XNN_FUNCTIONS
#undef PJ_XNN_RESHAPE

// Calls visitor(F{}) with the functions for a family and type; false if there are none.
template <typename V>
bool visit_functions(Family family, DType dtype, V&& visitor) {
  auto pick = [&](auto f32, auto i8, auto u8) {
    if (dtype == DType::kF32) return visitor(f32), true;
    if (dtype == DType::kI8) return visitor(i8), true;
    if (dtype == DType::kU8) return visitor(u8), true;
    return false;
  };
  switch (family) {
    case Family::kConvolution:
      return pick(ConvF32{}, ConvI8{}, ConvU8{});
    case Family::kDeconvolution:
      return pick(DeconvF32{}, DeconvI8{}, DeconvU8{});
    case Family::kMaxPooling:
      return pick(MaxF32{}, MaxI8{}, MaxU8{});
    case Family::kAveragePooling:  // of integers: rounds otherwise than the reference
      return dtype == DType::kF32 && (visitor(AverageF32{}), true);
  }
  return false;
}

auto u32(int32_t v) { return static_cast<uint32_t>(v); }
auto size(int64_t v) { return static_cast<size_t>(v); }

constexpr bool is_pooling(Family f) {
  return f == Family::kAveragePooling || f == Family::kMaxPooling;
}

// --- create: the arguments, piece by piece -------------------------------------------------------

template <typename F>
auto window_arguments(const OperatorSpec& s) {
  const auto window =
      std::tuple(u32(s.top), u32(s.right), u32(s.bottom), u32(s.left), u32(s.kernel_h),
                 u32(s.kernel_w), u32(s.stride_h), u32(s.stride_w));
  if constexpr (F::family == Family::kAveragePooling) {
    return window;
  } else {
    return std::tuple_cat(window, std::tuple(u32(s.dilation_h), u32(s.dilation_w)));
  }
}

template <typename F>
auto channel_arguments(const OperatorSpec& s) {
  if constexpr (is_pooling(F::family)) {
#ifdef PJ_XNNPACK_RESHAPE
    return std::tuple();
#else
    return std::tuple(size(s.group_in), size(s.group_in), size(s.group_in));
#endif
  } else {
    return std::tuple(u32(s.groups), size(s.group_in), size(s.group_out),
                      size(int64_t{s.groups} * s.group_in), size(int64_t{s.groups} * s.group_out));
  }
}

template <typename F>
auto limit_arguments(const OperatorSpec& s) {
  using T = typename F::Element;
  if constexpr (std::is_same_v<T, float>) {
    return std::tuple(s.low, s.high);
  } else {
    return std::tuple(static_cast<T>(s.out_min), static_cast<T>(s.out_max));
  }
}

// Quantisation, weights, bias and limits, as far as the family has them.
template <typename F>
auto value_arguments(const OperatorSpec& s) {
  using T = typename F::Element;
  const auto* weights = static_cast<const T*>(s.weights);
  if constexpr (is_pooling(F::family)) {
    return limit_arguments<F>(s);
  } else if constexpr (std::is_same_v<T, float>) {
    return std::tuple_cat(std::tuple(weights, static_cast<const float*>(s.bias)),
                          limit_arguments<F>(s));
  } else {
    const auto input = std::tuple(static_cast<T>(s.in_zero), s.in_scale);
    const auto output = std::tuple_cat(std::tuple(weights, static_cast<const int32_t*>(s.bias),
                                                  static_cast<T>(s.out_zero), s.out_scale),
                                       limit_arguments<F>(s));
    if constexpr (std::is_same_v<T, uint8_t>) {
      return std::tuple_cat(input, std::tuple(static_cast<T>(s.weight_zero), s.weight_scales[0]),
                            output);
    } else if constexpr (F::family == Family::kConvolution || kDeconvPerChannel) {
      return std::tuple_cat(input, std::tuple(s.weight_scales.data()), output);
    } else {
      return std::tuple_cat(input, std::tuple(s.weight_scales[0]), output);
    }
  }
}

// Caches of generated code and of weights, which we do not use.
template <typename F>
auto cache_arguments() {
#ifdef PJ_XNNPACK_RESHAPE
  if constexpr (!is_pooling(F::family)) {
    return std::tuple(xnn_code_cache_t{nullptr}, xnn_weights_cache_t{nullptr});
  } else
#endif
  {
    return std::tuple();
  }
}

template <typename F>
xnn_status create_as(const OperatorSpec& s, xnn_operator_t* op) {
  const uint32_t flags = s.depthwise ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0;
  return std::apply(F::create(), std::tuple_cat(window_arguments<F>(s), channel_arguments<F>(s),
                                                value_arguments<F>(s), std::tuple(flags),
                                                cache_arguments<F>(), std::tuple(op)));
}

// --- shapes and pointers -------------------------------------------------------------------------

template <typename F>
auto shape_arguments(xnn_operator_t op, const OperatorSpec& s) {
  const auto image = std::tuple(op, size(s.batch), size(s.in_h), size(s.in_w));
  if constexpr (F::family == Family::kDeconvolution) {
    return std::tuple_cat(image, std::tuple(u32(s.extra_h), u32(s.extra_w)));
  } else {
    return image;
  }
}

#ifdef PJ_XNNPACK_RESHAPE

constexpr bool has_workspace(Family f) {
  return f == Family::kConvolution || f == Family::kAveragePooling;
}

template <typename F>
Status reshape_as(xnn_operator_t op, const OperatorSpec& s, pthreadpool_t pool,
                  AlignedBuffer& workspace) {
  size_t bytes = 0, alignment = 1, out_h = 0, out_w = 0;
  auto channels = [&] {
    const size_t c = size(s.group_in);
    if constexpr (is_pooling(F::family)) {
      return std::tuple(c, c, c);
    } else {
      return std::tuple();
    }
  };
  auto wanted = [&] {
    if constexpr (has_workspace(F::family)) {
      return std::tuple(&bytes, &alignment);
    } else {
      return std::tuple();
    }
  };
  PJ_TRY(check(std::apply(F::reshape(), std::tuple_cat(shape_arguments<F>(op, s), channels(),
                                                       wanted(), std::tuple(&out_h, &out_w, pool))),
               "shape"));
  workspace = AlignedBuffer(bytes);
  if (workspace.size() != bytes || alignment > kCacheLine)
    return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of XNNPACK's workspace", bytes);
  return {};
}

template <typename F>
xnn_status setup_as(xnn_operator_t op, const OperatorSpec&, const void* in, void* out,
                    pthreadpool_t, AlignedBuffer& workspace) {
  using T = typename F::Element;
  const auto* x = static_cast<const T*>(in);
  auto* y = static_cast<T*>(out);
  if constexpr (has_workspace(F::family)) {
    return F::setup()(op, static_cast<void*>(workspace.data()), x, y);
  } else {
    return F::setup()(op, x, y);
  }
}

#else

template <typename F>
Status reshape_as(xnn_operator_t, const OperatorSpec&, pthreadpool_t, AlignedBuffer&) {
  return {};
}

template <typename F>
xnn_status setup_as(xnn_operator_t op, const OperatorSpec& s, const void* in, void* out,
                    pthreadpool_t pool, AlignedBuffer&) {
  using T = typename F::Element;
  return std::apply(F::setup(), std::tuple_cat(shape_arguments<F>(op, s),
                                               std::tuple(static_cast<const T*>(in),
                                                          static_cast<T*>(out), pool)));
}

#endif

// --- what is supported ---------------------------------------------------------------------------

// What XNNPACK checks when it creates a quantised operator.
bool accepts_quantization(const OperatorSpec& s) {
  auto ordinary = [](float scale) { return scale > 0 && std::isnormal(scale); };
  constexpr float kTooLarge = 256;
  return s.out_min < s.out_max && ordinary(s.in_scale) && ordinary(s.out_scale) &&
         std::all_of(s.weight_scales.begin(), s.weight_scales.end(), [&](float w) {
           return ordinary(w) && s.in_scale * w / s.out_scale < kTooLarge;
         });
}

// XNNPACK has two rules for int32 -> 8 bits: ours, and on NEON, where the scale is one for all
// channels, fixed-point multiplication with halves rounded up. 1 * 0.5 tells them apart: 0 or 1.
template <typename T>
bool rounds_to_even(Family family, DType dtype) {
  static constexpr T kOne[1 + kReadSlack] = {1};
  OperatorSpec s;
  s.family = family;
  s.dtype = dtype;
  s.weights = kOne;
  s.in_scale = s.out_scale = 1;
  s.weight_scales = {0.5f};
  s.out_min = range_of(dtype).min;
  s.out_max = range_of(dtype).max;
  T result[1 + kReadSlack] = {1};
  const auto op = Operator::create(s);
  return op && (*op)->setup(kOne, result, nullptr) && (*op)->run(nullptr) && result[0] == 0;
}

bool is_exact(const OperatorSpec& s) {
  if (s.dtype == DType::kF32 || is_pooling(s.family)) return true;
  if (s.dtype == DType::kU8) {
    static const bool conv = rounds_to_even<uint8_t>(Family::kConvolution, DType::kU8);
    static const bool deconv = rounds_to_even<uint8_t>(Family::kDeconvolution, DType::kU8);
    return s.family == Family::kConvolution ? conv : deconv;
  }
  if (s.family == Family::kConvolution || kDeconvPerChannel) return true;
  static const bool deconv = rounds_to_even<int8_t>(Family::kDeconvolution, DType::kI8);
  return deconv;
}

bool one_scale(const OperatorSpec& s) {
  return std::all_of(s.weight_scales.begin(), s.weight_scales.end(),
                     [&](float w) { return w == s.weight_scales[0]; });
}

}  // namespace

namespace {

template <typename F>
bool has_functions(F) {
#ifdef PJ_XNNPACK_RESHAPE
  if (F::reshape() == nullptr) return false;
#endif
  return F::create() != nullptr && F::setup() != nullptr;
}

bool initialize() {
  static const bool ok = [] {
    const auto start = PJ_XNN(xnn_initialize);
    if (start == nullptr || PJ_XNN(xnn_run_operator) == nullptr ||
        PJ_XNN(xnn_delete_operator) == nullptr)
      return false;
    bool all = true;
    for (const Family family : {Family::kConvolution, Family::kDeconvolution, Family::kMaxPooling,
                                Family::kAveragePooling})
      for (const DType dtype : {DType::kF32, DType::kI8, DType::kU8})
        visit_functions(family, dtype, [&](auto f) { all = all && has_functions(f); });
    return all && start(nullptr) == xnn_status_success;
  }();
  return ok;
}

}  // namespace

bool is_there() { return initialize(); }

struct Operator::Functions {
  Status (*reshape)(xnn_operator_t, const OperatorSpec&, pthreadpool_t, AlignedBuffer&);
  xnn_status (*setup)(xnn_operator_t, const OperatorSpec&, const void*, void*, pthreadpool_t,
                      AlignedBuffer&);
};

bool supports(const OperatorSpec& s) {
  if (!visit_functions(s.family, s.dtype, [](auto) {}) || !initialize()) return false;
  if (is_pooling(s.family)) {
    // A window of one element is refused.
    if (int64_t{s.kernel_h} * s.kernel_w == 1) return false;
    return s.dtype == DType::kF32 ? s.low < s.high : s.out_min < s.out_max;
  }
  if (s.dtype == DType::kF32) return s.low < s.high;
  if (s.family == Family::kDeconvolution && !kDeconvPerChannel && !one_scale(s)) return false;
  return accepts_quantization(s) && is_exact(s);
}

Result<std::unique_ptr<Operator>> Operator::create(const OperatorSpec& spec) {
  std::unique_ptr<Operator> made(new Operator());
  xnn_status status = xnn_status_unsupported_parameter;
  visit_functions(spec.family, spec.dtype, [&]<typename F>(F) {
    static constexpr Functions kFunctions{reshape_as<F>, setup_as<F>};
    made->functions_ = &kFunctions;
    status = initialize() ? create_as<F>(spec, &made->op_) : xnn_status_unsupported_hardware;
  });
  PJ_TRY(check(status, "create"));
  made->spec_ = spec;
  // Packed: these may be gone from now on.
  made->spec_.weights = made->spec_.bias = nullptr;
  made->spec_.weight_scales.clear();
  return made;
}

Operator::~Operator() {
  if (op_ != nullptr) PJ_XNN(xnn_delete_operator)(op_);
}

Status Operator::setup(const void* in, void* out, ::pthreadpool* pool) {
  if (!shaped_ || shaped_for_ != pool) {
    PJ_TRY(functions_->reshape(op_, spec_, pool, workspace_));
    shaped_ = true;
    shaped_for_ = pool;
  }
  return check(functions_->setup(op_, spec_, in, out, pool, workspace_), "set up");
}

Status Operator::run(::pthreadpool* pool) {
  static const auto run_operator = PJ_XNN(xnn_run_operator);
  return check(run_operator(op_, pool), "run");
}

const char* api_generation() {
#ifdef PJ_XNNPACK_RESHAPE
  return "2024";
#else
  return "2022";
#endif
}

}  // namespace pj::xnn
