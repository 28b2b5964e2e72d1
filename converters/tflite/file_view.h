// A verified .tflite file, and guarded access to what the FlatBuffers verifier does not check.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "converters/tflite/schema.h"
#include "runtime/base/result.h"
#include "runtime/graph/graph.h"

namespace pj {

// Bounds what an import may allocate. Offsets in a FlatBuffer may share their targets, so a small
// file can describe a huge model (a million tensors with the same long name); a real one unpacks to
// little more than its own size.
class Budget {
 public:
  explicit Budget(size_t file_size) : left_(kFactor * file_size + kFree) {}
  Status spend(size_t bytes) {
    if (bytes > left_) {
      return error(ErrorCode::kLimitExceeded,
                   "the file describes far more than its size can hold; it is damaged or hostile");
    }
    left_ -= bytes;
    return {};
  }

 private:
  static constexpr size_t kFactor = 16, kFree = size_t{1} << 20;
  size_t left_;
};

struct FileView {
  SharedBytes file;
  const tfl::Model* model = nullptr;
  const tfl::SubGraph* graph = nullptr;  // subgraph 0
};

// Verifies structure, identifier and version. Vectors and strings may still be null, and every
// index may still be anything.
Result<FileView> open_file(SharedBytes file);

// Contents of a buffer, inside the FlatBuffer or behind it; empty for a buffer without data.
// Errors: kModelInvalid for an index or a range outside the file.
Result<std::span<const std::byte>> buffer_bytes(const FileView& view, uint32_t index);

// Options of a custom operator, by the same rules.
Result<std::span<const std::byte>> custom_options(const FileView& view, const tfl::Operator& op);

template <typename T>
size_t length(const flatbuffers::Vector<T>* v) {
  return v == nullptr ? 0 : v->size();
}

// Elements as a span: [int] vectors are aligned to 4 by the verifier.
inline std::span<const int32_t> ints(const flatbuffers::Vector<int32_t>* v) {
  return v == nullptr ? std::span<const int32_t>{} : std::span(v->data(), v->size());
}

// Text for messages and tensor names; control characters become '?' so that a name cannot steer
// the terminal it is printed on. Empty for null.
std::string text(const flatbuffers::String* s);

}  // namespace pj
