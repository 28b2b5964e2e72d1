// Small files with which the system describes itself: /proc, /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pj {

// What stands before every path of the system: the folder that the environment variable PJ_SYSROOT
// names, with recorded files of another machine, or nothing.
std::string system_root();

// The beginning of a file, at most 64 KiB, without blanks and NULs at its end; empty if it cannot
// be read.
std::string read_system_file(const std::string& path);

// The number at the beginning of `text`, decimal or, after 0x, hexadecimal. Nothing if there is
// none or it does not fit.
std::optional<uint64_t> leading_number(std::string_view text);

}  // namespace pj
