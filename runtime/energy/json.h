// Just enough JSON to read small files of numbers and words: objects become paths.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pj::energy {

// The members of an object and of objects in it: "joules.seconds.value" -> "0.5". Strings are
// without their quotes, escapes in them stay as they are; objects themselves are "{", arrays "[",
// with their elements as "name.0", "name.1", ... Nothing if `text` is no JSON object, nests deeper
// than 16, or is followed by more than blanks.
using JsonMembers = std::map<std::string, std::string, std::less<>>;
std::optional<JsonMembers> parse_json_object(std::string_view text);

}  // namespace pj::energy
