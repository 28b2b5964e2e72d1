// Writes .tflite files by hand, defects included. It works with the numbers of the public format
// (ids of fields, enums, union discriminators) and not with the importer's schema, so that a
// mistake there cannot cancel out here.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "converters/tflite/tflite.h"

namespace pj::test {

// Values of the format.
enum Type : int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUint8 = 3,
  kInt64 = 4,
  kString = 5,
  kBoolean = 6,
  kInt8 = 9,
  kResource = 13,
};

struct FileTensor {
  std::string name;
  std::vector<int32_t> shape;
  Type type = kFloat32;
  uint32_t buffer = 0;
  std::vector<float> scale = {};
  std::vector<int64_t> zero_point = {};
  int32_t axis = 0;
  std::vector<int32_t> signature = {};
  bool variable = false, sparse = false, custom_quantization = false;
};

// One field of an options table: its id and value.
struct Field {
  int id;
  std::variant<int8_t, int32_t, float, std::vector<int32_t>> value;
};

struct FileOp {
  int32_t code;  // of a builtin operator; 32 for a custom one
  std::vector<int32_t> inputs, outputs;
  uint8_t options_type = 0;
  std::vector<Field> options = {};
  std::string custom_name = {};
  std::vector<uint8_t> custom_options = {};
};

struct FileBuffer {
  std::vector<uint8_t> data;
  uint64_t offset = 0, size = 0;
};

struct FileModel {
  uint32_t version = 3;
  std::string identifier = "TFL3";
  std::vector<FileTensor> tensors = {};
  std::vector<FileOp> ops = {};
  std::vector<int32_t> inputs = {}, outputs = {};
  std::vector<FileBuffer> buffers = {{}};  // the first is empty by convention
  bool with_subgraph = true;
  uint32_t code_index_offset = 0;  // added to every operator's index of its code

  // Appends a buffer with the values and returns its index.
  template <typename T>
  uint32_t add_buffer(const std::vector<T>& values) {
    std::vector<uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    buffers.push_back({bytes});
    return static_cast<uint32_t>(buffers.size() - 1);
  }
  int32_t add(FileTensor t) {
    tensors.push_back(std::move(t));
    return static_cast<int32_t>(tensors.size() - 1);
  }
  // A constant of int32, as parameters are.
  int32_t add_ints(std::string name, std::vector<int32_t> shape, const std::vector<int32_t>& v) {
    return add({std::move(name), std::move(shape), kInt32, add_buffer(v)});
  }
};

class ModelWriter {
 public:
  explicit ModelWriter(const FileModel& model) : model_(model) { fbb_.ForceDefaults(true); }

  std::vector<uint8_t> write() {
    std::vector<Ref> codes, buffers, subgraphs;
    for (const FileOp& op : model_.ops) codes.push_back(write_code(op));
    for (const FileBuffer& b : model_.buffers) buffers.push_back(write_buffer(b));
    if (model_.with_subgraph) subgraphs.push_back(write_subgraph());
    const Ref code_list = list(codes), subgraph_list = list(subgraphs), buffer_list = list(buffers);
    const auto start = fbb_.StartTable();
    put<uint32_t>(0, model_.version);
    put(1, code_list);
    put(2, subgraph_list);
    put(4, buffer_list);
    fbb_.Finish(end(start), model_.identifier.c_str());
    return {fbb_.GetBufferPointer(), fbb_.GetBufferPointer() + fbb_.GetSize()};
  }

 private:
  using Ref = flatbuffers::Offset<void>;

  static flatbuffers::voffset_t at(int id) {
    return flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(id));
  }
  template <typename T>
  void put(int id, T value) {
    fbb_.AddElement<T>(at(id), value, T{});
  }
  void put(int id, Ref ref) { fbb_.AddOffset(at(id), ref); }
  Ref end(flatbuffers::uoffset_t start) { return Ref(fbb_.EndTable(start)); }
  Ref list(const std::vector<Ref>& refs) { return Ref(fbb_.CreateVector(refs).o); }
  template <typename T>
  Ref vector(const std::vector<T>& v) {
    return Ref(fbb_.CreateVector(v).o);
  }

  Ref write_code(const FileOp& op) {
    const Ref name(op.custom_name.empty() ? 0 : fbb_.CreateString(op.custom_name).o);
    const auto start = fbb_.StartTable();
    put<int8_t>(0, static_cast<int8_t>(std::min(op.code, 127)));
    if (!op.custom_name.empty()) put(1, name);
    put<int32_t>(3, op.code);
    return end(start);
  }

  Ref write_buffer(const FileBuffer& b) {
    fbb_.ForceVectorAlignment(b.data.size(), 1, 16);
    const Ref data = vector(b.data);
    const auto start = fbb_.StartTable();
    if (!b.data.empty()) put(0, data);
    put<uint64_t>(1, b.offset);
    put<uint64_t>(2, b.size);
    return end(start);
  }

  Ref write_empty_table() {
    const auto start = fbb_.StartTable();
    return end(start);
  }

  Ref write_quantization(const FileTensor& t) {
    const Ref scale = vector(t.scale), zero_point = vector(t.zero_point);
    const Ref details = write_empty_table();
    const auto start = fbb_.StartTable();
    put(2, scale);
    put(3, zero_point);
    if (t.custom_quantization) {
      put<uint8_t>(4, 1);
      put(5, details);
    }
    put<int32_t>(6, t.axis);
    return end(start);
  }

  Ref write_tensor(const FileTensor& t) {
    const Ref shape = vector(t.shape), signature = vector(t.signature);
    const Ref name(fbb_.CreateString(t.name).o);
    const Ref quantization = write_quantization(t);
    const Ref sparsity = write_empty_table();
    const auto start = fbb_.StartTable();
    put(0, shape);
    put<int8_t>(1, t.type);
    put<uint32_t>(2, t.buffer);
    put(3, name);
    put(4, quantization);
    put<uint8_t>(5, t.variable);
    if (t.sparse) put(6, sparsity);
    if (!t.signature.empty()) put(7, signature);
    return end(start);
  }

  Ref write_options(const FileOp& op) {
    std::vector<Ref> vectors;
    for (const Field& f : op.options)
      if (const auto* v = std::get_if<std::vector<int32_t>>(&f.value))
        vectors.push_back(vector(*v));
    size_t next = 0;
    const auto start = fbb_.StartTable();
    for (const Field& f : op.options) {
      if (const auto* i = std::get_if<int32_t>(&f.value)) put(f.id, *i);
      if (const auto* b = std::get_if<int8_t>(&f.value)) put(f.id, *b);
      if (const auto* r = std::get_if<float>(&f.value)) put(f.id, *r);
      if (std::holds_alternative<std::vector<int32_t>>(f.value)) put(f.id, vectors[next++]);
    }
    return end(start);
  }

  Ref write_op(uint32_t index, const FileOp& op) {
    const Ref inputs = vector(op.inputs), outputs = vector(op.outputs);
    const Ref options = write_options(op), custom = vector(op.custom_options);
    const auto start = fbb_.StartTable();
    put<uint32_t>(0, index + model_.code_index_offset);
    put(1, inputs);
    put(2, outputs);
    if (op.options_type != 0) {
      put<uint8_t>(3, op.options_type);
      put(4, options);
    }
    if (!op.custom_options.empty()) put(5, custom);
    return end(start);
  }

  Ref write_subgraph() {
    std::vector<Ref> tensors, ops;
    for (const FileTensor& t : model_.tensors) tensors.push_back(write_tensor(t));
    for (const FileOp& op : model_.ops)
      ops.push_back(write_op(static_cast<uint32_t>(ops.size()), op));
    const Ref tensor_list = list(tensors), op_list = list(ops);
    const Ref inputs = vector(model_.inputs), outputs = vector(model_.outputs);
    const auto start = fbb_.StartTable();
    put(0, tensor_list);
    put(1, inputs);
    put(2, outputs);
    put(3, op_list);
    return end(start);
  }

  const FileModel& model_;
  flatbuffers::FlatBufferBuilder fbb_;
};

inline std::vector<uint8_t> write_model(const FileModel& model) {
  return ModelWriter(model).write();
}

// The bytes in memory aligned to a cache line, as a mapped file would be.
inline SharedBytes share(const std::vector<uint8_t>& bytes) {
  return SharedBytes::copy_of(std::as_bytes(std::span(bytes)));
}
inline Result<Graph> import_model(const FileModel& model) {
  return import_tflite(share(write_model(model)));
}

// x [1,4] -> RELU -> y.
inline FileModel relu_model() {
  FileModel m;
  m.inputs = {m.add({"x", {1, 4}})};
  m.outputs = {m.add({"y", {1, 4}})};
  m.ops = {{19, {0}, {1}}};
  return m;
}

// x [1,5,5,2] -> CONV_2D (weights [3,3,3,2], bias [3], stride 2, SAME, RELU6) -> y [1,3,3,3].
inline FileModel conv_model() {
  FileModel m;
  m.inputs = {m.add({"x", {1, 5, 5, 2}})};
  m.add({"w", {3, 3, 3, 2}, kFloat32, m.add_buffer(std::vector<float>(54, 0.5f))});
  m.add({"b", {3}, kFloat32, m.add_buffer(std::vector<float>{1, 2, 3})});
  m.outputs = {m.add({"y", {1, 3, 3, 3}})};
  m.ops = {
      {3, {0, 1, 2}, {3}, 1, {{0, int8_t{0}}, {1, int32_t{2}}, {2, int32_t{2}}, {3, int8_t{3}}}}};
  return m;
}

}  // namespace pj::test
