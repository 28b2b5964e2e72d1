#include "runtime/energy/json.h"

#include <algorithm>

namespace pj::energy {
namespace {

constexpr int kDeepest = 16;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool read(JsonMembers& members) {
    blanks();
    return rest_.starts_with('{') && value("", members, 0) && (blanks(), rest_.empty());
  }

 private:
  void blanks() {
    const size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end);
  }
  bool take(char c) {
    blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool value(const std::string& path, JsonMembers& members, int depth) {
    blanks();
    if (depth > kDeepest) return false;
    if (take('{')) return elements(path, members, depth, '}');
    if (take('[')) return elements(path, members, depth, ']');
    std::string& text = members[path];
    if (rest_.starts_with('"')) return string(text);
    // A number, true, false or null: whoever asks for a number checks it.
    const size_t end = std::min(rest_.find_first_of(" \t\r\n,]}\"[{:"), rest_.size());
    text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return end > 0;
  }
  bool elements(const std::string& path, JsonMembers& members, int depth, char close) {
    members[path] = close == '}' ? "{" : "[";
    for (int index = 0; !take(close); ++index) {
      if (index > 0 && !take(',')) return false;
      std::string name = std::to_string(index);
      if (close == '}' && !(blanks(), string(name) && take(':'))) return false;
      if (!value(path.empty() ? name : path + "." + name, members, depth + 1)) return false;
    }
    return true;
  }
  bool string(std::string& text) {
    if (!rest_.starts_with('"')) return false;
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return false;
    text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<JsonMembers> parse_json_object(std::string_view text) {
  JsonMembers members;
  if (!Reader(text).read(members)) return std::nullopt;
  return members;
}

}  // namespace pj::energy
