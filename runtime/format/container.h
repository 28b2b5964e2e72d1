// The outer part of a .pj file: header, checksum, well-formed metadata, sections inside the file.
#pragma once

#include "pj_generated.h"
#include "runtime/format/pj_file.h"

namespace pj::format {

// Points into the file it was opened from.
struct Container {
  FileInfo info;
  const fb::Model* model = nullptr;
  uint64_t sections_offset = 0;
};

// After success, reading any field of the metadata stays inside it, the number of records that a
// walk over all tables visits is at most an eighth of the metadata's bytes, and every section lies
// inside the file, aligned, apart from the others, with a valid kind and target.
Result<Container> open_container(std::span<const std::byte> file);

// "section 1 (packed for 'avx2', 4096 bytes at 8192)".
std::string describe_section(const Container& container, size_t index);

}  // namespace pj::format
