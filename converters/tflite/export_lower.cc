#include "converters/tflite/export_lower.h"

#include <algorithm>
#include <limits>

#include "runtime/base/op_params.h"

namespace pj {
namespace {

bool same_borders(const Padding& a, const Padding& b) {
  return a.top == b.top && a.bottom == b.bottom && a.left == b.left && a.right == b.right;
}

// What a window with padding slides over.
struct WindowUse {
  Padding* padding;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
};

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph) {}

  Result<Graph> run() {
    const std::vector<Op> ops = std::move(graph_.ops);
    graph_.ops.clear();
    graph_.ops.reserve(ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
      Op op = ops[i];
      if (Status s = lower(op); !s) {
        const std::string output = graph_.tensor(op.outputs[0]).name.str();
        return in_context(fmt::format("{}, node {}, output '{}'", op.display_name(), i, output),
                          std::move(s).error());
      }
      graph_.ops.push_back(std::move(op));
    }
    return std::move(graph_);
  }

 private:
  Status lower(Op& op) {
    if (op.kind != OpKind::kDequantize) widen_operands(op);
    switch (op.kind) {
      case OpKind::kConv2D:
        return lower_window(op, convolution_use(op, op.as<Conv2DParams>()));
      case OpKind::kDepthwiseConv2D:
        return lower_window(op, convolution_use(op, op.as<DepthwiseConv2DParams>()));
      case OpKind::kPool2D: {
        auto& p = op.as<Pool2DParams>();
        return lower_window(op, {&p.padding, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w, 1, 1});
      }
      default:
        return lower_parameters(op);
    }
  }

  WindowUse convolution_use(const Op& op, Conv2DParams& p) const {
    const Shape& w = graph_.tensor(op.inputs[1]).shape;
    return {&p.padding, w[1], w[2], p.stride_h, p.stride_w, p.dilation_h, p.dilation_w};
  }

  // --- operands ----------------------------------------------------------------------------------

  // The format's operators take float16 behind a DEQUANTIZE only.
  void widen_operands(Op& op) {
    for (TensorId& id : op.inputs) {
      if (id == kNoTensor || graph_.tensor(id).dtype != DType::kF16) continue;
      Tensor wide;
      wide.name = graph_.tensor(id).name + "/f32";
      wide.shape = graph_.tensor(id).shape;
      const TensorId widened = graph_.add_tensor(std::move(wide));
      graph_.ops.push_back({OpKind::kDequantize, NoParams{}, {id}, {widened}, {}});
      id = widened;
    }
  }

  TensorId constant(const std::string& name, DType dtype, Shape shape,
                    std::span<const std::byte> bytes) {
    Tensor t;
    t.name = name;
    t.dtype = dtype;
    t.shape = shape;
    t.constant = true;
    t.data = SharedBytes::copy_of(bytes);
    return graph_.add_tensor(std::move(t));
  }

  TensorId ints(const Op& op, const char* what, std::span<const int32_t> values, Shape shape) {
    return constant(graph_.tensor(op.outputs[0]).name + what, DType::kI32, shape,
                    std::as_bytes(values));
  }

  // The second input is the parameter, absorbed into the attributes or not.
  static bool is_absorbed(const Op& op) {
    return op.inputs.size() < 2 || op.inputs[1] == kNoTensor;
  }
  static void set_parameter(Op& op, TensorId parameter) {
    op.inputs.resize(std::max<size_t>(op.inputs.size(), 2));
    op.inputs[1] = parameter;
  }
  void set_dims(Op& op, const char* what, const Dims& d) {
    if (is_absorbed(op))
      set_parameter(op,
                    ints(op, what, std::span(d.v).first(static_cast<size_t>(d.count)), {d.count}));
  }

  // --- parameters --------------------------------------------------------------------------------

  Status lower_parameters(Op& op) {
    switch (op.kind) {
      case OpKind::kReduce:
        set_dims(op, "/axes", all_axes(op, op.as<ReduceParams>().axes));
        return {};
      case OpKind::kReshape:
        set_dims(op, "/shape", op.as<ReshapeParams>().shape);
        return {};
      case OpKind::kTranspose:
        set_dims(op, "/perm", op.as<TransposeParams>().perm);
        return {};
      case OpKind::kResize: {
        const auto& p = op.as<ResizeParams>();
        set_dims(op, "/size", {p.out_h, p.out_w});
        return {};
      }
      case OpKind::kPad: {
        const auto& p = op.as<PadParams>();
        if (is_absorbed(op)) set_parameter(op, paddings(op, p.before, p.after));
        return {};
      }
      default:
        return {};
    }
  }

  // No axes mean all of them here, and none in the file.
  Dims all_axes(const Op& op, Dims axes) const {
    if (!axes.empty()) return axes;
    for (int32_t i = 0; i < graph_.tensor(op.inputs[0]).shape.rank(); ++i) axes.push_back(i);
    return axes;
  }

  TensorId paddings(const Op& op, const Dims& before, const Dims& after) {
    std::vector<int32_t> pairs;
    for (int32_t i = 0; i < before.count; ++i) pairs.insert(pairs.end(), {before[i], after[i]});
    return ints(op, "/paddings", pairs, {before.count, 2});
  }

  // --- padding -----------------------------------------------------------------------------------

  Status lower_window(Op& op, const WindowUse& use) {
    Padding& p = *use.padding;
    if (p.mode != PadMode::kExplicit) return {};
    const Padding borders = p;
    p = {PadMode::kValid};
    if (same_borders(borders, {})) return {};
    const Shape& x = graph_.tensor(op.inputs[0]).shape;
    const Padding same =
        resolve_padding({PadMode::kSame}, x[1], x[2], use.kernel_h, use.kernel_w, use.stride_h,
                        use.stride_w, use.dilation_h, use.dilation_w);
    if (is_static(x) && same_borders(borders, same)) {
      p = {PadMode::kSame};
      return {};
    }
    if (op.kind == OpKind::kPool2D && op.as<Pool2DParams>().fn == PoolFn::kAverage) {
      return error(ErrorCode::kModelUnsupported,
                   "its padding {},{},{},{} is neither SAME nor VALID, which is all that the "
                   "format has for averages",
                   borders.top, borders.bottom, borders.left, borders.right);
    }
    insert_pad(op, borders);
    return {};
  }

  // A Pad before `op`: with zeros, or for a maximum with the least value.
  void insert_pad(Op& op, const Padding& p) {
    const Dims before{0, p.top, p.left, 0}, after{0, p.bottom, p.right, 0};
    Tensor padded = graph_.tensor(op.inputs[0]);
    padded.name = graph_.tensor(op.outputs[0]).name + "/padded";
    padded.constant = false;
    padded.data = {};
    for (int32_t i : {1, 2})
      if (padded.shape[i] != kUnknownDim) padded.shape[i] += before[i] + after[i];
    const Quantization quant = padded.quant;
    const DType dtype = padded.dtype;
    Op pad{OpKind::kPad, PadParams{PadFn::kConstant, before, after}, {op.inputs[0]}, {}, {}};
    pad.outputs = {graph_.add_tensor(std::move(padded))};
    pad.inputs.push_back(paddings(pad, before, after));
    if (op.kind == OpKind::kPool2D) {
      pad.inputs.push_back(least_value(pad, dtype));
      graph_.tensor(pad.inputs[2]).quant = quant;
    }
    op.inputs[0] = pad.outputs[0];
    graph_.ops.push_back(std::move(pad));
  }

  TensorId least_value(const Op& op, DType dtype) {
    const float least = std::numeric_limits<float>::lowest();
    const auto least_byte = static_cast<std::byte>(range_of(dtype).min);
    const std::string name = graph_.tensor(op.outputs[0]).name + "/value";
    return dtype == DType::kF32 ? constant(name, dtype, {1}, std::as_bytes(std::span(&least, 1)))
                                : constant(name, dtype, {1}, std::span(&least_byte, 1));
  }

  Graph graph_;
};

}  // namespace

Result<Graph> lower_for_tflite(const Graph& graph) { return Lowering(graph).run(); }

}  // namespace pj
