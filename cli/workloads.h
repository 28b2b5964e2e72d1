// Micro-workloads that do one thing only, for calibrating an energy model: rest, spin, arithmetic
// in registers, streams from each memory; on one core and on all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/aligned.h"
#include "runtime/base/cpu.h"
#include "runtime/energy/model.h"
#include "runtime/energy/window.h"
#include "runtime/exec/thread_pool.h"

namespace pj::cli {

struct Workload {
  std::string name;  // "int8 avx2", "load L2", "rest"
  int threads = 1;   // 0: the machine rests
  // Of one repetition, besides time.
  energy::Terms amounts;
  // On one thread, which `slot` names.
  std::function<void(int slot, int64_t repetitions)> run;
};

// Those that this CPU can run; `threads` is the number of cores to use. Buffers that cannot be
// allocated are left out.
class Workloads {
 public:
  Workloads(const CpuInfo& cpu, int threads);

  const std::vector<Workload>& list() const { return list_; }
  // What `repetitions` of a workload that took `seconds` did.
  static energy::Terms amounts(const Workload& workload, double seconds);

 private:
  void add(Workload workload, int threads);
  void add_arithmetic(const CpuInfo& cpu, int threads);
  void add_streams(const CpuInfo& cpu, int threads);

  std::vector<Workload> list_;
  std::vector<AlignedBuffer> buffers_;
};

// Workloads as the steps of a bench, whose counter is `joules`.
class WorkloadBench final : public energy::Bench {
 public:
  // Both outlive the bench; the pool has as many threads as the workloads use.
  WorkloadBench(const Workloads& workloads, ThreadPool& pool,
                std::function<Result<double>()> joules)
      : workloads_(workloads), pool_(pool), joules_(std::move(joules)) {}

  size_t steps() const override { return workloads_.list().size(); }
  void prepare(size_t step) override { run(step, 1); }
  void run(size_t step, int64_t repetitions) override;
  void run_all(int64_t repetitions) override;
  void idle(int64_t ns) override;
  int64_t now_ns() override;
  Result<double> joules() override { return joules_(); }

 private:
  const Workloads& workloads_;
  ThreadPool& pool_;
  std::function<Result<double>()> joules_;
};

}  // namespace pj::cli
