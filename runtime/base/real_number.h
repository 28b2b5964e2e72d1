// Reading a real number from text.
#pragma once

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace pj {

// All of `text` as a number; nothing if it is something else.
inline std::optional<double> real_number(std::string_view text) {
#ifdef __cpp_lib_to_chars
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
#else
  // libc++ 19 reads integers only, the C library in the program's locale.
  const std::string copy(text);
  if (copy.empty() || std::isspace(static_cast<unsigned char>(copy[0])) != 0) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size()) return std::nullopt;
  return value;
#endif
}

}  // namespace pj
