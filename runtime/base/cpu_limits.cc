#include "runtime/base/cpu_limits.h"

#include <algorithm>
#include <string_view>

#include "runtime/base/system_file.h"

namespace pj {
namespace {

// Path of this process's group in the hierarchy whose line in /proc/self/cgroup has `controllers`
// ("0::/path", "4:cpu,cpuacct:/path"). The root's, "/", if there is no such line: in a container
// that sees only its own groups these are the root.
std::string group_of(std::string_view groups, std::string_view controllers) {
  while (!groups.empty()) {
    const std::string_view line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(line.size() + 1, groups.size()));
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    if (line.substr(first + 1, second - first - 1) == controllers)
      return std::string(line.substr(second + 1));
  }
  return "/";
}

std::optional<double> ratio(std::optional<uint64_t> quota, std::optional<uint64_t> period) {
  if (!quota || !period || *quota == 0 || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// "150000 100000"; "max 100000" is no limit.
std::optional<double> limit_v2(const std::string& folder) {
  const std::string text = read_system_file(folder + "/cpu.max");
  const size_t blank = text.find(' ');
  if (blank == text.npos) return std::nullopt;
  return ratio(leading_number(text), leading_number(std::string_view(text).substr(blank + 1)));
}

// A quota of -1 is no limit.
std::optional<double> limit_v1(const std::string& folder) {
  return ratio(leading_number(read_system_file(folder + "/cpu.cfs_quota_us")),
               leading_number(read_system_file(folder + "/cpu.cfs_period_us")));
}

// The tightest limit of the group and those above it.
template <typename Limit>
std::optional<double> tightest(const std::string& hierarchy, std::string group, Limit limit_of) {
  std::optional<double> least;
  while (true) {
    const std::optional<double> limit = limit_of(hierarchy + group);
    if (limit && (!least || *limit < *least)) least = limit;
    const size_t slash = group.rfind('/');
    if (group.empty() || slash == group.npos) return least;
    group.resize(slash);
  }
}

}  // namespace

std::optional<double> granted_cores(const std::string& root) {
  const std::string groups = read_system_file(root + "/proc/self/cgroup");
  const std::string mounts = root + "/sys/fs/cgroup";
  std::optional<double> granted = tightest(mounts, group_of(groups, ""), limit_v2);
  for (const char* controllers : {"cpu,cpuacct", "cpu"}) {
    if (granted) break;
    granted = tightest(mounts + "/" + controllers, group_of(groups, controllers), limit_v1);
  }
  return granted;
}

}  // namespace pj
