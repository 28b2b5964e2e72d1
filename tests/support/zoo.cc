#include "tests/support/zoo.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace pj::testing {

std::string zoo_folder() {
  const char* env = std::getenv("PJ_ZOO");
  return env != nullptr ? env : PJ_SOURCE_DIR "/../shared/zoo";
}

std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(in), {}};
  const auto* bytes = reinterpret_cast<const std::byte*>(chars.data());
  return {bytes, bytes + chars.size()};
}

std::vector<ZooModel> zoo_models() {
  const std::string folder = zoo_folder();
  std::ifstream in(folder + "/zoo.json");
  if (!in) return {};
  std::vector<ZooModel> models;
  for (const auto& entry : nlohmann::json::parse(in)) {
    ZooModel m;
    m.name = entry["name"];
    m.path = folder + "/" + std::string(entry["file"]);
    m.numeric = entry["numeric"];
    const std::string golden = folder + "/" + std::string(entry["golden"]["dir"]) + "/";
    for (const auto& i : entry["golden"]["inputs"])
      m.inputs.push_back(golden + std::string(i["file"]));
    for (const auto& o : entry["golden"]["outputs"]) {
      m.outputs.push_back(golden + std::string(o["file"]));
      m.output_types.push_back(o["dtype"]);
    }
    models.push_back(std::move(m));
  }
  return models;
}

}  // namespace pj::testing
