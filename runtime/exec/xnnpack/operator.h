// The shim over XNNPACK's operators: one description, one class, for both generations of its API.
//
// 2022 (Debian 12): an operator is created, set up with shapes and pointers, run. 2024 (Debian 13):
// setting up is two steps, shapes and then pointers, some operators want a workspace, pooling
// learns its channels late, int8 with scales per channel has another name. Only operator.cc knows.
#pragma once

#include <memory>

#include "runtime/base/aligned.h"
#include "runtime/base/op_params.h"
#include "runtime/base/result.h"

struct pthreadpool;
struct xnn_operator;

namespace pj::xnn {

enum class Family : uint8_t { kConvolution, kDeconvolution, kAveragePooling, kMaxPooling };

// Activations are dense, [batch, height, width, groups * group_in (or group_out)].
struct OperatorSpec {
  Family family = Family::kConvolution;
  DType dtype = DType::kF32;  // of activations and weights: f32, i8 or u8
  int32_t batch = 1, in_h = 1, in_w = 1;
  int32_t groups = 1, group_in = 1, group_out = 1;  // pooling: group_in channels

  int32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  // Explicit padding; of a deconvolution: what is cropped off its output.
  int32_t top = 0, right = 0, bottom = 0, left = 0;
  int32_t extra_h = 0, extra_w = 0;  // rows and columns added to a deconvolution's output

  // [groups * group_out, kernel_h, kernel_w, group_in]; or, if `depthwise`, group_in is 1 and they
  // are [kernel_h, kernel_w, groups * group_out]. Read by create() only.
  bool depthwise = false;
  const void* weights = nullptr;
  const void* bias = nullptr;  // f32 or i32, one an output channel; may be null

  float low = 0, high = 0;  // f32: limits of the output
  // Integers. Weights of type i8 have zero point 0 and a scale for each output channel.
  float in_scale = 0, out_scale = 0;
  int32_t in_zero = 0, out_zero = 0, weight_zero = 0, out_min = 0, out_max = 0;
  std::vector<float> weight_scales;  // one, or one an output channel for i8
};

// True if this build's XNNPACK computes it, integers by the rule of kernels/common/requantize.h.
// Thread-safe.
bool supports(const OperatorSpec& spec);

// Not thread-safe.
class Operator {
 public:
  // Packs the weights. Requires supports(spec). Errors: kOutOfMemory; kPlatformUnsupported if
  // XNNPACK refuses for reasons of its own.
  static Result<std::unique_ptr<Operator>> create(const OperatorSpec& spec);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // `pool` may be null: the caller's thread does all. kReadSlack bytes after the input are read.
  // Allocates at the first call and when the pool changes.
  Status setup(const void* in, void* out, ::pthreadpool* pool);
  // Requires setup() with the same pool. Allocates nothing.
  Status run(::pthreadpool* pool);

 private:
  Operator() = default;
  // What differs from operator to operator, chosen when it is created.
  struct Functions;
  const Functions* functions_ = nullptr;
  ::xnn_operator* op_ = nullptr;
  OperatorSpec spec_;
  ::pthreadpool* shaped_for_ = nullptr;  // 2024: whose threads the workspace is for
  bool shaped_ = false;
  AlignedBuffer workspace_;
};

// "2022" or "2024".
const char* api_generation();
// False if the library that this build was made with is not installed, or is another one.
bool is_there();

}  // namespace pj::xnn
