// The importer of .tflite files: file bytes -> Graph.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/base/result.h"
#include "runtime/graph/graph.h"

namespace pj {

// True if the bytes carry the identifier of a .tflite file. Says nothing about the rest.
bool looks_like_tflite(std::span<const std::byte> bytes);

// Imports subgraph 0. The bytes may be anything: they are verified first, and the resulting graph
// passes validate() and has its shapes inferred.
//
// Constants are used in place and share `file.owner`; one that is misaligned for its type is
// copied, and so is the whole file if its first byte is not aligned to 8. Tensors and operators
// keep their indices, so that "tensor 12" and "node 3" mean the same as in other tools.
//
// Errors: kModelFormat (not a .tflite file, or damaged), kModelVersion, kModelInvalid,
// kModelUnsupported (one message with every unsupported operator), kLimitExceeded, kOutOfMemory.
// Thread-safe.
Result<Graph> import_tflite(SharedBytes file);

}  // namespace pj
