// A machine with a power counter, as a folder in which one file grows.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "runtime/base/clock.h"
#include "tests/cli/tool.h"

namespace pj::cli {

// A counter in a file that grows by 2 W.
class LiveCounter {
 public:
  explicit LiveCounter(const Folder& root) : folder_(root.path() + "/sys/class/powercap/") {
    root.write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
    root.write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
    root.write("sys/class/powercap/intel-rapl:0/energy_uj", "1000\n");
    thread_ = std::thread([this] {
      const int64_t start = now_ns();
      while (!stop_) {
        // Renamed, so that nobody reads half a number.
        const std::string next = folder_ + "next", file = folder_ + "intel-rapl:0/energy_uj";
        std::ofstream(next) << 1000 + (now_ns() - start) / 500 << '\n';
        std::rename(next.c_str(), file.c_str());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  ~LiveCounter() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::string folder_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace pj::cli
