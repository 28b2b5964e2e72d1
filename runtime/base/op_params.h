// Operators: their kinds and the types of their attributes.
//
// The list PJ_OPERATORS is where an operator exists; `runtime/graph/op_table` adds what the graph
// must know of it (arity, validation, shape inference) and `kernels/reference` what it computes.
// Attributes are plain data (trivially copyable), so that kernels take them as they are; each type
// lists its fields once, in visit(), from which the .pj format, `pj inspect` and comparisons work.
//
// Conventions: activations are channels-last (N, H, W, C). Axes may be negative in files; graphs
// hold them as they came, and `normalize_axis` resolves them where the rank is known.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include "runtime/base/dtype.h"
#include "runtime/base/shape.h"

namespace pj {

enum class Activation : uint8_t { kNone = 0, kRelu = 1, kRelu6 = 2, kReluN1To1 = 3 };

// How a window meets the borders. kSame and kValid are resolved by resolve_padding() once the input
// size is known. kSame: output = ceil(input / stride), the odd row or column goes to the end.
enum class PadMode : uint8_t { kExplicit = 0, kSame = 1, kValid = 2 };

struct Padding {
  PadMode mode = PadMode::kExplicit;
  int32_t top = 0, bottom = 0, left = 0, right = 0;  // used by kExplicit

  template <typename V>
  void visit(V&& v) {
    v("pad_mode", mode);
    v("pad_top", top);
    v("pad_bottom", bottom);
    v("pad_left", left);
    v("pad_right", right);
  }
};

enum class UnaryFn : uint8_t;

// An elementwise operator that joined the one before it, which multiplies by weights: it sees each
// result, after the activation, as if that had been stored in a tensor of its own. Only
// fuse_epilogues() makes one, for kernels of the target that have it: files and visit() know none.
enum class EpilogueFn : uint8_t {
  kNone = 0,
  kAdd = 1,    // input 3, of the output's shape and type, is added
  kUnary = 2,  // a function of one argument
  kPRelu = 3,  // x < 0 ? x * slope : x; input 3 has a slope for each channel
};
struct Epilogue {
  EpilogueFn fn = EpilogueFn::kNone;
  Activation activation = Activation::kNone;  // kAdd: of the sum
  UnaryFn unary{};                            // kUnary, with its alpha
  float alpha = 0;
  // Quantised: of what the epilogue sees.
  float scale = 0;
  int32_t zero_point = 0;

  bool present() const { return fn != EpilogueFn::kNone; }
};

// Inputs: x [N,H,W,C], weights [O,kh,kw,C/groups], optional bias [O], operand of the epilogue.
// Groups follow from the shapes.
struct Conv2DParams {
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Padding padding;
  Activation activation = Activation::kNone;
  Epilogue epilogue = {};

  template <typename V>
  void visit(V&& v) {
    v("stride_h", stride_h);
    v("stride_w", stride_w);
    v("dilation_h", dilation_h);
    v("dilation_w", dilation_w);
    padding.visit(v);
    v("activation", activation);
  }
};

// Inputs: x [N,H,W,C], weights [1,kh,kw,C*multiplier], optional bias [C*multiplier], operand of the
// epilogue.
// Output channel c*multiplier + m reads input channel c.
struct DepthwiseConv2DParams : Conv2DParams {};

// Inputs: x [N,H,W,C], weights [O,kh,kw,C], optional bias [O]. The output size is out_h x out_w;
// `padding` is that of the convolution whose gradient this is (it crops the output).
struct TransposeConv2DParams {
  int32_t stride_h = 1, stride_w = 1;
  int32_t out_h = 0, out_w = 0;
  Padding padding;
  Activation activation = Activation::kNone;

  template <typename V>
  void visit(V&& v) {
    v("stride_h", stride_h);
    v("stride_w", stride_w);
    v("out_h", out_h);
    v("out_w", out_w);
    padding.visit(v);
    v("activation", activation);
  }
};

// Inputs: x [..., I], weights [O,I], optional bias [O], operand of the epilogue. Output: [M,O] with
// M the number of rows of I elements, or x's shape with its last dimension replaced if keep_dims.
struct FullyConnectedParams {
  bool keep_dims = false;
  Activation activation = Activation::kNone;
  Epilogue epilogue = {};

  template <typename V>
  void visit(V&& v) {
    v("keep_dims", keep_dims);
    v("activation", activation);
  }
};

// Inputs: a [..., M, K], b [..., K, N] (transposed as flagged); leading dimensions broadcast.
struct BatchMatMulParams {
  bool transpose_a = false, transpose_b = false;

  template <typename V>
  void visit(V&& v) {
    v("transpose_a", transpose_a);
    v("transpose_b", transpose_b);
  }
};

// Element by element over two inputs that broadcast (numpy rules). Comparisons and logical
// functions give bool.
enum class BinaryFn : uint8_t {
  kAdd = 0,
  kSub = 1,
  kMul = 2,
  kDiv = 3,
  kMinimum = 4,
  kMaximum = 5,
  kSquaredDifference = 6,
  kPow = 7,
  kFloorDiv = 8,
  kFloorMod = 9,
  kEqual = 10,
  kNotEqual = 11,
  kLess = 12,
  kLessEqual = 13,
  kGreater = 14,
  kGreaterEqual = 15,
  kLogicalAnd = 16,
  kLogicalOr = 17,
};
struct BinaryParams {
  BinaryFn fn = BinaryFn::kAdd;
  Activation activation = Activation::kNone;

  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("activation", activation);
  }
};

enum class UnaryFn : uint8_t {
  kAbs = 0,
  kNeg = 1,
  kExp = 2,
  kLog = 3,
  kSqrt = 4,
  kRsqrt = 5,
  kSquare = 6,
  kSin = 7,
  kCos = 8,
  kTanh = 9,
  kLogistic = 10,
  kRelu = 11,
  kRelu6 = 12,
  kReluN1To1 = 13,
  kElu = 14,
  kGelu = 15,  // exact, with erf
  kGeluTanh = 16,
  kHardSwish = 17,
  kLeakyRelu = 18,  // alpha: slope below zero
  kFloor = 19,
  kCeil = 20,
  kRound = 21,  // to nearest even
  kLogicalNot = 22,
  kSilu = 23,  // x * logistic(x)
};
struct UnaryParams {
  UnaryFn fn = UnaryFn::kRelu;
  float alpha = 0;

  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("alpha", alpha);
  }
};

// Softmax(beta * x) over the last dimension.
struct SoftmaxParams {
  float beta = 1;

  template <typename V>
  void visit(V&& v) {
    v("beta", beta);
  }
};

// Inputs: x [..., C], gamma [C], beta [C]. (x - mean) / sqrt(variance + epsilon) * gamma + beta,
// mean and variance (divisor C) over the last dimension.
struct LayerNormParams {
  float epsilon = 1e-5f;

  template <typename V>
  void visit(V&& v) {
    v("epsilon", epsilon);
  }
};

enum class PoolFn : uint8_t { kAverage = 0, kMax = 1 };
// Padding elements count neither in the average's divisor nor for the maximum.
struct Pool2DParams {
  PoolFn fn = PoolFn::kAverage;
  int32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Padding padding;
  Activation activation = Activation::kNone;

  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("kernel_h", kernel_h);
    v("kernel_w", kernel_w);
    v("stride_h", stride_h);
    v("stride_w", stride_w);
    padding.visit(v);
    v("activation", activation);
  }
};

enum class ReduceFn : uint8_t { kMean = 0, kSum = 1, kMax = 2, kMin = 3, kProd = 4 };
// Input: x; optional second input: the axes, until they are absorbed into `axes`.
struct ReduceParams {
  ReduceFn fn = ReduceFn::kMean;
  bool keep_dims = false;
  Dims axes;

  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("keep_dims", keep_dims);
    v("axes", axes);
  }
};

// Index of the extreme element along an axis, the first one of equals. Output int32 or int64.
struct ArgReduceParams {
  bool maximum = true;
  int32_t axis = -1;
  bool keep_dims = false;

  template <typename V>
  void visit(V&& v) {
    v("maximum", maximum);
    v("axis", axis);
    v("keep_dims", keep_dims);
  }
};

// Optional second input: the shape, until it is absorbed. One dimension may be -1.
struct ReshapeParams {
  Dims shape;
  template <typename V>
  void visit(V&& v) {
    v("shape", shape);
  }
};
// Drops dimensions of size 1: those in `axes`, or all if `axes` is empty.
struct SqueezeParams {
  Dims axes;
  template <typename V>
  void visit(V&& v) {
    v("axes", axes);
  }
};
// Optional second input: the axis.
struct ExpandDimsParams {
  int32_t axis = 0;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
  }
};
// Optional second input: the permutation. Output dimension i is input dimension perm[i].
struct TransposeParams {
  Dims perm;
  template <typename V>
  void visit(V&& v) {
    v("perm", perm);
  }
};
struct ConcatParams {
  int32_t axis = 0;
  Activation activation = Activation::kNone;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
    v("activation", activation);
  }
};
// Parts along `axis`, one an output: equal ones, unless `sizes` is given (at most kMaxRank parts)
// or a second input holds the sizes; one size may be -1.
struct SplitParams {
  int32_t axis = 0;
  Dims sizes;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
    v("sizes", sizes);
  }
};
// Stacks the inputs along a new axis.
struct PackParams {
  int32_t axis = 0;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
  }
};
// The inverse of Pack: one output per index of `axis`.
struct UnpackParams {
  int32_t axis = 0;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
  }
};
// Optional second and third inputs: begin, size. A size of -1 reaches to the end.
struct SliceParams {
  Dims begin, size;
  template <typename V>
  void visit(V&& v) {
    v("begin", begin);
    v("size", size);
  }
};
// Python's x[begin:end:stride] per dimension; bit i of a mask is for entry i. Optional second to
// fourth inputs: begin, end, strides. `new_axis_mask` is refused by the importer's validation.
struct StridedSliceParams {
  Dims begin, end, strides;
  int32_t begin_mask = 0, end_mask = 0, ellipsis_mask = 0, shrink_axis_mask = 0;
  template <typename V>
  void visit(V&& v) {
    v("begin", begin);
    v("end", end);
    v("strides", strides);
    v("begin_mask", begin_mask);
    v("end_mask", end_mask);
    v("ellipsis_mask", ellipsis_mask);
    v("shrink_axis_mask", shrink_axis_mask);
  }
};
enum class PadFn : uint8_t { kConstant = 0, kReflect = 1, kSymmetric = 2 };
// Optional second input: the paddings [rank,2]. kConstant pads with real value 0 (the zero point of
// a quantised tensor) or with the scalar of an optional third input.
struct PadParams {
  PadFn fn = PadFn::kConstant;
  Dims before, after;
  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("before", before);
    v("after", after);
  }
};
// Inputs: x, indices (int32 or int64). An index outside the axis reads element 0 of it clamped: an
// index is clamped to [0, size), so that no input can read outside the tensor.
struct GatherParams {
  int32_t axis = 0;
  int32_t batch_dims = 0;
  template <typename V>
  void visit(V&& v) {
    v("axis", axis);
    v("batch_dims", batch_dims);
  }
};
struct NoParams {
  template <typename V>
  void visit(V&&) {}
};
// Optional second input: the multiples.
struct TileParams {
  Dims multiples;
  template <typename V>
  void visit(V&& v) {
    v("multiples", multiples);
  }
};
// Optional second input: the shape.
struct BroadcastToParams {
  Dims shape;
  template <typename V>
  void visit(V&& v) {
    v("shape", shape);
  }
};
enum class ResizeFn : uint8_t { kBilinear = 0, kNearest = 1 };
// x [N,H,W,C] to [N,out_h,out_w,C]. Optional second input: the size. Source coordinate of output
// index i: align_corners: i*(in-1)/(out-1); half_pixel: (i+0.5)*in/out-0.5; else i*in/out.
struct ResizeParams {
  ResizeFn fn = ResizeFn::kBilinear;
  int32_t out_h = 0, out_w = 0;
  bool align_corners = false, half_pixel = false;
  template <typename V>
  void visit(V&& v) {
    v("fn", fn);
    v("out_h", out_h);
    v("out_w", out_w);
    v("align_corners", align_corners);
    v("half_pixel", half_pixel);
  }
};
struct BlockParams {
  int32_t block = 2;
  template <typename V>
  void visit(V&& v) {
    v("block", block);
  }
};
// Optional second and third inputs: block shape, paddings (or crops).
struct SpaceBatchParams {
  Dims block, before, after;
  template <typename V>
  void visit(V&& v) {
    v("block", block);
    v("before", before);
    v("after", after);
  }
};
struct TopKParams {
  int32_t k = 0;  // optional second input: k
  template <typename V>
  void visit(V&& v) {
    v("k", k);
  }
};
// TFLite_Detection_PostProcess. Inputs: box encodings [1,A,4], class scores [1,A,classes(+1)],
// anchors [A,4] (y, x, h, w). Outputs: boxes [1,D,4], classes [1,D], scores [1,D], count [1],
// with D = max_detections * max_classes_per_detection.
struct DetectionParams {
  int32_t max_detections = 0, max_classes_per_detection = 1, detections_per_class = 100;
  int32_t num_classes = 0;
  bool use_regular_nms = false;
  float score_threshold = 0, iou_threshold = 0;
  float y_scale = 1, x_scale = 1, h_scale = 1, w_scale = 1;
  template <typename V>
  void visit(V&& v) {
    v("max_detections", max_detections);
    v("max_classes_per_detection", max_classes_per_detection);
    v("detections_per_class", detections_per_class);
    v("num_classes", num_classes);
    v("use_regular_nms", use_regular_nms);
    v("score_threshold", score_threshold);
    v("iou_threshold", iou_threshold);
    v("y_scale", y_scale);
    v("x_scale", x_scale);
    v("h_scale", h_scale);
    v("w_scale", w_scale);
  }
};

// Every operator: enumerator, name in files and messages, type of its attributes.
// The order is not part of any format; names are.
#define PJ_OPERATORS(X)                                          \
  X(Conv2D, "conv_2d", Conv2DParams)                             \
  X(DepthwiseConv2D, "depthwise_conv_2d", DepthwiseConv2DParams) \
  X(TransposeConv2D, "transpose_conv_2d", TransposeConv2DParams) \
  X(FullyConnected, "fully_connected", FullyConnectedParams)     \
  X(BatchMatMul, "batch_matmul", BatchMatMulParams)              \
  X(Binary, "binary", BinaryParams)                              \
  X(Unary, "unary", UnaryParams)                                 \
  X(PRelu, "prelu", NoParams)                                    \
  X(Select, "select", NoParams)                                  \
  X(Softmax, "softmax", SoftmaxParams)                           \
  X(LogSoftmax, "log_softmax", NoParams)                         \
  X(L2Normalization, "l2_normalization", NoParams)               \
  X(LayerNorm, "layer_norm", LayerNormParams)                    \
  X(Pool2D, "pool_2d", Pool2DParams)                             \
  X(Reduce, "reduce", ReduceParams)                              \
  X(ArgReduce, "arg_reduce", ArgReduceParams)                    \
  X(Reshape, "reshape", ReshapeParams)                           \
  X(Squeeze, "squeeze", SqueezeParams)                           \
  X(ExpandDims, "expand_dims", ExpandDimsParams)                 \
  X(Transpose, "transpose", TransposeParams)                     \
  X(Concat, "concat", ConcatParams)                              \
  X(Split, "split", SplitParams)                                 \
  X(Pack, "pack", PackParams)                                    \
  X(Unpack, "unpack", UnpackParams)                              \
  X(Slice, "slice", SliceParams)                                 \
  X(StridedSlice, "strided_slice", StridedSliceParams)           \
  X(Pad, "pad", PadParams)                                       \
  X(Gather, "gather", GatherParams)                              \
  X(GatherNd, "gather_nd", NoParams)                             \
  X(Tile, "tile", TileParams)                                    \
  X(BroadcastTo, "broadcast_to", BroadcastToParams)              \
  X(ShapeOf, "shape_of", NoParams)                               \
  X(Cast, "cast", NoParams)                                      \
  X(Quantize, "quantize", NoParams)                              \
  X(Dequantize, "dequantize", NoParams)                          \
  X(Resize, "resize", ResizeParams)                              \
  X(DepthToSpace, "depth_to_space", BlockParams)                 \
  X(SpaceToDepth, "space_to_depth", BlockParams)                 \
  X(SpaceToBatch, "space_to_batch", SpaceBatchParams)            \
  X(BatchToSpace, "batch_to_space", SpaceBatchParams)            \
  X(TopK, "top_k", TopKParams)                                   \
  X(DetectionPostProcess, "detection_post_process", DetectionParams)

enum class OpKind : uint8_t {
#define X(kind, name, params) k##kind,
  PJ_OPERATORS(X)
#undef X
};

inline constexpr int kOpKindCount = 0
#define X(kind, name, params) +1
    PJ_OPERATORS(X)
#undef X
    ;

// The C++ type of an operator's attributes: ParamsOf<OpKind::kConv2D>.
template <OpKind kind>
struct ParamsOfKind;
#define X(kind, name, params)            \
  template <>                            \
  struct ParamsOfKind<OpKind::k##kind> { \
    using type = params;                 \
  };
PJ_OPERATORS(X)
#undef X
template <OpKind kind>
using ParamsOf = typename ParamsOfKind<kind>::type;

// Attributes of any operator. Which alternative is active follows from the operator's kind:
// params_for(kind) makes the right one, and the operator table validates it.
using OpParams =
    std::variant<NoParams, Conv2DParams, DepthwiseConv2DParams, TransposeConv2DParams,
                 FullyConnectedParams, BatchMatMulParams, BinaryParams, UnaryParams, SoftmaxParams,
                 Pool2DParams, ReduceParams, ArgReduceParams, ReshapeParams, SqueezeParams,
                 ExpandDimsParams, TransposeParams, ConcatParams, SplitParams, PackParams,
                 UnpackParams, SliceParams, StridedSliceParams, PadParams, GatherParams, TileParams,
                 BroadcastToParams, ResizeParams, BlockParams, SpaceBatchParams, TopKParams,
                 DetectionParams, LayerNormParams>;
static_assert(std::is_trivially_copyable_v<OpParams>);

// Name in files and messages.
const char* name_of(OpKind kind);
// Attributes with their defaults.
OpParams params_for(OpKind kind);
// Name of what is computed: "add" for a Binary with kAdd, "average_pool" for a Pool2D, otherwise
// the kind's name.
const char* display_name(OpKind kind, const OpParams& params);

// The epilogue of an operator that can have one; null for others.
Epilogue* epilogue_of(OpParams& params);
const Epilogue* epilogue_of(const OpParams& params);
// True if there is one.
bool has_epilogue(const OpParams& params);

// "add", "prelu", or the name of the function.
const char* name_of(const Epilogue& epilogue);

const char* name_of(Activation a);
const char* name_of(BinaryFn fn);
const char* name_of(UnaryFn fn);
const char* name_of(PoolFn fn);
const char* name_of(ReduceFn fn);

// True if the function's output is bool whatever its inputs are.
constexpr bool gives_bool(BinaryFn fn) { return fn >= BinaryFn::kEqual; }

// Calls v(name, field) for each attribute.
template <typename V>
void visit_fields(OpParams& params, V&& v) {
  std::visit([&](auto& p) { p.visit(v); }, params);
}

// Number of enumerators, so that values from files can be checked. Enum fields count from 0.
constexpr int enum_count(Activation) { return 4; }
constexpr int enum_count(PadMode) { return 3; }
constexpr int enum_count(BinaryFn) { return 18; }
constexpr int enum_count(UnaryFn) { return 24; }
constexpr int enum_count(PoolFn) { return 2; }
constexpr int enum_count(ReduceFn) { return 5; }
constexpr int enum_count(PadFn) { return 3; }
constexpr int enum_count(ResizeFn) { return 2; }

// Real-number limits of an activation: [low, high].
struct ActivationLimits {
  float low, high;
};
ActivationLimits limits_of(Activation a);

// The padding in numbers for an input of in_h x in_w and a window of kernel_h x kernel_w.
Padding resolve_padding(const Padding& p, int32_t in_h, int32_t in_w, int32_t kernel_h,
                        int32_t kernel_w, int32_t stride_h, int32_t stride_w,
                        int32_t dilation_h = 1, int32_t dilation_w = 1);

// `axis` in [0, rank); the caller has checked that -rank <= axis < rank.
constexpr int32_t normalize_axis(int32_t axis, int32_t rank) {
  return axis < 0 ? axis + rank : axis;
}

}  // namespace pj
