// Checks that the metadata of a .pj file can be read without leaving it.
#pragma once

#include <cstddef>
#include <span>

namespace pj::format {

// True if FlatBuffers' own verifier accepts the bytes as a Model, checks of alignment included, and
// walking over all tables visits at most `most_tables`, no deeper than `most_depth`. It also wants
// references to tables of a list to lie ahead of them, as those of fields do.
//
// A fraction of the instructions of the generated code: it knows the layouts (vtables) that tables
// of the same type had before, and most have one of these.
bool verify_metadata(std::span<const std::byte> metadata, size_t most_tables, int most_depth);

}  // namespace pj::format
