#include "runtime/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace pj {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer. Files do not know the difference.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::kFileNotFound : ErrorCode::kFileUnreadable;
    return error(code, "cannot open '{}': {}", path, std::strerror(errno));
  }
  struct stat info {};
  const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (!regular) {
    ::close(fd);
    return error(ErrorCode::kFileUnreadable, "'{}' is not a regular file", path);
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int reason = errno;
      ::close(fd);
      return error(ErrorCode::kFileUnreadable, "cannot map '{}': {}", path, std::strerror(reason));
    }
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, static_cast<const std::byte*>(data), size));
}

MappedFile::MappedFile(std::string path, const std::byte* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {
  guard_.emplace(data, size);
  // Of the last page only: a file that ends in more zeros is guarded where it is read.
  constexpr size_t kPage = 4096;
  const size_t begin = size > 0 ? (size - 1) / kPage * kPage : 0;
  for (size_t i = size; i > begin && last_ == nullptr; --i)
    if (data[i - 1] != std::byte{}) last_ = data + i - 1, last_value_ = *last_;
}

Status MappedFile::check() const {
  const bool changed =
      last_ != nullptr && *const_cast<const volatile std::byte*>(last_) != last_value_;
  if (!changed && !guard_->hit()) return {};
  return error(ErrorCode::kFileUnreadable,
               "'{}' was truncated while it was in use; to replace a file, rename another over it",
               path_);
}

MappedFile::~MappedFile() {
  guard_.reset();
  if (size_ > 0) munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return true;
}

// Writes the parts one after the other, in pieces of one size: where the file system can, Linux keeps
// them in its cache as they were written, and maps each one at a single page fault. Larger ones would
// count as resident where only their ends are used.
bool write_in_pieces(int fd, std::span<const std::span<const std::byte>> parts) {
  constexpr size_t kPiece = 256 << 10;
  std::vector<std::byte> piece;
  piece.reserve(kPiece);
  for (std::span<const std::byte> rest : parts) {
    while (!rest.empty()) {
      const size_t n = std::min(rest.size(), kPiece - piece.size());
      piece.insert(piece.end(), rest.begin(), rest.begin() + static_cast<ptrdiff_t>(n));
      rest = rest.subspan(n);
      if (piece.size() < kPiece) continue;
      if (!write_all(fd, piece)) return false;
      piece.clear();
    }
  }
  return write_all(fd, piece);
}

}  // namespace

Status write_file_atomically(const std::string& path,
                             std::span<const std::span<const std::byte>> parts) {
  // The process and a counter make the name unique among writers of the same file.
  static std::atomic<unsigned> counter{0};
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path, getpid(), counter++);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    return error(ErrorCode::kFileUnwritable, "cannot create '{}': {}", temporary,
                 std::strerror(errno));
  }
  bool ok = write_in_pieces(fd, parts) && fsync(fd) == 0;
  int reason = errno;
  if (::close(fd) != 0 && ok) {
    ok = false;
    reason = errno;
  }
  if (ok && std::rename(temporary.c_str(), path.c_str()) != 0) {
    ok = false;
    reason = errno;
  }
  if (!ok) {
    ::unlink(temporary.c_str());
    return error(ErrorCode::kFileUnwritable, "cannot write '{}': {}; nothing was changed", path,
                 std::strerror(reason));
  }
  return {};
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  return write_file_atomically(path, std::span<const std::span<const std::byte>>(&bytes, 1));
}

}  // namespace pj
