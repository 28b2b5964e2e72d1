// The real system, with a folder as its root.
#include "runtime/energy/counters/system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/energy/boards.h"
#include "tests/support/temporary.h"

namespace pj::energy {
namespace {

namespace fs = std::filesystem;

class SystemFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::temporary_path("energy");
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& content) const {
    const fs::path file = root_.string() + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  fs::path root_;
};

std::multimap<std::string, std::string> summary(const Counters& counters) {
  std::multimap<std::string, std::string> places;
  for (const auto& c : counters) places.emplace(c->info().where, c->info().problem);
  return places;
}

TEST_F(SystemFolder, HoldsTheSameCountersAsInMemory) {
  for (const Board& b : boards()) {
    if (std::string(b.name) == "pi5") continue;  // its file is a program's output
    fs::remove_all(root_);
    for (const BoardFile& file : b.files) write(file.path, file.content);
    const HostSystem on_disk(root_.string());
    FakeSystem in_memory(b.name);
    in_memory.perf_failure = ENOENT;
    const Counters expected = find_counters(in_memory), found = find_counters(on_disk);
    EXPECT_EQ(summary(found), summary(expected)) << b.name;
  }
}

TEST_F(SystemFolder, RunsItsOwnProgramsOnly) {
  const HostSystem system(root_.string());
  EXPECT_EQ(system.run("/bin/echo", "hello").error, ENOENT);
  write("/bin/hello", "#!/bin/sh\necho \"hello $1\"\n");
  write("/bin/fails", "#!/bin/sh\nexit 3\n");
  for (const char* name : {"/bin/hello", "/bin/fails"})
    ASSERT_EQ(chmod((root_.string() + name).c_str(), 0755), 0);
  EXPECT_EQ(system.run("/bin/hello", "you").text, "hello you\n");
  EXPECT_EQ(system.run("/bin/fails", "").error, EIO);
}

TEST_F(SystemFolder, ListsNumbersInOrder) {
  for (const char* name : {"hwmon10", "hwmon9", "hwmon1", "a"})
    write(std::string("/sys/") + name, "");
  EXPECT_EQ(HostSystem(root_.string()).list("/sys"),
            (std::vector<std::string>{"a", "hwmon1", "hwmon9", "hwmon10"}));
  EXPECT_TRUE(HostSystem(root_.string()).list("/nothing").empty());
}

TEST(ParseText, NumbersAndLists) {
  EXPECT_EQ(parse_unsigned("42"), 42u);
  for (const char* bad : {"", "-1", "4 2", "0x4", "18446744073709551616"})
    EXPECT_FALSE(parse_unsigned(bad)) << bad;
  for (const char* bad : {"nan", "inf", "1e400", "", "5W"}) EXPECT_FALSE(parse_real(bad)) << bad;
  EXPECT_EQ(parse_cpu_list("0,2-4"), (std::vector<int>{0, 2, 3, 4}));
  for (const char* bad : {"", "4-2", "0-9999999", "a", "1-"})
    EXPECT_TRUE(parse_cpu_list(bad).empty()) << bad;
}

}  // namespace
}  // namespace pj::energy
