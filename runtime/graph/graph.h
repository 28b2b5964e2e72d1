// The graph of a model: tensors, operators in topological order, inputs and outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/dtype.h"
#include "runtime/base/op_params.h"
#include "runtime/base/result.h"
#include "runtime/base/shape.h"
#include "runtime/graph/list.h"
#include "runtime/graph/name.h"

namespace pj {

using TensorId = int32_t;
inline constexpr TensorId kNoTensor = -1;  // an optional input that is absent

// real value = scale[c] * (q - zero_point[c]), c the index along `axis`; one entry means per
// tensor. Empty: not quantised. zero_point has as many entries as scale.
struct Quantization {
  List<float> scale;
  List<int32_t> zero_point;
  int32_t axis = 0;

  bool empty() const { return scale.empty(); }
  bool per_tensor() const { return scale.size() == 1; }
  bool operator==(const Quantization&) const = default;
};

// Bytes that belong to somebody else; `owner` keeps them alive (a mapped file, a buffer).
struct SharedBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  bool empty() const { return bytes.empty(); }
  // Takes a copy of `bytes` in memory aligned to a cache line.
  static SharedBytes copy_of(std::span<const std::byte> bytes);
};

struct Tensor {
  Name name;
  DType dtype = DType::kF32;
  Shape shape;  // may contain kUnknownDim until inputs are set
  Quantization quant;
  bool constant = false;
  SharedBytes
      data;  // of a constant: elements(shape) * size_of(dtype) bytes, little-endian, C order

  template <typename T>
  std::span<const T> as() const {  // of a constant whose dtype is that of T
    return {reinterpret_cast<const T*>(data.bytes.data()), data.bytes.size() / sizeof(T)};
  }
};

struct Op {
  OpKind kind;
  OpParams params;
  std::vector<TensorId> inputs;  // kNoTensor for an absent optional input
  std::vector<TensorId> outputs;
  Name name;  // may be empty

  template <typename P>
  const P& as() const {
    return *std::get_if<P>(&params);
  }
  template <typename P>
  P& as() {
    return *std::get_if<P>(&params);
  }
  const char* display_name() const { return pj::display_name(kind, params); }
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;  // every op stands after the producers of its inputs
  std::vector<TensorId> inputs, outputs;

  Tensor& tensor(TensorId id) { return tensors[static_cast<size_t>(id)]; }
  const Tensor& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }
  TensorId add_tensor(Tensor t) {
    tensors.push_back(std::move(t));
    return static_cast<TensorId>(tensors.size() - 1);
  }
};

// Producer and consumers of every tensor, by op index.
struct Uses {
  std::vector<int32_t> producer;  // -1: input or constant
  std::vector<bool> is_output;
  // Consumers of tensor 0, of tensor 1, ...; those of tensor i begin at consumers_at[i], and one
  // entry more says where the last ones end.
  std::vector<int32_t> all_consumers, consumers_at;

  // In the order of the operators; an op appears once per use.
  std::span<const int32_t> consumers(TensorId id) const {
    const auto i = static_cast<size_t>(id);
    return std::span(all_consumers)
        .subspan(static_cast<size_t>(consumers_at[i]),
                 static_cast<size_t>(consumers_at[i + 1] - consumers_at[i]));
  }
};
Uses find_uses(const Graph& graph);

// "conv_2d, node 4, output 'block1/conv'": how messages name an operator.
std::string describe(const Graph& graph, int32_t op_index);
// "tensor 12 'block1/conv'".
std::string describe_tensor(const Graph& graph, TensorId id);

// Bytes of a tensor whose shape is static and validated.
inline int64_t byte_size(const Tensor& t) {
  return elements(t.shape) * static_cast<int64_t>(size_of(t.dtype));
}

// Everything above the border relies on this: indices in range, arity and attributes valid for the
// kind, dtypes allowed, quantisation well-formed (finite positive scales, zero points in range,
// per-channel counts matching), constants as long as their shape says, each tensor produced at most
// once, topological order. Does not need static shapes. Errors: kModelInvalid, kModelUnsupported,
// kLimitExceeded, each naming the tensor or operator.
Status validate(const Graph& graph);

// Fills in the shapes of all non-constant tensors from those of the inputs, and checks the result
// against attributes and constants. Dimensions that depend on unknown ones stay kUnknownDim; where
// a tensor already has a static shape that contradicts, the inferred one wins. Requires validate().
// Errors: kModelInvalid with the operator's place; kLimitExceeded when a tensor passes the limits.
Status infer_shapes(Graph& graph);

// Limits that validate() and infer_shapes() enforce, against files that ask for the absurd.
inline constexpr int64_t kMaxTensors = 1 << 20;
inline constexpr int64_t kMaxOps = 1 << 16;
inline constexpr int64_t kMaxTensorBytes = (int64_t{1} << 31) - 1;

}  // namespace pj
