// Runs the built `pj` as a user would.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace pj::cli {

using Json = nlohmann::ordered_json;

struct ToolResult {
  int status = -1;  // exit status; 128 + signal if it was killed
  std::string out, err;
};

// `environment` holds NAME=VALUE pairs added to this process's own. `out_path`, if not empty, gets
// standard output instead of the result.
ToolResult pj(const std::vector<std::string>& args,
              const std::vector<std::string>& environment = {}, const std::string& out_path = "");

// A folder of its own for a test, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file, making folders on the way, and returns its path.
  std::string write(const std::string& name, const std::string& content) const;
  // Names of what is in it, sorted.
  std::vector<std::string> list() const;

 private:
  std::string path_;
};

// The content of a BMP file of 2x2 grey pixels, row by row from the top.
std::string grey_bmp(const std::string& pixels);

std::string read_text(const std::string& path);

}  // namespace pj::cli
