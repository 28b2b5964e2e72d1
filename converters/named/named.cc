#include "converters/named/named.h"

#include "models/builtin.h"
#include "models/topology.h"

namespace pj {
namespace {

Result<LoadedFile> load_builtin(std::string_view name) {
  if (const BuiltinModel* model = find_builtin(name))
    return load_bytes(SharedBytes{model->file, nullptr}, model->name);
  PJ_ASSIGN(const TopologySpec spec, parse_topology(name));
  LoadedFile loaded;
  loaded.kind = FileKind::kTopology;
  PJ_ASSIGN(loaded.graph, build_topology(spec));
  return loaded;
}

}  // namespace

Result<LoadedFile> load_named(const std::string& name) {
  if (!name.starts_with(kBuiltinPrefix)) return load_file(name);
  Result<LoadedFile> loaded = load_builtin(std::string_view(name).substr(kBuiltinPrefix.size()));
  if (!loaded) return in_context(name, std::move(loaded.error()));
  return loaded;
}

}  // namespace pj
