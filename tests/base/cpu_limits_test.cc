#include "runtime/base/cpu_limits.h"

#include <gtest/gtest.h>

#include "tests/base/machine.h"

namespace pj {
namespace {

using testing::Machine;
using Files = std::map<std::string, std::string>;

std::optional<double> granted(const Files& files) { return granted_cores(Machine(files).root()); }

TEST(GrantedCores, AreUnlimitedWithoutAnyFile) { EXPECT_EQ(granted({}), std::nullopt); }

TEST(GrantedCores, OfVersion2) {
  // As in a container, which sees its own group as the root.
  EXPECT_EQ(
      granted({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "150000 100000\n"}}),
      1.5);
  EXPECT_EQ(granted({{"/sys/fs/cgroup/cpu.max", "max 100000\n"}}), std::nullopt);
}

TEST(GrantedCores, TheTightestLimitOnTheWayUpCounts) {
  Files files = {{"/proc/self/cgroup", "0::/user.slice/job.scope\n"},
                 {"/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n"},
                 {"/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n"}};
  EXPECT_EQ(granted(files), 2.0);
  files["/sys/fs/cgroup/user.slice/job.scope/cpu.max"] = "50000 100000\n";
  EXPECT_EQ(granted(files), 0.5);
  files["/sys/fs/cgroup/other/cpu.max"] = "1000 100000\n";
  EXPECT_EQ(granted(files), 0.5);
}

TEST(GrantedCores, OfVersion1) {
  Files files = {{"/proc/self/cgroup", "4:cpu,cpuacct:/docker/1234\n3:cpuset:/\n0::/\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(granted(files), 2.5);
  files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = "-1\n";
  EXPECT_EQ(granted(files), std::nullopt);
}

TEST(GrantedCores, NonsenseIsNoLimit) {
  for (const char* text :
       {"", "x", "100000", "100000 0", "0 100000", "-5 100000", " ", "99999999999999999999 100000"})
    EXPECT_EQ(granted({{"/sys/fs/cgroup/cpu.max", text}}), std::nullopt) << text;
}

}  // namespace
}  // namespace pj
