#include "tests/cli/tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& s : strings) list.push_back(s.data());
  list.push_back(nullptr);
  return list;
}

// "NAME=" of "NAME=value".
std::string_view name_of_variable(std::string_view entry) {
  return entry.substr(0, entry.find('=') + 1);
}

// This process's environment without what would change the tool's choices, and with `added`, which
// replaces variables of the same name.
std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name = name_of_variable(*entry);
    const bool replaced = std::any_of(added.begin(), added.end(), [&](const std::string& a) {
      return name_of_variable(a) == name;
    });
    if (!replaced && name != "PJ_ISA=") all.emplace_back(*entry);
  }
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

}  // namespace

ToolResult pj(const std::vector<std::string>& args, const std::vector<std::string>& environment,
              const std::string& out_path) {
  const Folder folder;
  const std::string out = out_path.empty() ? folder.file("out") : out_path;
  const std::string err = folder.file("err");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);

  std::vector<std::string> argv{PJ_TOOL};
  argv.insert(argv.end(), args.begin(), args.end());
  std::vector<std::string> env = environment_with(environment);
  pid_t child = 0;
  ToolResult result;
  const int spawned = posix_spawn(&child, argv[0].c_str(), &actions, nullptr, pointers(argv).data(),
                                  pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return result;
  int state = 0;
  waitpid(child, &state, 0);
  result.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  if (out_path.empty()) result.out = read_text(out);
  result.err = read_text(err);
  return result;
}

Folder::Folder() {
  path_ = testing::temporary_path("cli");
  fs::create_directories(path_);
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& content) const {
  const std::string path = file(name);
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::vector<std::string> Folder::list() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string grey_bmp(const std::string& pixels) {
  // File header (14 bytes: magic, size, 0, offset of the pixels), then the 40 bytes of a
  // BITMAPINFOHEADER: its size, width, height, planes, bits a pixel, and defaults.
  std::string file("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0", 30);
  file.resize(54, '\0');
  // Rows from the bottom, three equal bytes a pixel, padded to 4 bytes.
  for (size_t i : {2, 3, 0, 1}) {
    file.append(3, pixels[i]);
    if (i % 2 == 1) file.append(2, '\0');
  }
  return file;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace pj::cli
