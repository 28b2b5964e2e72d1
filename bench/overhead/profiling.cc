// ./dev bench overhead: what profiling adds to an inference, without and with a power counter that
// is read meanwhile. The counter is a folder of files: what matters is that they are read. Times
// are the processor's, of all threads: so the one that reads counters counts in full, on whichever
// core it runs.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "converters/named/named.h"
#include "runtime/energy/counters/sampler.h"
#include "runtime/exec/session.h"

namespace {

using namespace pj;
namespace fs = std::filesystem;

constexpr int kBlocks = 40;               // of each kind
constexpr int64_t kBlockNs = 20'000'000;  // of running: the counters' thread wakes many times

// A machine with a counter of the CPU and a monitor of the board.
class CounterFolder {
 public:
  CounterFolder() : path_(fs::temp_directory_path() / "pj_bench_profiling") {
    write("sys/class/powercap/intel-rapl:0/name", "package-0");
    write("sys/class/powercap/intel-rapl:0/energy_uj", "1000000");
    write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850");
    write("sys/class/hwmon/hwmon0/name", "ina226");
    write("sys/class/hwmon/hwmon0/update_interval", "2");
    write("sys/class/hwmon/hwmon0/power1_input", "2500000");
  }
  ~CounterFolder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  void write(const std::string& name, const char* content) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << content << '\n';
  }
  fs::path path_;
};

int64_t processor_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Nanoseconds of an inference, on average over a block.
template <typename Run>
double block_ns(Run run) {
  const int64_t begin = processor_ns();
  int64_t runs = 0, now = begin;
  for (; now - begin < kBlockNs; now = processor_ns(), ++runs) run();
  return static_cast<double>(now - begin) / static_cast<double>(runs);
}

// The quietest blocks of each kind, taken in turn.
struct Costs {
  double plain = 1e300, profiled = 1e300, metered = 1e300;
};

Result<Costs> measure(Session& session) {
  const CounterFolder folder;
  const energy::HostSystem system(folder.path());
  const energy::Counters counters = find_counters(system);
  std::vector<energy::Counter*> usable;
  for (const auto& counter : counters)
    if (counter->info().usable()) usable.push_back(counter.get());
  Profile profile = session.make_profile();
  Status status;
  const auto keep = [&](const Status& done) {
    if (!done) status = done;
  };
  const auto profiled = [&] { keep(session.run(profile)); };
  Costs costs;
  for (int turn = 0; turn < 3 * kBlocks; ++turn) {
    // Each kind comes after each other one: 0 1 2, 2 1 0.
    const int kind = turn / 3 % 2 == 0 ? turn % 3 : 2 - turn % 3;
    if (kind == 0) costs.plain = std::min(costs.plain, block_ns([&] { keep(session.run()); }));
    if (kind == 1) costs.profiled = std::min(costs.profiled, block_ns(profiled));
    if (kind < 2) continue;
    energy::Sampler sampler(usable);
    sampler.start();
    costs.metered = std::min(costs.metered, block_ns(profiled));
    sampler.stop();
  }
  PJ_TRY(status);
  return costs;
}

Status report(const std::string& name) {
  PJ_ASSIGN(LoadedFile file, load_named(name));
  PJ_ASSIGN(const auto model, make_model(std::move(file)));
  PJ_ASSIGN(const auto session, Session::create(model));
  int64_t macs = 0;
  for (const Step& step : session->program().steps) macs += step.macs;
  PJ_ASSIGN(const Costs c, measure(*session));
  std::printf("%-28s %5.1f M MACs %9.1f us  profiled %+5.2f %%  and metered %+5.2f %%\n",
              name.c_str(), static_cast<double>(macs) * 1e-6, c.plain * 1e-3,
              (c.profiled / c.plain - 1) * 100, (c.metered / c.plain - 1) * 100);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> models(argv + 1, argv + argc);
  if (models.empty())
    models = {"builtin:fashion", "builtin:mobilenet_v2-96", "builtin:resnet18-64"};
  for (const std::string& model : models) {
    if (const Status done = report(model); !done) {
      std::fprintf(stderr, "bench_profiling: %s\n", done.error().message.c_str());
      return 1;
    }
  }
  return 0;
}
