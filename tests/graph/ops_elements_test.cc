// Validation and shape inference of the operators that compute, but for convolutions and matrix
// products (ops_math_test.cc, which also runs these cases).
#include <limits>

#include "tests/graph/math_cases.h"

namespace pj::math_test {
namespace {

BinaryParams binary(BinaryFn fn, Activation a = Activation::kNone) { return {fn, a}; }
UnaryParams unary(UnaryFn fn, float alpha = 0) { return {fn, alpha}; }
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const Case kElements[] = {
    {"Broadcast", kBinary, binary(BinaryFn::kAdd), {{{2, 1, 3}}, {{4, 1}}}, {{{2, 4, 3}}}},
    {"BroadcastUnknown", kBinary, binary(BinaryFn::kMul), {{{-1, 3}}, {{1, 3}}}, {{{-1, 3}}}},
    {"NoBroadcast", kBinary, binary(BinaryFn::kAdd), {{{2, 3}}, {{2, 4}}}, {{}}, "2x3 and 2x4"},
    {"Compare", kBinary, binary(BinaryFn::kLess), {{{2}, kI64}, {{2}, kI64}}, {{{2}, kBool}}},
    {"CompareRaw", kBinary, binary(BinaryFn::kEqual), {{{2}, kU8}, {{2}, kU8}}, {{{2}, kBool}}},
    {"CompareHalfQuantised",
     kBinary,
     binary(BinaryFn::kEqual),
     {{{2}, kU8, kQ}, {{2}, kU8}},
     {{{}, kBool}},
     "has no scale"},
    {"CompareOutput",
     kBinary,
     binary(BinaryFn::kLess),
     {{{2}}, {{2}}},
     {{}},
     "this operator takes bool"},
    {"LogicalType",
     kBinary,
     binary(BinaryFn::kLogicalAnd),
     {{{2}}, {{2}}},
     {{{}, kBool}},
     "is f32"},
    {"LogicalEqual",
     kBinary,
     binary(BinaryFn::kEqual),
     {{{2}, kBool}, {{2}, kBool}},
     {{{2}, kBool}}},
    {"BoolLess",
     kBinary,
     binary(BinaryFn::kLess),
     {{{2}, kBool}, {{2}, kBool}},
     {{{}, kBool}},
     "is bool"},
    {"BoolActivation",
     kBinary,
     binary(BinaryFn::kLess, Activation::kRelu),
     {{{2}}, {{2}}},
     {{{}, kBool}},
     "activation relu"},
    {"MixedTypes",
     kBinary,
     binary(BinaryFn::kAdd),
     {{{2}}, {{2}, kI32}},
     {{}},
     "they must be the same"},
    {"AddQuantised",
     kBinary,
     binary(BinaryFn::kAdd),
     {{{2}, kI8, kQ}, {{2}, kI8, kSymmetric}},
     {{{2}, kI8, kQ}}},
    {"AddRawInt8",
     kBinary,
     binary(BinaryFn::kAdd),
     {{{2}, kI8}, {{2}, kI8}},
     {{{}, kI8}},
     "has no scale"},
    {"MinimumRawInt8", kBinary, binary(BinaryFn::kMinimum), {{{2}, kI8}, {{2}, kI8}}, {{{2}, kI8}}},
    {"HalfActivations",
     kBinary,
     binary(BinaryFn::kAdd),
     {{{2}, kF16}, {{2}, kF16}},
     {{{}, kF16}},
     "is f16"},
    {"Unary", kUnary, unary(UnaryFn::kTanh), {{{2, -1}}}, {{{2, -1}}}},
    {"UnaryInt", kUnary, unary(UnaryFn::kAbs), {{{2}, kI32}}, {{{2}, kI32}}},
    {"UnaryIntRefused", kUnary, unary(UnaryFn::kTanh), {{{2}, kI32}}, {{{}, kI32}}, "is int32"},
    {"UnaryNoScale", kUnary, unary(UnaryFn::kTanh), {{{2}, kI8}}, {{{}, kI8, kQ}}, "has no scale"},
    {"NotBool", kUnary, unary(UnaryFn::kLogicalNot), {{{2}}}, {{}}, "is f32"},
    {"AlphaNan", kUnary, unary(UnaryFn::kLeakyRelu, kNan), {{{2}}}, {{}}, "alpha nan"},
    {"PRelu", kPRelu, NoParams{}, {{{1, 5, 5, 3}}, {{1, 1, 3}, kF16}}, {{{1, 5, 5, 3}}}},
    {"PReluSlopes", kPRelu, NoParams{}, {{{1, 5, 5, 1}}, {{1, 1, 3}}}, {{}}, "do not fit"},
    {"PReluRank", kPRelu, NoParams{}, {{{3}}, {{1, 1, 3}}}, {{}}, "do not fit"},
    {"Select",
     kSelect,
     NoParams{},
     {{{3, 1}, kBool}, {{2}, kI8, kQ}, {{}, kI8, kQ}},
     {{{3, 2}, kI8, kQ}}},
    {"SelectQuantisation",
     kSelect,
     NoParams{},
     {{{2}, kBool}, {{2}, kI8, kQ}, {{2}, kI8, kSymmetric}},
     {{{}, kI8, kQ}},
     "quantised differently"},
    {"SelectType",
     kSelect,
     NoParams{},
     {{{2}, kBool}, {{2}}, {{2}, kI32}},
     {{}},
     "but the output is f32"},
    {"SelectCondition", kSelect, NoParams{}, {{{2}}, {{2}}, {{2}}}, {{}}, "takes bool"},
};
MATH_CASES(Elements);

Pool2DParams pool(int32_t kernel, int32_t stride, PadMode mode, int32_t top = 0) {
  Pool2DParams p;
  p.kernel_h = p.kernel_w = kernel;
  p.stride_h = p.stride_w = stride;
  p.padding.mode = mode;
  p.padding.top = top;
  return p;
}
ResizeParams resize(ResizeFn fn, int32_t h, int32_t w, bool corners = false, bool half = false) {
  return {fn, h, w, corners, half};
}

const Case kDimensions[] = {
    {"Softmax", kSoftmax, SoftmaxParams{}, {{{2, 3}, kI8, kQ}}, {{{2, 3}, kI8, kQ}}},
    {"SoftmaxScalar", kSoftmax, SoftmaxParams{}, {{{}}}, {{}}, "at least 1 dimensions"},
    {"SoftmaxBeta", kSoftmax, SoftmaxParams{kNan}, {{{2}}}, {{}}, "beta nan"},
    {"LogSoftmax", kLogSoftmax, NoParams{}, {{{2, 3}}}, {{{2, 3}}}},
    {"L2Normalization", kL2Normalization, NoParams{}, {{{2, 3}, kI32}}, {{{}, kI32}}, "is int32"},
    {"Mean", kReduce, ReduceParams{ReduceFn::kMean, false, {1, -2}}, {{{2, 3, 4, 5}}}, {{{2, 5}}}},
    {"MeanKept",
     kReduce,
     ReduceParams{ReduceFn::kMean, true, {1, 2}},
     {{{2, -1, 4, 5}}},
     {{{2, 1, 1, 5}}}},
    {"MeanOfAll", kReduce, ReduceParams{ReduceFn::kSum, false, {}}, {{{2, 3}}}, {{Shape{}}}},
    {"SameAxisTwice", kReduce, ReduceParams{ReduceFn::kMax, false, {1, -1}}, {{{2, 3}}}, {{{2}}}},
    {"ReduceAxis", kReduce, ReduceParams{ReduceFn::kMean, false, {2}}, {{{2, 3}}}, {{}}, "axis 2"},
    {"ProdInt8",
     kReduce,
     ReduceParams{ReduceFn::kProd, false, {0}},
     {{{2}, kI8, kQ}},
     {{{}, kI8, kQ}},
     "is int8"},
    {"AnyBool",
     kReduce,
     ReduceParams{ReduceFn::kMax, false, {0}},
     {{{2, 3}, kBool}},
     {{{3}, kBool}}},
    {"AxesNotConstant",
     kReduce,
     ReduceParams{ReduceFn::kMean, true, {}},
     {{{2, 3}}, {{1}, kI32}},
     {{{-1, -1}}}},
    {"AxesNotConstantDropped",
     kReduce,
     ReduceParams{ReduceFn::kMean, false, {}},
     {{{2, 3}}, {{1}, kI32}},
     {{{-1}}}},
    {"ArgMax", kArgReduce, ArgReduceParams{true, -1, false}, {{{2, 3}}}, {{{2}, kI64}}},
    {"ArgMaxKept",
     kArgReduce,
     ArgReduceParams{true, 0, true},
     {{{2, 3}, kU8, kQ}},
     {{{1, 3}, kI32}}},
    {"ArgMaxOutput", kArgReduce, ArgReduceParams{true, 0, true}, {{{2, 3}}}, {{}}, "int32, int64"},
    {"ArgMaxOfNothing",
     kArgReduce,
     ArgReduceParams{true, 0, true},
     {{{0, 3}}},
     {{{}, kI32}},
     "no element along axis 0"},
    {"TopK", kTopK, TopKParams{3}, {{{2, 5}}}, {{{2, 3}}, {{2, 3}, kI32}}},
    {"TopKUnknown", kTopK, TopKParams{3}, {{{-1, -1}}}, {{{-1, 3}}, {{-1, 3}, kI32}}},
    {"TopKTooMany", kTopK, TopKParams{6}, {{{2, 5}}}, {{}, {{}, kI32}}, "k is 6"},
    {"TopKIndices", kTopK, TopKParams{3}, {{{2, 5}}}, {{}, {{}, kI64}}, "takes int32"},
    {"Pool", kPool2D, pool(3, 2, PadMode::kSame), {kImage}, {{{1, 5, 6, 4}}}},
    {"PoolValid", kPool2D, pool(3, 2, PadMode::kValid), {kImage}, {{{1, 4, 5, 4}}}},
    {"PoolTooLarge", kPool2D, pool(12, 1, PadMode::kValid), {kImage}, {{}}, "height is 12"},
    {"PoolPadding",
     kPool2D,
     pool(2, 1, PadMode::kExplicit, 2),
     {kImage},
     {{}},
     "some windows would hold nothing"},
    {"PoolKernel", kPool2D, pool(0, 1, PadMode::kValid), {kImage}, {{}}, "kernel_h 0"},
    {"PoolQuantisation",
     kPool2D,
     pool(2, 1, PadMode::kValid),
     {{{1, 4, 4, 1}, kI8, kQ}},
     {{{}, kI8, kSymmetric}},
     "quantised differently"},
    {"PoolRoundedScale",
     kPool2D,
     pool(2, 1, PadMode::kValid),
     {{{1, 4, 4, 1}, kI8, kQ}},
     {{{1, 3, 3, 1}, kI8, quant(0.5000001f, 3)}}},
    {"Resize", kResize, resize(ResizeFn::kBilinear, 3, 40), {kImage}, {{{1, 3, 40, 4}}}},
    {"ResizeAnyType",
     kResize,
     resize(ResizeFn::kNearest, 3, 4),
     {{{1, 2, 2, 1}, kI64}},
     {{{1, 3, 4, 1}, kI64}}},
    {"ResizeBilinearType",
     kResize,
     resize(ResizeFn::kBilinear, 3, 4),
     {{{1, 2, 2, 1}, kI64}},
     {{{}, kI64}},
     "is int64"},
    {"ResizeSize", kResize, resize(ResizeFn::kNearest, 0, 4), {kImage}, {{}}, "0x4"},
    {"ResizeInputSize",
     kResize,
     resize(ResizeFn::kNearest, 0, 0),
     {kImage, {{2}, kI32}},
     {{{1, -1, -1, 4}}}},
    {"ResizeFlags",
     kResize,
     resize(ResizeFn::kBilinear, 3, 4, true, true),
     {kImage},
     {{}},
     "contradict each other"},
    {"ResizeNothing",
     kResize,
     resize(ResizeFn::kNearest, 3, 4),
     {{{1, 0, 4, 1}}},
     {{}},
     "no pixels"},
};
MATH_CASES(Dimensions);

const Case kTypes[] = {
    {"Quantize", kQuantize, NoParams{}, {{{2, -1}}}, {{{2, -1}, kI8, kQ}}},
    {"Requantize", kQuantize, NoParams{}, {{{2}, kU8, kQ}}, {{{2}, kI8, kSymmetric}}},
    {"QuantizeNoScale", kQuantize, NoParams{}, {{{2}}}, {{{}, kI8}}, "has no scale"},
    {"RequantizeNoScale", kQuantize, NoParams{}, {{{2}, kI8}}, {{{}, kI8, kQ}}, "has no scale"},
    {"QuantizeType", kQuantize, NoParams{}, {{{2}}}, {{{}, kI32}}, "is int32"},
    {"Dequantize", kDequantize, NoParams{}, {{{2}, kF16}}, {{{2}}}},
    {"DequantizePerChannel", kDequantize, NoParams{}, {{{2, 3}, kI8, channels(3, 1)}}, {{{2, 3}}}},
    {"DequantizeNoScale", kDequantize, NoParams{}, {{{2}, kI8}}, {{}}, "has no scale"},
    {"DequantizeOutput", kDequantize, NoParams{}, {{{2}, kF16}}, {{{}, kI32}}, "takes f32"},
    {"Cast", kCast, NoParams{}, {{{2}, kI64}}, {{{2}, kBool}}},
};
MATH_CASES(Types);

DetectionParams detection(int32_t max_detections, int32_t classes, int32_t per_detection = 1) {
  DetectionParams p;
  p.max_detections = max_detections;
  p.num_classes = classes;
  p.max_classes_per_detection = per_detection;
  p.score_threshold = 0.5f;
  p.iou_threshold = 0.6f;
  return p;
}
DetectionParams with_iou(float threshold) {
  DetectionParams p = detection(10, 3);
  p.iou_threshold = threshold;
  return p;
}
DetectionParams with_scale(float scale) {
  DetectionParams p = detection(10, 3);
  p.w_scale = scale;
  return p;
}
const std::vector<Operand> kDetectionInputs = {{{1, 20, 4}}, {{1, 20, 4}}, {{20, 4}}};
const std::vector<Operand> kFour(4);

const Case kDetections[] = {
    {"Rows",
     kDetectionPostProcess,
     detection(10, 3, 2),
     kDetectionInputs,
     {{{1, 20, 4}}, {{1, 20}}, {{1, 20}}, {{1}}}},
    {"Quantised",
     kDetectionPostProcess,
     detection(10, 4),
     {{{1, -1, 4}, kU8, kQ}, {{1, -1, 4}, kU8, kQ}, {{20, 4}, kU8, kQ}},
     {{{1, 10, 4}}, {{1, 10}}, {{1, 10}}, {{1}}}},
    {"Anchors",
     kDetectionPostProcess,
     detection(10, 3),
     {{{1, 20, 4}}, {{1, 20, 4}}, {{19, 4}}},
     kFour,
     "as many boxes as scores and anchors"},
    {"Classes", kDetectionPostProcess, detection(10, 7), kDetectionInputs, kFour,
     "num_classes 7 needs as many"},
    {"BoxSize",
     kDetectionPostProcess,
     detection(10, 3),
     {{{1, 20, 3}}, {{1, 20, 4}}, {{20, 4}}},
     kFour,
     "4 numbers for each box"},
    {"Batch",
     kDetectionPostProcess,
     detection(10, 3),
     {{{2, 20, 4}}, {{2, 20, 4}}, {{20, 4}}},
     kFour,
     "a batch of 1"},
    {"NoClasses", kDetectionPostProcess, detection(10, 0), kDetectionInputs, kFour,
     "num_classes 0"},
    {"TooMany", kDetectionPostProcess, detection(10001, 3), kDetectionInputs, kFour,
     "max_detections 10001"},
    {"Threshold", kDetectionPostProcess, with_iou(kNan), kDetectionInputs, kFour, "nan (overlap)"},
    {"BoxScale", kDetectionPostProcess, with_scale(0), kDetectionInputs, kFour, "w_scale 0"},
    {"NoScale",
     kDetectionPostProcess,
     detection(10, 3),
     {{{1, 20, 4}, kU8}, {{1, 20, 4}}, {{20, 4}}},
     kFour,
     "has no scale"},
};
MATH_CASES(Detections);

}  // namespace
}  // namespace pj::math_test
