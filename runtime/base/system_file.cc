#include "runtime/base/system_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace pj {

std::string system_root() {
  const char* root = std::getenv("PJ_SYSROOT");
  return root != nullptr ? root : "";
}

std::string read_system_file(const std::string& path) {
  std::string text;
  // A FIFO in a recorded tree must not make anybody wait.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return text;
  // Piece by piece: most are a few bytes, and clearing 64 KiB for each would take longer than all
  // else at the first model's load.
  constexpr size_t kMost = 64 << 10;
  char piece[4096];
  ssize_t got = 0;
  while (text.size() < kMost && (got = read(file, piece, sizeof(piece))) > 0)
    text.append(piece, static_cast<size_t>(got));
  close(file);
  const size_t last = text.find_last_not_of(std::string_view(" \t\r\n\0", 5));
  text.resize(last == text.npos ? 0 : last + 1);
  return text;
}

std::optional<uint64_t> leading_number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (problem != std::errc()) return std::nullopt;
  return value;
}

}  // namespace pj
