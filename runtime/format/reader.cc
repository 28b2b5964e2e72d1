#include <algorithm>

#include "runtime/format/attributes.h"
#include "runtime/format/container.h"
#include "runtime/format/layout.h"
#include "runtime/graph/quant_scan.h"

namespace pj {
namespace {

using format::Container;

// Metadata may refer to the same string or list from many records; they must not add up to more
// than a small multiple of the file.
constexpr size_t kCopyFactor = 16;

class Reader {
 public:
  Reader(const SharedBytes& file, const Container& container)
      : file_(file),
        container_(container),
        copies_left_(kCopyFactor * static_cast<size_t>(container.info.metadata_bytes)) {}

  Result<ModelFile> read() {
    const fb::Model& m = *container_.model;
    ModelFile model;
    model.info = container_.info;
    PJ_TRY(copy(m.producer(), model.producer));
    PJ_TRY(read_graph(*m.graph(), model.graph));
    PJ_TRY(validate(model.graph));
    PJ_TRY(infer_shapes(model.graph));
    PJ_TRY(read_targets(static_cast<int64_t>(model.graph.ops.size()), model.targets));
    return model;
  }

 private:
  Status charge(size_t bytes) {
    if (bytes > copies_left_)
      return error(ErrorCode::kModelFormat,
                   "the metadata repeats strings or lists to more than {} times its size",
                   kCopyFactor);
    copies_left_ -= bytes;
    return {};
  }
  Status copy(const flatbuffers::String* from, std::string& to) {
    if (from == nullptr) return {};
    PJ_TRY(charge(from->size()));
    to.assign(from->c_str(), from->size());
    return {};
  }
  template <typename T>
  Status copy(const flatbuffers::Vector<T>* from, std::vector<T>& to) {
    if (from == nullptr) return {};
    PJ_TRY(charge(from->size() * sizeof(T)));
    to.assign(from->data(), from->data() + from->size());
    return {};
  }

  // The bytes that `d` names, in a section of this kind and target.
  Result<SharedBytes> resolve(const fb::Data& d, SectionKind kind, int32_t target) const {
    const std::vector<SectionInfo>& sections = container_.info.sections;
    if (d.section() >= sections.size())
      return error(ErrorCode::kModelInvalid, "its data is in section {} of {}", d.section(),
                   sections.size());
    const SectionInfo& s = sections[d.section()];
    if (s.kind != kind || s.target != target)
      return error(ErrorCode::kModelInvalid, "its data is in the wrong section, {}",
                   format::describe_section(container_, d.section()));
    if (d.offset() > s.size || d.size() > s.size - d.offset())
      return error(ErrorCode::kModelInvalid, "its data ({} bytes at {}) leaves {}", d.size(),
                   d.offset(), format::describe_section(container_, d.section()));
    if (d.offset() % format::kAlignment != 0)
      return error(ErrorCode::kModelInvalid, "its data begins at {}, not a multiple of {}",
                   d.offset(), format::kAlignment);
    return SharedBytes{file_.bytes.subspan(static_cast<size_t>(s.offset + d.offset()),
                                           static_cast<size_t>(d.size())),
                       file_.owner};
  }

  // Numbers and names stay where the file has them; to check them takes time as a copy would.
  template <typename T>
  Status refer(const flatbuffers::Vector<T>* from, List<T>& to) {
    if (from == nullptr) return {};
    PJ_TRY(charge(from->size() * sizeof(T)));
    to = {std::span<const T>(from->data(), from->size()), file_.owner};
    return {};
  }

  Status refer(const flatbuffers::String* from, Name& to) {
    if (from == nullptr) return {};
    PJ_TRY(charge(from->size()));
    to = {std::string_view(from->c_str(), from->size()), file_.owner};
    return {};
  }

  Status read_quantization(const fb::Quantization& q, Quantization& to) {
    PJ_TRY(refer(q.scale(), to.scale));
    PJ_TRY(refer(q.zero_point(), to.zero_point));
    to.axis = q.axis();
    if (q.zero_point() != nullptr) return {};
    const size_t count = to.scale.size();
    PJ_TRY(charge(count * sizeof(int32_t)));
    const std::span<const int32_t> zeros = shared_zeros(count);
    to.zero_point = zeros.size() == count ? List<int32_t>(zeros, nullptr)
                                          : List<int32_t>(std::vector<int32_t>(count));
    return {};
  }

  Status read_tensor(const fb::Tensor& t, Tensor& to) {
    PJ_TRY(refer(t.name(), to.name));
    if (t.dtype() >= kDTypeCount)
      return error(ErrorCode::kModelUnsupported,
                   "its element type {} is unknown to this build: update Picojoule", t.dtype());
    to.dtype = static_cast<DType>(t.dtype());
    if (const auto* shape = t.shape()) {
      if (shape->size() > static_cast<uint32_t>(kMaxRank))
        return error(ErrorCode::kModelInvalid, "it has {} dimensions, more than {}", shape->size(),
                     kMaxRank);
      to.shape = Shape(std::span<const int32_t>(shape->data(), shape->size()));
    }
    if (t.quantization() != nullptr) PJ_TRY(read_quantization(*t.quantization(), to.quant));
    if (t.data() == nullptr) return {};
    to.constant = true;
    PJ_ASSIGN(to.data, resolve(*t.data(), SectionKind::kWeights, -1));
    return {};
  }

  Status read_op(const fb::Op& op, OpKind kind, Op& to) {
    to.kind = kind;
    to.params = params_for(kind);
    PJ_TRY(refer(op.name(), to.name));
    PJ_TRY(copy(op.inputs(), to.inputs));
    PJ_TRY(copy(op.outputs(), to.outputs));
    return format::read_attributes(op.attributes(), to.params, names_);
  }

  Status read_ops(const flatbuffers::Vector<flatbuffers::Offset<fb::Op>>& ops, Graph& graph);
  Status read_graph(const fb::Graph& g, Graph& graph);
  Status read_packed(const fb::PackedEntry& p, int32_t target, PackedEntry& to);
  Status read_choice(const fb::Choice& c, Choice& to);
  Status read_target(const fb::Target& t, int32_t index, int64_t op_count, TargetRecord& to);
  Status read_targets(int64_t op_count, std::vector<TargetRecord>& targets);

  const SharedBytes& file_;
  const Container& container_;
  size_t copies_left_;
  format::KnownNames names_;
};

// Names every operator that this build lacks, so that one attempt tells them all.
Status Reader::read_ops(const flatbuffers::Vector<flatbuffers::Offset<fb::Op>>& ops, Graph& graph) {
  constexpr size_t kNamed = 20;
  size_t unknown = 0;
  std::string names;
  graph.ops.reserve(ops.size());
  for (uint32_t i = 0; i < ops.size(); ++i) {
    const fb::Op& op = *ops.Get(i);
    const auto kind = format::kind_by_name({op.kind()->c_str(), op.kind()->size()});
    if (!kind.has_value()) {
      if (++unknown <= kNamed)
        names +=
            fmt::format("{}'{:.64}' (node {})", unknown > 1 ? ", " : "", op.kind()->c_str(), i);
      continue;
    }
    Op& to = graph.ops.emplace_back();
    if (Status s = read_op(op, *kind, to); !s)
      return in_context(fmt::format("{}, node {} '{}'", name_of(*kind), i, to.name),
                        std::move(s).error());
  }
  if (unknown == 0) return {};
  return error(ErrorCode::kModelUnsupported,
               "{} operators are unknown to this build: {}{}; update Picojoule (the file is of "
               "format {}.{}, this build reads {}.{})",
               unknown, names, unknown > kNamed ? ", ..." : "", container_.info.major,
               container_.info.minor, format::kMajor, format::kMinor);
}

Status Reader::read_graph(const fb::Graph& g, Graph& graph) {
  PJ_TRY(copy(g.name(), graph.name));
  if (const auto* tensors = g.tensors()) {
    graph.tensors.reserve(tensors->size());
    for (uint32_t i = 0; i < tensors->size(); ++i) {
      Tensor& to = graph.tensors.emplace_back();
      if (Status s = read_tensor(*tensors->Get(i), to); !s)
        return in_context(fmt::format("tensor {} '{}'", i, to.name), std::move(s).error());
    }
  }
  if (g.ops() != nullptr) PJ_TRY(read_ops(*g.ops(), graph));
  PJ_TRY(copy(g.inputs(), graph.inputs));
  return copy(g.outputs(), graph.outputs);
}

Status Reader::read_packed(const fb::PackedEntry& p, int32_t target, PackedEntry& to) {
  to.op = p.op();
  to.role = p.role();
  PJ_TRY(copy(p.packing(), to.packing));
  PJ_ASSIGN(to.data, resolve(*p.data(), SectionKind::kPacked, target));
  return {};
}

Status Reader::read_choice(const fb::Choice& c, Choice& to) {
  to.op = c.op();
  PJ_TRY(copy(c.kernel(), to.kernel));
  if (c.values() == nullptr) return {};
  to.values.reserve(c.values()->size());
  for (const fb::Value* v : *c.values()) {
    auto& [key, value] = to.values.emplace_back();
    PJ_TRY(copy(v->key(), key));
    value = v->value();
  }
  return {};
}

Status Reader::read_target(const fb::Target& t, int32_t index, int64_t op_count, TargetRecord& to) {
  PJ_TRY(copy(t.name(), to.name));
  to.isa = IsaSet::from_bits(t.isa());
  to.cores = t.cores();
  to.l1_bytes = t.l1_bytes();
  to.l2_bytes = t.l2_bytes();
  to.l3_bytes = t.l3_bytes();
  if (to.cores < 1 || to.cores > format::kMaxCores ||
      std::min({to.l1_bytes, to.l2_bytes, to.l3_bytes}) < 0)
    return error(ErrorCode::kModelInvalid, "{} cores, caches of {}, {} and {} bytes", to.cores,
                 to.l1_bytes, to.l2_bytes, to.l3_bytes);
  auto check_op = [&](int32_t op) -> Status {
    if (op >= 0 && op < op_count) return {};
    return error(ErrorCode::kModelInvalid, "it is for operator {} of {}", op, op_count);
  };
  if (const auto* packed = t.packed()) {
    to.packed.reserve(packed->size());
    for (uint32_t i = 0; i < packed->size(); ++i) {
      Status s = check_op(packed->Get(i)->op());
      if (s) s = read_packed(*packed->Get(i), index, to.packed.emplace_back());
      if (!s) return in_context(fmt::format("packed entry {}", i), std::move(s).error());
    }
  }
  if (const auto* choices = t.choices()) {
    to.choices.reserve(choices->size());
    for (uint32_t i = 0; i < choices->size(); ++i) {
      Status s = check_op(choices->Get(i)->op());
      if (s) s = read_choice(*choices->Get(i), to.choices.emplace_back());
      if (!s) return in_context(fmt::format("choice {}", i), std::move(s).error());
    }
  }
  return {};
}

Status Reader::read_targets(int64_t op_count, std::vector<TargetRecord>& targets) {
  const auto* records = container_.model->targets();
  if (records == nullptr) return {};
  targets.reserve(records->size());
  for (uint32_t i = 0; i < records->size(); ++i) {
    TargetRecord& to = targets.emplace_back();
    if (Status s = read_target(*records->Get(i), static_cast<int32_t>(i), op_count, to); !s)
      return in_context(fmt::format("target {} '{}'", i, to.name), std::move(s).error());
  }
  return {};
}

}  // namespace

Result<ModelFile> read_model(SharedBytes file) {
  PJ_ASSIGN(const Container container, format::open_container(file.bytes));
  return Reader(file, container).read();
}

}  // namespace pj
