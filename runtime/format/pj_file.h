// The .pj container: a graph, its weights, and for each target the weights packed for it and what
// the planner chose. docs/format.md describes the bytes.
//
// A file stores choices and never programs: whoever loads it plans again from the verified graph,
// so a hostile file cannot bring loop nests or offsets of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/isa.h"
#include "runtime/base/result.h"
#include "runtime/graph/graph.h"

namespace pj {

// A constant made from graph constants by a packing function, to be used in place.
struct PackedEntry {
  int32_t op = 0;       // the operator whose weights these are
  uint8_t role = 0;     // which of its packed constants, in the planner's numbering
  std::string packing;  // layout and its parameters: equal strings mean equal bytes
  SharedBytes data;
};

// What the planner decided for an operator.
struct Choice {
  int32_t op = 0;
  std::string kernel;
  std::vector<std::pair<std::string, int64_t>> values;  // loop tiles and the like
};

// A machine that the file was prepared for. Sizes in bytes, 0 where unknown or absent.
struct TargetRecord {
  std::string name;
  IsaSet isa;  // may hold features that this build does not know
  int32_t cores = 1;
  int64_t l1_bytes = 0, l2_bytes = 0, l3_bytes = 0;
  std::vector<PackedEntry> packed;  // order is kept
  std::vector<Choice> choices;      // order is kept
};

enum class SectionKind : uint8_t { kWeights = 0, kPacked = 1 };

struct SectionInfo {
  SectionKind kind = SectionKind::kWeights;
  int32_t target = -1;  // index of the target whose packed weights these are
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;
  uint32_t crc32 = 0;
};

// What `pj inspect` shows of the container.
struct FileInfo {
  uint16_t major = 0, minor = 0;
  uint64_t file_bytes = 0;
  uint64_t metadata_bytes = 0;
  std::vector<SectionInfo> sections;
};

struct ModelFile {
  Graph graph;
  std::vector<TargetRecord> targets;
  std::string producer;
  FileInfo info;
};

// True if `file` begins like a .pj file, of whatever version.
bool looks_like_pj(std::span<const std::byte> file);

// Checks all metadata, validates the graph and infers its shapes. After success every index, range
// and enumerator in the result is safe to use; names of kernels and packings, values of choices and
// sizes of packed entries are for the planner to check. Constants and packed weights point into
// `file` at addresses aligned to 64 bytes and share its ownership; their bytes are not touched, so
// a flipped bit in a weight passes (see verify_sections). `file` must itself be aligned to 64
// bytes, as a map or SharedBytes::copy_of() is.
// Errors: kModelFormat (not a .pj file, truncated, damaged), kModelVersion (newer major version),
// kModelInvalid, kModelUnsupported (operators or attributes this build does not know),
// kLimitExceeded, kInvalidArgument (`file` misaligned).
Result<ModelFile> read_model(SharedBytes file);

// Compares every section with its checksum, which reads the whole file. Errors: those of the
// container, and kModelFormat naming the first damaged section.
Status verify_sections(const SharedBytes& file);

// The bytes of a .pj file. Equal arguments give equal bytes, on every host. The graph is validated
// and its shapes inferred first, so that what is written can be read; equal constants are stored
// once. Errors: those of validate() and infer_shapes(), kInvalidArgument for a target record that
// contradicts the graph, kLimitExceeded.
Result<std::vector<std::byte>> serialize_model(const Graph& graph,
                                               std::span<const TargetRecord> targets = {},
                                               std::string_view producer = "picojoule");

// Writes those bytes to `path` without a second copy of the weights in memory. Errors: also
// kFileUnwritable.
Status write_model(const std::string& path, const Graph& graph,
                   std::span<const TargetRecord> targets = {},
                   std::string_view producer = "picojoule");

}  // namespace pj
