// A name that a user typed -> something to run: a file, or one of the models of this project. For
// its own programs; the library that others link takes files and has no models in it.
#pragma once

#include <string>
#include <string_view>

#include "converters/load/load.h"

namespace pj {

inline constexpr std::string_view kBuiltinPrefix = "builtin:";

// load_file(), or, for `builtin:NAME`, the default model (models/builtin.h) or a topology
// (models/topology.h). Errors: those of the file, reader, importer and builder, each beginning with
// the name.
Result<LoadedFile> load_named(const std::string& name);

}  // namespace pj
