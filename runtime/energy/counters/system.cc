#include "runtime/energy/counters/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "runtime/base/clock.h"
#include "runtime/base/real_number.h"

extern char** environ;

namespace pj::energy {
namespace {

constexpr size_t kMostBytes = 64 * 1024;
constexpr int64_t kCommandNs = 2'000'000'000;

// Digits compare by their value, so that hwmon10 comes after hwmon9.
bool natural_less(const std::string& a, const std::string& b) {
  size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    size_t ai = i, bj = j;
    while (ai < a.size() && digit(a[ai])) ++ai;
    while (bj < b.size() && digit(b[bj])) ++bj;
    if (ai - i != bj - j) return ai - i < bj - j;
    if (const int order = a.compare(i, ai - i, b, j, bj - j); order != 0) return order < 0;
    i = ai, j = bj;
  }
  return a.size() - i < b.size() - j;
}

// Reads until the end; what is beyond the limit is left.
int read_all(int fd, std::string& text, int64_t deadline_ns) {
  char buffer[4096];
  while (text.size() < kMostBytes) {
    if (deadline_ns > 0) {
      pollfd ready{fd, POLLIN, 0};
      const int64_t left = (deadline_ns - pj::now_ns()) / 1'000'000;
      if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) return ETIMEDOUT;
    }
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return 0;
}

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

HostSystem::HostSystem() {
  if (const char* root = std::getenv("PJ_SYSROOT")) root_ = root;
}

Text HostSystem::read(const std::string& path) const {
  const int fd = ::open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {errno, ""};
  Text result;
  result.error = read_all(fd, result.text, 0);
  ::close(fd);
  return result;
}

std::vector<std::string> HostSystem::list(const std::string& path) const {
  std::vector<std::string> names;
  DIR* folder = ::opendir((root_ + path).c_str());
  if (folder == nullptr) return names;
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  ::closedir(folder);
  std::sort(names.begin(), names.end(), natural_less);
  return names;
}

Text HostSystem::run(const std::string& program, const std::string& argument) const {
  std::string path = root_ + program, arg = argument;
  if (::access(path.c_str(), X_OK) != 0) return {errno, ""};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {errno, ""};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  char* argv[] = {path.data(), arg.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, path.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Text result{spawned, ""};
  if (spawned == 0) result.error = read_all(ends[0], result.text, pj::now_ns() + kCommandNs);
  ::close(ends[0]);
  if (spawned != 0) return result;
  if (result.error != 0) ::kill(child, SIGKILL);
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (result.ok() && (!WIFEXITED(state) || WEXITSTATUS(state) != 0)) result.error = EIO;
  return result;
}

int HostSystem::perf_open(uint32_t type, uint64_t config, int cpu) const {
  if (!root_.empty()) return -ENOENT;
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = type;
  attributes.config = config;
  const long fd = ::syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

std::optional<uint64_t> HostSystem::perf_read(int descriptor) const {
  uint64_t value = 0;
  if (::read(descriptor, &value, sizeof value) != sizeof value) return std::nullopt;
  return value;
}

void HostSystem::perf_close(int descriptor) const { ::close(descriptor); }

int64_t HostSystem::now_ns() const { return pj::now_ns(); }

std::string first_line(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::optional<uint64_t> parse_unsigned(std::string_view text) {
  return parse_number<uint64_t>(text);
}

std::optional<int64_t> parse_signed(std::string_view text) { return parse_number<int64_t>(text); }

std::optional<double> parse_real(std::string_view text) {
  const std::optional<double> value = real_number(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<uint64_t> read_unsigned(const System& system, const std::string& path) {
  const Text file = system.read(path);
  return file.ok() ? parse_unsigned(first_line(file.text)) : std::nullopt;
}

std::string read_line(const System& system, const std::string& path) {
  const Text file = system.read(path);
  return file.ok() ? first_line(file.text) : "";
}

std::vector<int> numbered(std::span<const std::string> names, std::string_view prefix,
                          std::string_view suffix) {
  std::vector<int> numbers;
  for (const std::string& name : names) {
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix))
      continue;
    const auto digits =
        std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    if (const auto n = parse_unsigned(digits); n && *n < 4096)
      numbers.push_back(static_cast<int>(*n));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const size_t dash = part.find('-');
    const auto first = parse_unsigned(part.substr(0, dash));
    const auto last = dash == part.npos ? first : parse_unsigned(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= 4096) return {};
    for (uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
    if (cpus.size() > 4096) return {};
  }
  return cpus;
}

}  // namespace pj::energy
