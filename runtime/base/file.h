// Files: a read-only map, and writing that leaves either the old file or the whole new one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "runtime/base/map_guard.h"
#include "runtime/base/result.h"

namespace pj {

// A file mapped read-only. The bytes stay valid while the object lives, also if somebody truncates
// the file meanwhile: then those that are gone are zeros, and check() says so.
class MappedFile {
 public:
  // Errors: kFileNotFound, kFileUnreadable (also for a directory or an empty file's map failing).
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // kFileUnreadable if the file has become shorter, whether or not its end was read. Takes a few
  // nanoseconds. What was read before is right if this succeeds after it; a file that is
  // overwritten in place without becoming shorter is not noticed.
  Status check() const;

 private:
  MappedFile(std::string path, const std::byte* data, size_t size);
  std::string path_;
  const std::byte* data_;
  size_t size_;
  // The last byte that is not zero, and what it was. The system fills the last page that is left
  // with zeros, so that this byte changes or faults, if any did.
  const std::byte* last_ = nullptr;
  std::byte last_value_{};
  std::optional<MapGuard> guard_;
};

// Writes `parts` one after the other to a temporary file beside `path`, flushes it to the disk and
// renames it, so that a reader (or a second writer) never sees half a file.
// Errors: kFileUnwritable, with the reason of the system.
Status write_file_atomically(const std::string& path,
                             std::span<const std::span<const std::byte>> parts);
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace pj
