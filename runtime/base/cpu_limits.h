// How much of the CPUs a control group grants this process.
#pragma once

#include <optional>
#include <string>

namespace pj {

// Cores' worth of time, of the tightest limit on the way from this process's group to the root:
// cpu.max of version 2, cpu.cfs_quota_us of version 1. Nothing if there is no limit. `root` stands
// before every path. Which cores may be used at all (cpuset) is in the process's affinity.
// Source: Linux, Documentation/admin-guide/cgroup-v2.rst, scheduler/sched-bwc.rst.
std::optional<double> granted_cores(const std::string& root);

}  // namespace pj
