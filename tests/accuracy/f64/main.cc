// A model of floats in 64 bits: every operator by its reference kernel, float as double.
//
//   f64_eval MODEL OUT_PREFIX INPUT...    inputs as raw files; writes OUT_PREFIX<i>.f64
//
// The passes, which fold constants in 32 bits, have run before: what is measured is the arithmetic
// on activations.
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "converters/load/load.h"
#include "runtime/base/half.h"
#include "runtime/passes/passes.h"
#include "tests/accuracy/f64/evaluate.h"

namespace pj {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto* p = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), p, p + sizeof(T));
}

// Values as the kernels read them: floats as doubles, others as they are.
Bytes widened(DType dtype, std::span<const std::byte> values) {
  Bytes wide;
  if (!is_float(dtype)) return Bytes(values.begin(), values.end());
  for (size_t i = 0; i < values.size(); i += size_of(dtype)) {
    float x;
    if (dtype == DType::kF16) {
      Half half;
      std::memcpy(&half, &values[i], sizeof(half));
      x = to_float(half);
    } else {
      std::memcpy(&x, &values[i], sizeof(x));
    }
    append(wide, double{x});
  }
  return wide;
}

Bytes fields_of(OpParams params) {
  Bytes fields;
  visit_fields(params, [&]<typename T>(const char*, T& field) {
    if constexpr (std::is_same_v<T, float>) {
      append(fields, double{field});
    } else {
      append(fields, field);
    }
  });
  return fields;
}

class Evaluation {
 public:
  explicit Evaluation(const Graph& graph) : graph_(graph), values_(graph.tensors.size()) {
    for (size_t i = 0; i < values_.size(); ++i)
      if (graph.tensors[i].constant)
        values_[i] = widened(graph.tensors[i].dtype, graph.tensors[i].data.bytes);
  }

  void set(TensorId id, std::span<const std::byte> values) {
    values_[static_cast<size_t>(id)] = widened(graph_.tensor(id).dtype, values);
  }
  const Bytes& value(TensorId id) const { return values_[static_cast<size_t>(id)]; }

  void run() {
    for (const Op& op : graph_.ops) {
      for (TensorId id : op.outputs) {
        const Tensor& t = graph_.tensor(id);
        const size_t size = is_float(t.dtype) ? sizeof(double) : size_of(t.dtype);
        values_[static_cast<size_t>(id)].resize(static_cast<size_t>(elements(t.shape)) * size);
      }
      evaluate_in_double(static_cast<int>(op.kind), fields_of(op.params), operands(op.inputs),
                         operands(op.outputs));
    }
  }

 private:
  std::vector<PlainTensor> operands(const std::vector<TensorId>& ids) {
    std::vector<PlainTensor> operands;
    for (TensorId id : ids) {
      PlainTensor& plain = operands.emplace_back();
      if (id == kNoTensor) continue;
      const Tensor& t = graph_.tensor(id);
      plain.present = true;
      plain.dtype = static_cast<uint8_t>(is_float(t.dtype) ? DType::kF32 : t.dtype);
      plain.rank = t.shape.rank();
      std::copy(t.shape.begin(), t.shape.end(), plain.dims);
      if (t.quant.per_tensor()) {
        plain.scale = double{t.quant.scale[0]};
        plain.zero_point = t.quant.zero_point[0];
      }
      plain.data = values_[static_cast<size_t>(id)].data();
    }
    return operands;
  }

  const Graph& graph_;
  std::vector<Bytes> values_;
};

Status evaluate_file(const std::string& model, const std::string& out,
                     std::span<char* const> inputs) {
  PJ_ASSIGN(LoadedFile file, load_file(model));
  for (TensorId id : file.graph.inputs) {
    Shape& shape = file.graph.tensor(id).shape;
    shape = default_shape(shape);
  }
  PJ_TRY(run_passes(file.graph));
  const Graph& graph = file.graph;
  if (inputs.size() != graph.inputs.size()) {
    return error(ErrorCode::kInvalidArgument, "the model has {} inputs, {} files are given",
                 graph.inputs.size(), inputs.size());
  }
  Evaluation evaluation(graph);
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::ifstream in(inputs[i], std::ios::binary);
    const std::string raw{std::istreambuf_iterator<char>(in), {}};
    if (raw.size() != static_cast<size_t>(byte_size(graph.tensor(graph.inputs[i])))) {
      return error(ErrorCode::kInvalidArgument, "{}: {} bytes are not those of input {}", inputs[i],
                   raw.size(), i);
    }
    evaluation.set(graph.inputs[i], std::as_bytes(std::span(raw)));
  }
  evaluation.run();
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Bytes& values = evaluation.value(graph.outputs[i]);
    std::ofstream(fmt::format("{}{}.f64", out, i), std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size()));
  }
  return {};
}

}  // namespace
}  // namespace pj

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: f64_eval MODEL OUT_PREFIX INPUT...\n");
    return 2;
  }
  const pj::Status status =
      pj::evaluate_file(argv[1], argv[2], std::span(argv + 3, static_cast<size_t>(argc - 3)));
  if (!status) fmt::print(stderr, "f64_eval: {}\n", status.error().message);
  return status ? 0 : 1;
}
