// Text as the bytes that files and checksums are about.
#pragma once

#include <span>
#include <string_view>

namespace pj {

inline std::span<const std::byte> bytes_of(std::string_view s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}

}  // namespace pj
