// The arrows of docs/architecture.md: which folder may include which. Lower knows nothing of
// higher.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace pj {
namespace {

namespace fs = std::filesystem;

// A folder stands for all below it that have no entry of their own. What a folder may include,
// besides itself; an arrow is not inherited through another.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"include", {}},
    {"runtime/base", {}},
    {"runtime/graph", {"runtime/base"}},
    {"runtime/profile", {"runtime/base"}},
    {"runtime/peak", {"runtime/base"}},
    {"runtime/energy", {"runtime/base"}},
    {"kernels", {"runtime/base"}},
    {"runtime/passes", {"runtime/base", "runtime/graph", "kernels/reference", "kernels/kernel.h"}},
    {"runtime/plan", {"runtime/base", "runtime/graph", "runtime/passes", "kernels"}},
    {"runtime/format", {"runtime/base", "runtime/graph"}},
    {"runtime/exec",
     {"runtime/base", "runtime/graph", "runtime/passes", "runtime/plan", "runtime/profile",
      "kernels"}},
    {"runtime/metering",
     {"runtime/base", "runtime/graph", "runtime/plan", "runtime/profile", "runtime/energy",
      "runtime/exec"}},
    {"runtime/tune", {"runtime/base", "runtime/graph", "runtime/plan", "runtime/exec", "kernels"}},
    {"runtime/exec/xnnpack", {"runtime/base", "runtime/graph", "runtime/exec", "kernels"}},
    {"converters/tflite", {"runtime/base", "runtime/graph"}},
    {"models", {"runtime/base", "runtime/graph"}},
    {"converters/load",
     {"runtime", "converters/tflite", "kernels/registry.h", "kernels/catalog"}},
    {"converters/named", {"runtime", "converters/load", "models"}},
    {"bindings", {"include", "runtime", "converters/load", "kernels"}},
    {"cli", {"include", "runtime", "converters", "models", "kernels"}},
    {"examples", {"include"}},
    {"bench/peers", {"include"}},
    {"bench/kernels", {"runtime", "kernels", "tests/support"}},
    {"bench/overhead", {"runtime", "kernels", "converters", "tests/support"}},
};

// The planner works from descriptions: it must not see kernels' code. What prints must not see
// joules without their interval and source.
const std::map<std::string, std::set<std::string>> kMustNotInclude = {
    {"runtime/plan", {"kernels/registry.h"}},
    {"cli", {"runtime/energy/figures.h"}},
    {"bindings", {"runtime/energy/figures.h"}},
};

bool below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// The most specific folder of the map that contains `path`; empty if none.
std::string folder_of(const std::string& path) {
  std::string best;
  for (const auto& [folder, allowed] : kMayInclude)
    if (below(path, folder) && folder.size() > best.size()) best = folder;
  return best;
}

struct Include {
  std::string file, target;
};

std::vector<Include> all_includes() {
  const std::regex quoted(R"(^\s*#\s*include\s*"([^"]+)\")");
  std::vector<Include> includes;
  for (const char* top : {"include", "runtime", "kernels", "converters", "models", "bindings",
                          "cli", "examples", "bench"}) {
    const fs::path root = fs::path(PJ_SOURCE_DIR) / top;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cc" && extension != ".h" && extension != ".hpp" && extension != ".c")
        continue;
      std::ifstream in(entry.path());
      std::smatch match;
      for (std::string line; std::getline(in, line);) {
        if (!std::regex_search(line, match, quoted)) continue;
        includes.push_back({fs::relative(entry.path(), PJ_SOURCE_DIR).string(), match[1]});
      }
    }
  }
  return includes;
}

TEST(Architecture, IncludesFollowTheArrows) {
  const std::vector<Include> includes = all_includes();
  EXPECT_GT(includes.size(), 100u);
  for (const Include& i : includes) {
    // Generated headers and libraries' are not ours.
    const std::string to = folder_of(i.target), from = folder_of(i.file);
    ASSERT_FALSE(from.empty()) << i.file << " is in no folder of the map";
    if (to.empty() || to == from) continue;
    bool allowed = false;
    for (const std::string& a : kMayInclude.at(from)) allowed = allowed || below(i.target, a);
    if (const auto forbidden = kMustNotInclude.find(from); forbidden != kMustNotInclude.end())
      for (const std::string& f : forbidden->second) allowed = allowed && !below(i.target, f);
    EXPECT_TRUE(allowed) << i.file << " includes " << i.target << ": " << from << " must not know "
                         << to;
  }
}

TEST(Architecture, ExecutionNeverLooksAtTheOperatorsType) {
  for (const char* file : {"runtime/exec/nest.cc", "runtime/exec/session.cc", "runtime/exec/nest.h",
                           "runtime/exec/session.h"}) {
    std::ifstream in(fs::path(PJ_SOURCE_DIR) / file);
    ASSERT_TRUE(in) << file;
    for (std::string line; std::getline(in, line);)
      EXPECT_EQ(line.find("OpKind"), std::string::npos) << file << ": " << line;
  }
}

}  // namespace
}  // namespace pj
