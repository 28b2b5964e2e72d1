#include "converters/tflite/file_view.h"

#include <algorithm>

#include "converters/tflite/tflite.h"

namespace pj {
namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kScalarAlignment = 8;  // of the widest scalar in the schema

std::span<const std::byte> bytes_of(const flatbuffers::Vector<uint8_t>& v) {
  return {reinterpret_cast<const std::byte*>(v.data()), v.size()};
}

// Bytes that models above 2 GB keep behind the FlatBuffer. Offsets 0 and 1 mean "not used".
Result<std::span<const std::byte>> outside_bytes(const FileView& view, uint64_t offset,
                                                 uint64_t size) {
  const std::span<const std::byte> all = view.file.bytes;
  if (offset <= 1 || size == 0) return std::span<const std::byte>{};
  if (offset > all.size() || size > all.size() - offset) {
    return error(ErrorCode::kModelInvalid,
                 "{} bytes at offset {} lie outside the file of {} bytes; it is truncated", size,
                 offset, all.size());
  }
  return all.subspan(static_cast<size_t>(offset), static_cast<size_t>(size));
}

Status verify_structure(std::span<const std::byte> bytes) {
  if (!looks_like_tflite(bytes)) {
    return error(ErrorCode::kModelFormat,
                 "not a .tflite file: the identifier \"TFL3\" is missing at byte 4");
  }
  flatbuffers::Verifier::Options limits;
  limits.max_depth = 16;          // the schema nests 4 deep
  limits.max_tables = 4'000'000;  // about 4 a tensor, up to kMaxTensors
  // Beyond 2 GB there is only raw data, reached by 64-bit offsets.
  const size_t size =
      std::min<size_t>(bytes.size(), static_cast<size_t>(FLATBUFFERS_MAX_BUFFER_SIZE) - 1);
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), size, limits);
  if (!tfl::VerifyModelBuffer(verifier)) {
    return error(ErrorCode::kModelFormat,
                 "the .tflite file is truncated or damaged: its FlatBuffers structure is invalid; "
                 "download or convert it again");
  }
  return {};
}

}  // namespace

bool looks_like_tflite(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, tfl::ModelIdentifier(), 4) == 0;
}

Result<FileView> open_file(SharedBytes file) {
  if (reinterpret_cast<uintptr_t>(file.bytes.data()) % kScalarAlignment != 0) {
    const size_t size = file.bytes.size();
    file = SharedBytes::copy_of(file.bytes);
    if (file.bytes.size() != size) {
      return error(ErrorCode::kOutOfMemory, "no memory for a copy of the file ({} bytes)", size);
    }
  }
  PJ_TRY(verify_structure(file.bytes));
  const tfl::Model* model = tfl::GetModel(file.bytes.data());
  if (model->version() != kVersion) {
    return error(ErrorCode::kModelVersion,
                 "the .tflite file has schema version {}, this build reads version {}; convert the "
                 "model again",
                 model->version(), kVersion);
  }
  if (length(model->subgraphs()) == 0) {
    return error(ErrorCode::kModelInvalid, "the .tflite file holds no subgraph; convert it again");
  }
  const tfl::SubGraph* graph = model->subgraphs()->Get(0);
  return FileView{std::move(file), model, graph};
}

Result<std::span<const std::byte>> buffer_bytes(const FileView& view, uint32_t index) {
  const auto* buffers = view.model->buffers();
  if (index >= length(buffers)) {
    return error(ErrorCode::kModelInvalid,
                 "buffer {} does not exist, the file has {}; convert the model again", index,
                 length(buffers));
  }
  const tfl::Buffer* buffer = buffers->Get(index);
  if (length(buffer->data()) > 0) return bytes_of(*buffer->data());
  return outside_bytes(view, buffer->offset(), buffer->size());
}

Result<std::span<const std::byte>> custom_options(const FileView& view, const tfl::Operator& op) {
  if (length(op.custom_options()) > 0) return bytes_of(*op.custom_options());
  return outside_bytes(view, op.large_custom_options_offset(), op.large_custom_options_size());
}

std::string text(const flatbuffers::String* s) {
  if (s == nullptr) return {};
  std::string copy(s->c_str(), s->size());
  std::replace_if(
      copy.begin(), copy.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return copy;
}

}  // namespace pj
