// Files: a read-only map, and writing that leaves either the old file or the whole new one.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace pj {

// A file mapped read-only. The bytes stay valid while the object lives.
class MappedFile {
 public:
  // Errors: kFileNotFound, kFileUnreadable (also for a directory or an empty file's map failing).
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  size_t size_;
};

// Writes `parts` one after the other to a temporary file beside `path`, flushes it to the disk and
// renames it, so that a reader (or a second writer) never sees half a file.
// Errors: kFileUnwritable, with the reason of the system.
Status write_file_atomically(const std::string& path,
                             std::span<const std::span<const std::byte>> parts);
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace pj
