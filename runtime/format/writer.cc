#include <algorithm>
#include <unordered_map>

#include "runtime/base/aligned.h"
#include "runtime/base/file.h"
#include "runtime/format/attributes.h"
#include "runtime/format/layout.h"
#include "runtime/format/pj_file.h"

namespace pj {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Bytes = std::span<const std::byte>;

constexpr std::array<std::byte, format::kAlignment> kZeros{};

Bytes zeros_after(uint64_t size) {
  return Bytes(kZeros).first(round_up(size, format::kAlignment) - size);
}

// A section in the making: blocks aligned to 64 bytes, equal blocks once.
class SectionBuilder {
 public:
  SectionBuilder(SectionKind kind, int32_t target) : kind_(kind), target_(target) {}

  // The offset of a block with this content.
  uint64_t add(Bytes block) {
    const uint64_t hash = uint64_t{crc32(block)} << 32 ^ block.size();
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
      const auto& [offset, known] = it->second;
      if (std::equal(block.begin(), block.end(), known.begin(), known.end())) return offset;
    }
    if (!block.empty()) append(zeros_after(size_));
    const uint64_t offset = block.empty() ? 0 : size_;
    append(block);
    by_hash_.emplace(hash, std::pair{offset, block});
    return offset;
  }

  uint64_t size() const { return size_; }
  const std::vector<Bytes>& parts() const { return parts_; }
  Offset<fb::Section> finish(FlatBufferBuilder& b, uint64_t offset) const {
    return fb::CreateSection(b, offset, size_, crc_, static_cast<uint8_t>(kind_), target_);
  }

 private:
  void append(Bytes part) {
    if (part.empty()) return;
    parts_.push_back(part);
    size_ += part.size();
    crc_ = crc32(part, crc_);
  }

  SectionKind kind_;
  int32_t target_;
  std::vector<Bytes> parts_;
  uint64_t size_ = 0;
  uint32_t crc_ = 0;
  std::unordered_multimap<uint64_t, std::pair<uint64_t, Bytes>> by_hash_;
};

// FlatBuffers asserts where its 2 GB end, so a bound is computed before. 2 KB are more than the
// fixed part of any record with its attributes.
Status check_metadata_size(const Graph& graph, std::span<const TargetRecord> targets,
                           std::string_view producer) {
  constexpr uint64_t kRecord = 2048;
  uint64_t bytes = kRecord + producer.size() + graph.name.size() +
                   4 * (graph.inputs.size() + graph.outputs.size());
  for (const Tensor& t : graph.tensors)
    bytes += kRecord / 4 + t.name.size() + 8 * t.quant.scale.size();
  for (const Op& op : graph.ops)
    bytes += kRecord + op.name.size() + 4 * (op.inputs.size() + op.outputs.size());
  for (const TargetRecord& t : targets) {
    bytes += kRecord + t.name.size();
    for (const PackedEntry& p : t.packed) bytes += kRecord / 8 + p.packing.size();
    for (const Choice& c : t.choices) {
      bytes += kRecord / 8 + c.kernel.size();
      for (const auto& [key, value] : c.values) bytes += kRecord / 16 + key.size();
    }
  }
  if (bytes <= format::kMaxMetadataBytes) return {};
  return error(ErrorCode::kLimitExceeded,
               "the metadata may take {} bytes, more than {}: shorten names or split the model",
               bytes, format::kMaxMetadataBytes);
}

// The rules of the reader that validate() does not know.
Status check_records(const Graph& graph, std::span<const TargetRecord> targets) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const OpParams& params = graph.ops[i].params;
    if (format::has_nan(params))
      return error(ErrorCode::kModelInvalid, "{}: an attribute is not a number",
                   describe(graph, static_cast<int32_t>(i)));
    if (has_epilogue(params))
      return error(
          ErrorCode::kInvalidArgument,
          "{}: it has an epilogue, which only plans know; write the graph as it was before",
          describe(graph, static_cast<int32_t>(i)));
  }
  const auto op_count = static_cast<int64_t>(graph.ops.size());
  for (const TargetRecord& t : targets) {
    if (t.cores < 1 || t.cores > format::kMaxCores ||
        std::min({t.l1_bytes, t.l2_bytes, t.l3_bytes}) < 0)
      return error(ErrorCode::kInvalidArgument,
                   "target '{}': {} cores, caches of {}, {} and {} bytes", t.name, t.cores,
                   t.l1_bytes, t.l2_bytes, t.l3_bytes);
    auto outside = [&](const auto& record) { return record.op < 0 || record.op >= op_count; };
    if (std::any_of(t.packed.begin(), t.packed.end(), outside) ||
        std::any_of(t.choices.begin(), t.choices.end(), outside))
      return error(ErrorCode::kInvalidArgument,
                   "target '{}': an entry is for an operator that the graph of {} does not have",
                   t.name, op_count);
  }
  return {};
}

class MetadataWriter {
 public:
  // Appends a section to `sections` for the weights and one for each target with packed weights.
  explicit MetadataWriter(std::vector<SectionBuilder>& sections) : sections_(sections) {}

  flatbuffers::DetachedBuffer write(const Graph& graph, std::span<const TargetRecord> targets,
                                    std::string_view producer) {
    const auto graph_at = write_graph(graph);
    std::vector<Offset<fb::Target>> records;
    for (size_t i = 0; i < targets.size(); ++i)
      records.push_back(write_target(targets[i], static_cast<int32_t>(i)));
    std::vector<Offset<fb::Section>> table;
    uint64_t offset = 0;
    for (const SectionBuilder& s : sections_) {
      table.push_back(s.finish(b_, offset));
      offset = round_up(offset + s.size(), format::kAlignment);
    }
    const auto producer_at = text(producer);
    const auto table_at = b_.CreateVector(table);
    b_.Finish(fb::CreateModel(b_, producer_at, graph_at, table_at, b_.CreateVector(records)));
    return b_.Release();
  }

 private:
  // Not shared, since readers bound the copies they make by the size of the metadata.
  Offset<flatbuffers::String> text(std::string_view s) { return b_.CreateString(s); }

  Offset<fb::Data> write_data(size_t section, Bytes bytes) {
    const uint64_t offset = sections_[section].add(bytes);
    return fb::CreateData(b_, static_cast<uint32_t>(section), offset, bytes.size());
  }

  Offset<fb::Quantization> write_quantization(const Quantization& q) {
    if (q.empty()) return 0;
    const auto scale = b_.CreateVector(q.scale.data(), q.scale.size());
    const bool symmetric =
        std::all_of(q.zero_point.begin(), q.zero_point.end(), [](int32_t z) { return z == 0; });
    Offset<flatbuffers::Vector<int32_t>> zero_point;
    if (!symmetric) zero_point = b_.CreateVector(q.zero_point.data(), q.zero_point.size());
    return fb::CreateQuantization(b_, scale, zero_point, q.axis);
  }

  Offset<fb::Tensor> write_tensor(const Tensor& t) {
    const auto name = text(t.name);
    const auto shape = b_.CreateVector(t.shape.v.data(), static_cast<size_t>(t.shape.count));
    const auto quantization = write_quantization(t.quant);
    const auto data = t.constant ? write_data(0, t.data.bytes) : Offset<fb::Data>();
    return fb::CreateTensor(b_, name, static_cast<uint8_t>(t.dtype), shape, quantization, data);
  }

  Offset<fb::Op> write_op(const Op& op) {
    const auto kind = b_.CreateSharedString(name_of(op.kind));
    const auto name = text(op.name);
    const auto attributes = format::write_attributes(b_, op.params);
    const auto inputs = b_.CreateVector(op.inputs);
    return fb::CreateOp(b_, kind, name, attributes, inputs, b_.CreateVector(op.outputs));
  }

  Offset<fb::Graph> write_graph(const Graph& graph) {
    sections_.emplace_back(SectionKind::kWeights, -1);
    std::vector<Offset<fb::Tensor>> tensors;
    for (const Tensor& t : graph.tensors) tensors.push_back(write_tensor(t));
    std::vector<Offset<fb::Op>> ops;
    for (const Op& op : graph.ops) ops.push_back(write_op(op));
    const auto name = text(graph.name);
    const auto tensors_at = b_.CreateVector(tensors);
    const auto ops_at = b_.CreateVector(ops);
    const auto inputs = b_.CreateVector(graph.inputs);
    return fb::CreateGraph(b_, name, tensors_at, ops_at, inputs, b_.CreateVector(graph.outputs));
  }

  Offset<fb::Choice> write_choice(const Choice& c) {
    const auto kernel = text(c.kernel);
    std::vector<Offset<fb::Value>> values;
    for (const auto& [key, value] : c.values)
      values.push_back(fb::CreateValue(b_, text(key), value));
    return fb::CreateChoice(b_, c.op, kernel, b_.CreateVector(values));
  }

  Offset<fb::Target> write_target(const TargetRecord& t, int32_t index) {
    const auto name = text(t.name);
    std::vector<Offset<fb::PackedEntry>> packed;
    if (!t.packed.empty()) sections_.emplace_back(SectionKind::kPacked, index);
    for (const PackedEntry& p : t.packed) {
      const auto packing = text(p.packing);
      const auto data = write_data(sections_.size() - 1, p.data.bytes);
      packed.push_back(fb::CreatePackedEntry(b_, p.op, p.role, packing, data));
    }
    std::vector<Offset<fb::Choice>> choices;
    for (const Choice& c : t.choices) choices.push_back(write_choice(c));
    const auto packed_at = b_.CreateVector(packed);
    const auto choices_at = b_.CreateVector(choices);
    return fb::CreateTarget(b_, name, t.isa.bits(), t.cores, t.l1_bytes, t.l2_bytes, t.l3_bytes,
                            packed_at, choices_at);
  }

  std::vector<SectionBuilder>& sections_;
  FlatBufferBuilder b_{64 << 10};
};

// A file in pieces: the head is owned, the rest are blocks of the graph and the targets.
struct Image {
  std::vector<std::byte> head;  // header, metadata, zeros up to the first section
  std::vector<Bytes> parts;     // what follows
};

std::vector<std::byte> make_head(const flatbuffers::DetachedBuffer& metadata,
                                 uint64_t section_bytes) {
  const size_t metadata_end = format::kHeaderBytes + metadata.size();
  format::Header h;
  h.metadata_bytes = metadata.size();
  h.sections_offset = round_up(metadata_end, format::kAlignment);
  h.file_bytes = h.sections_offset + section_bytes;
  std::vector<std::byte> head(static_cast<size_t>(h.sections_offset));
  std::memcpy(head.data() + format::kHeaderBytes, metadata.data(), metadata.size());
  std::memcpy(head.data(), &h, sizeof h);
  h.checksum = format::head_checksum(Bytes(head).first(metadata_end));
  std::memcpy(head.data(), &h, sizeof h);
  return head;
}

Result<Image> make_image(Graph graph, std::span<const TargetRecord> targets,
                         std::string_view producer) {
  PJ_TRY(validate(graph));
  PJ_TRY(infer_shapes(graph));
  PJ_TRY(check_records(graph, targets));
  PJ_TRY(check_metadata_size(graph, targets, producer));
  std::vector<SectionBuilder> sections;
  const auto metadata = MetadataWriter(sections).write(graph, targets, producer);
  Image image;
  uint64_t size = 0;
  for (const SectionBuilder& s : sections) {
    const Bytes gap = zeros_after(size);
    if (!gap.empty()) image.parts.push_back(gap);
    image.parts.insert(image.parts.end(), s.parts().begin(), s.parts().end());
    size += gap.size() + s.size();
  }
  image.head = make_head(metadata, size);
  return image;
}

}  // namespace

Result<std::vector<std::byte>> serialize_model(const Graph& graph,
                                               std::span<const TargetRecord> targets,
                                               std::string_view producer) {
  PJ_ASSIGN(Image image, make_image(graph, targets, producer));
  std::vector<std::byte> file = std::move(image.head);
  for (Bytes part : image.parts) file.insert(file.end(), part.begin(), part.end());
  return file;
}

Status write_model(const std::string& path, const Graph& graph,
                   std::span<const TargetRecord> targets, std::string_view producer) {
  PJ_ASSIGN(Image image, make_image(graph, targets, producer));
  image.parts.insert(image.parts.begin(), Bytes(image.head));
  return write_file_atomically(path, image.parts);
}

}  // namespace pj
