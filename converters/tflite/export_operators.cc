#include "converters/tflite/export_operators.h"

#include "runtime/base/result.h"

namespace pj {
namespace {

using B = tfl::BuiltinOperator;
using Builder = flatbuffers::FlatBufferBuilder;

// What a mapping function sees.
struct Source {
  const Graph& graph;
  const Op& op;

  const Tensor& input(size_t i) const { return graph.tensor(op.inputs[i]); }
  const Tensor& output() const { return graph.tensor(op.outputs[0]); }
  bool quantized() const { return output().dtype == DType::kI8; }
  // Most operators have one version for floats and one for int8.
  int32_t version(int32_t for_float, int32_t for_int8) const {
    return quantized() ? for_int8 : for_float;
  }
};

tl::unexpected<Error> unsupported(std::string_view why) {
  return error(ErrorCode::kModelUnsupported, "{}", why);
}

template <typename Options>
FileOperator with_options(B code, int32_t version, flatbuffers::Offset<Options> options) {
  return {code, version, tfl::BuiltinOptionsTraits<Options>::enum_value, options.Union()};
}

tfl::ActivationFunctionType activation_of(Activation a) {
  switch (a) {
    case Activation::kRelu:
      return tfl::ActivationFunctionType::RELU;
    case Activation::kRelu6:
      return tfl::ActivationFunctionType::RELU6;
    case Activation::kReluN1To1:
      return tfl::ActivationFunctionType::RELU_N1_TO_1;
    case Activation::kNone:
      break;
  }
  return tfl::ActivationFunctionType::NONE;
}

// Explicit padding is gone.
tfl::Padding padding_of(const Padding& p) {
  return p.mode == PadMode::kSame ? tfl::Padding::SAME : tfl::Padding::VALID;
}

// --- weights -------------------------------------------------------------------------------------

bool dilated(const Conv2DParams& p) { return p.dilation_h != 1 || p.dilation_w != 1; }

Result<FileOperator> export_conv(const Source& s, Builder& b) {
  const auto& p = s.op.as<Conv2DParams>();
  return with_options(
      B::CONV_2D, s.version(dilated(p) ? 2 : 1, 3),
      tfl::CreateConv2DOptions(b, padding_of(p.padding), p.stride_w, p.stride_h,
                               activation_of(p.activation), p.dilation_w, p.dilation_h));
}

Result<FileOperator> export_depthwise(const Source& s, Builder& b) {
  const auto& p = s.op.as<DepthwiseConv2DParams>();
  const int32_t channels = s.input(0).shape[3];
  if (channels <= 0) return unsupported("a number of channels that is not known");
  const int32_t multiplier = s.input(1).shape[3] / channels;
  return with_options(B::DEPTHWISE_CONV_2D, s.version(dilated(p) ? 2 : 1, 3),
                      tfl::CreateDepthwiseConv2DOptions(
                          b, padding_of(p.padding), p.stride_w, p.stride_h, multiplier,
                          activation_of(p.activation), p.dilation_w, p.dilation_h));
}

Result<FileOperator> export_fully_connected(const Source& s, Builder& b) {
  const auto& p = s.op.as<FullyConnectedParams>();
  return with_options(B::FULLY_CONNECTED, p.keep_dims ? 5 : s.version(1, 4),
                      tfl::CreateFullyConnectedOptions(
                          b, activation_of(p.activation),
                          tfl::FullyConnectedOptionsWeightsFormat::DEFAULT, p.keep_dims));
}

Result<FileOperator> export_batch_matmul(const Source& s, Builder& b) {
  const auto& p = s.op.as<BatchMatMulParams>();
  return with_options(B::BATCH_MATMUL, s.version(1, 2),
                      tfl::CreateBatchMatMulOptions(b, p.transpose_a, p.transpose_b));
}

// --- elements ------------------------------------------------------------------------------------

Result<FileOperator> export_binary(const Source& s, Builder& b) {
  const auto& p = s.op.as<BinaryParams>();
  const auto activation = activation_of(p.activation);
  switch (p.fn) {
    case BinaryFn::kAdd:
      return with_options(B::ADD, s.version(1, 2), tfl::CreateAddOptions(b, activation));
    case BinaryFn::kSub:
      return with_options(B::SUB, s.version(1, 2), tfl::CreateSubOptions(b, activation));
    case BinaryFn::kMul:
      return with_options(B::MUL, s.version(1, 2), tfl::CreateMulOptions(b, activation));
    case BinaryFn::kDiv:
      return with_options(B::DIV, 1, tfl::CreateDivOptions(b, activation));
    default:
      break;
  }
  if (p.activation != Activation::kNone) return unsupported("a fused activation");
  switch (p.fn) {
    case BinaryFn::kMinimum:
      return FileOperator{B::MINIMUM, s.version(1, 2)};
    case BinaryFn::kMaximum:
      return FileOperator{B::MAXIMUM, s.version(1, 2)};
    case BinaryFn::kSquaredDifference:
      return FileOperator{B::SQUARED_DIFFERENCE, s.version(1, 2)};
    case BinaryFn::kPow:
      return FileOperator{B::POW, 1};
    default:
      return unsupported("");
  }
}

Result<FileOperator> export_unary(const Source& s, Builder& b) {
  const auto& p = s.op.as<UnaryParams>();
  switch (p.fn) {
    case UnaryFn::kExp:
      return FileOperator{B::EXP, s.version(1, 2)};
    case UnaryFn::kLog:
      return FileOperator{B::LOG, s.version(1, 2)};
    case UnaryFn::kSqrt:
      return FileOperator{B::SQRT, 1};
    case UnaryFn::kRsqrt:
      return FileOperator{B::RSQRT, s.version(1, 2)};
    case UnaryFn::kSquare:
      return FileOperator{B::SQUARE, 1};
    case UnaryFn::kTanh:
      return FileOperator{B::TANH, s.version(1, 2)};
    case UnaryFn::kLogistic:
      return FileOperator{B::LOGISTIC, s.version(1, 2)};
    case UnaryFn::kRelu:
      return FileOperator{B::RELU, s.version(1, 2)};
    case UnaryFn::kRelu6:
      return FileOperator{B::RELU6, s.version(1, 2)};
    case UnaryFn::kHardSwish:
      return FileOperator{B::HARD_SWISH, 1};
    case UnaryFn::kGelu:
    case UnaryFn::kGeluTanh:
      return with_options(B::GELU, s.version(1, 2),
                          tfl::CreateGeluOptions(b, p.fn == UnaryFn::kGeluTanh));
    case UnaryFn::kLeakyRelu:
      return with_options(B::LEAKY_RELU, s.version(1, 2), tfl::CreateLeakyReluOptions(b, p.alpha));
    default:
      return unsupported("");
  }
}

// --- along dimensions ----------------------------------------------------------------------------

Result<FileOperator> export_softmax(const Source& s, Builder& b) {
  return with_options(B::SOFTMAX, s.version(1, 2),
                      tfl::CreateSoftmaxOptions(b, s.op.as<SoftmaxParams>().beta));
}

Result<FileOperator> export_pool(const Source& s, Builder& b) {
  const auto& p = s.op.as<Pool2DParams>();
  const B code = p.fn == PoolFn::kAverage ? B::AVERAGE_POOL_2D : B::MAX_POOL_2D;
  return with_options(
      code, s.version(1, 2),
      tfl::CreatePool2DOptions(b, padding_of(p.padding), p.stride_w, p.stride_h, p.kernel_w,
                               p.kernel_h, activation_of(p.activation)));
}

Result<FileOperator> export_reduce(const Source& s, Builder& b) {
  const auto& p = s.op.as<ReduceParams>();
  const auto row = [&](B code, int32_t version) {
    return with_options(code, version, tfl::CreateReducerOptions(b, p.keep_dims));
  };
  switch (p.fn) {
    case ReduceFn::kMean:
      return row(B::MEAN, s.version(1, 2));
    case ReduceFn::kSum:
      return row(B::SUM, s.version(1, 2));
    case ReduceFn::kMax:
      return row(B::REDUCE_MAX, s.version(1, 2));
    case ReduceFn::kMin:
      return row(B::REDUCE_MIN, s.version(1, 2));
    case ReduceFn::kProd:
      return row(B::REDUCE_PROD, 1);
  }
  return unsupported("");
}

// --- movement ------------------------------------------------------------------------------------

Result<FileOperator> export_concat(const Source& s, Builder& b) {
  const auto& p = s.op.as<ConcatParams>();
  return with_options(B::CONCATENATION, s.version(1, 2),
                      tfl::CreateConcatenationOptions(b, p.axis, activation_of(p.activation)));
}

Result<FileOperator> export_pad(const Source& s, Builder&) {
  if (s.op.as<PadParams>().fn != PadFn::kConstant) return unsupported("mirrored borders");
  return FileOperator{s.op.inputs.size() > 2 ? B::PADV2 : B::PAD, s.version(1, 2)};
}

Result<FileOperator> export_resize(const Source& s, Builder& b) {
  const auto& p = s.op.as<ResizeParams>();
  if (p.fn == ResizeFn::kNearest) {
    const bool modern = p.align_corners || p.half_pixel;
    return with_options(B::RESIZE_NEAREST_NEIGHBOR, modern ? 3 : s.version(1, 2),
                        tfl::CreateResizeNearestNeighborOptions(b, p.align_corners, p.half_pixel));
  }
  return with_options(B::RESIZE_BILINEAR, p.half_pixel ? 3 : s.version(1, 2),
                      tfl::CreateResizeBilinearOptions(b, p.align_corners, p.half_pixel));
}

Result<FileOperator> export_dequantize(const Source& s, Builder&) {
  return FileOperator{B::DEQUANTIZE, s.input(0).dtype == DType::kF16 ? 3 : 2};
}

}  // namespace

Result<FileOperator> export_operator(const Graph& graph, const Op& op, Builder& builder) {
  const Source s{graph, op};
  switch (op.kind) {
    case OpKind::kConv2D:
      return export_conv(s, builder);
    case OpKind::kDepthwiseConv2D:
      return export_depthwise(s, builder);
    case OpKind::kFullyConnected:
      return export_fully_connected(s, builder);
    case OpKind::kBatchMatMul:
      return export_batch_matmul(s, builder);
    case OpKind::kBinary:
      return export_binary(s, builder);
    case OpKind::kUnary:
      return export_unary(s, builder);
    case OpKind::kSoftmax:
      return export_softmax(s, builder);
    case OpKind::kPool2D:
      return export_pool(s, builder);
    case OpKind::kReduce:
      return export_reduce(s, builder);
    case OpKind::kReshape:
      return FileOperator{B::RESHAPE, 1};
    case OpKind::kTranspose:
      return FileOperator{B::TRANSPOSE, s.version(1, 2)};
    case OpKind::kConcat:
      return export_concat(s, builder);
    case OpKind::kPad:
      return export_pad(s, builder);
    case OpKind::kResize:
      return export_resize(s, builder);
    case OpKind::kQuantize:
      return FileOperator{B::QUANTIZE, is_float(s.input(0).dtype) ? 1 : 2};
    case OpKind::kDequantize:
      return export_dequantize(s, builder);
    default:
      return unsupported("");
  }
}

}  // namespace pj
