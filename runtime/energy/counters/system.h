// The system as counters see it: files, commands, perf events and the clock. Everything lies under
// a root, so that a folder of recorded files can stand for a board; tests replace the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pj::energy {

// What a file or a command gave; `error` is an errno, 0 if it was read.
struct Text {
  int error = 0;
  std::string text;

  bool ok() const { return error == 0; }
};

class System {
 public:
  System() = default;
  virtual ~System() = default;
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  // The beginning of a file, at most 64 KiB.
  virtual Text read(const std::string& path) const = 0;
  // Names in a folder, sorted so that numbers in them count as numbers; empty if there is none.
  virtual std::vector<std::string> list(const std::string& path) const = 0;
  // Standard output of a program given by its absolute path. ENOENT if there is none, EIO if it
  // fails, ETIMEDOUT if it takes longer than 2 s.
  virtual Text run(const std::string& program, const std::string& argument) const = 0;

  // A counter of a perf PMU that counts for all of one CPU: a descriptor, or minus an errno.
  virtual int perf_open(uint32_t type, uint64_t config, int cpu) const = 0;
  virtual std::optional<uint64_t> perf_read(int descriptor) const = 0;
  virtual void perf_close(int descriptor) const = 0;

  // Monotonic.
  virtual int64_t now_ns() const = 0;
};

// This machine, or a folder that stands for one.
class HostSystem final : public System {
 public:
  // `root` stands before every path; empty is this machine. With a root, programs are looked for
  // below it, and there are no perf events.
  explicit HostSystem(std::string root) : root_(std::move(root)) {}
  // The root that the environment variable PJ_SYSROOT names.
  HostSystem();

  Text read(const std::string& path) const override;
  std::vector<std::string> list(const std::string& path) const override;
  Text run(const std::string& program, const std::string& argument) const override;
  int perf_open(uint32_t type, uint64_t config, int cpu) const override;
  std::optional<uint64_t> perf_read(int descriptor) const override;
  void perf_close(int descriptor) const override;
  int64_t now_ns() const override;

 private:
  std::string root_;
};

// "a\nb" -> "a"; without blanks at its ends.
std::string first_line(std::string_view text);

// Numbers in text from files. Nothing if it is no number, is negative where it must not be, or is
// too large.
std::optional<uint64_t> parse_unsigned(std::string_view text);
std::optional<int64_t> parse_signed(std::string_view text);
std::optional<double> parse_real(std::string_view text);  // finite

// The file as one number; nothing if it is unreadable or is none.
std::optional<uint64_t> read_unsigned(const System& system, const std::string& path);
// First line of a file; empty if it is unreadable.
std::string read_line(const System& system, const std::string& path);

// The n of "<prefix>n<suffix>" among `names`, in order: numbered("in", "_label") finds channels.
std::vector<int> numbered(std::span<const std::string> names, std::string_view prefix,
                          std::string_view suffix);

// "0,2-3" -> {0, 2, 3}; at most 4096 entries. Empty if it is no such list.
std::vector<int> parse_cpu_list(std::string_view text);

}  // namespace pj::energy
