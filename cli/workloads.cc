#include "cli/workloads.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/peak/available.h"
#include "runtime/peak/peak.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

// About what a repetition takes, so that a counter's window holds many and a call costs nothing.
constexpr int64_t kRestNs = 1'000'000;
constexpr int64_t kLoopRepeats = 2000, kAdditions = 1 << 16;

// Bytes from a farther memory pass every nearer one.
Terms stream_amounts(std::string_view level, double bytes) {
  Terms terms;
  constexpr std::pair<const char*, Term> kLevels[] = {{"L1", Term::kByteL1},
                                                      {"L2", Term::kByteL2},
                                                      {"L3", Term::kByteL3},
                                                      {"DRAM", Term::kByteDram}};
  for (const auto& [name, term] : kLevels) {
    if (term == Term::kByteL3 && host_cpu().l3_bytes == 0) continue;
    terms[term] = bytes;
    if (level == name) break;
  }
  return terms;
}

}  // namespace

Workloads::Workloads(const CpuInfo& cpu, int threads) {
  list_.push_back({"rest", 0, {}, [](int, int64_t repetitions) {
                     std::this_thread::sleep_for(std::chrono::nanoseconds(kRestNs * repetitions));
                   }});
  add({"additions",
       1,
       {},
       [](int, int64_t repetitions) {
         for (; repetitions > 0; --repetitions) peak::dependent_additions(kAdditions);
       }},
      threads);
  add_arithmetic(cpu, threads);
  add_streams(cpu, threads);
}

Terms Workloads::amounts(const Workload& workload, double seconds) {
  Terms terms = workload.amounts;
  for (double& value : terms.values) value *= workload.threads;
  terms[Term::kSeconds] = seconds;
  terms[Term::kCoreSeconds] = seconds * workload.threads;
  return terms;
}

// On one core and on all, which tells the machine's power from that of its cores.
void Workloads::add(Workload workload, int threads) {
  list_.push_back(workload);
  if (threads == 1) return;
  workload.threads = threads;
  workload.name += fmt::format(" x{}", threads);
  list_.push_back(std::move(workload));
}

// Several levels do the same multiplications in more or less time.
void Workloads::add_arithmetic(const CpuInfo& cpu, int threads) {
  for (const peak::LevelLoops* level : peak::available_loops(cpu.isa)) {
    for (const peak::ArithmeticLoop& loop : level->arithmetic) {
      const bool integer = loop.type == DType::kI8;
      Terms terms;
      terms[integer ? Term::kMacInt8 : Term::kMacF32] =
          static_cast<double>(kLoopRepeats) * loop.chains * loop.step_macs;
      add({fmt::format("{} {}", name_of(loop.type), level->level), 1, terms,
           [run = loop.run](int, int64_t repetitions) { run(kLoopRepeats * repetitions); }},
          threads);
    }
  }
}

void Workloads::add_streams(const CpuInfo& cpu, int threads) {
  const peak::MoveLoops moves = peak::widest_moves(cpu.isa);
  for (const MemoryBuffer& memory : memory_buffers(cpu)) {
    // Streams of several cores share what is beyond their own caches, so each goes through a part.
    const bool shared = memory.level == std::string("L3") || memory.level == std::string("DRAM");
    const size_t bytes = static_cast<size_t>(memory.bytes);
    AlignedBuffer buffer(shared ? bytes : bytes * static_cast<size_t>(threads));
    if (buffer.size() == 0) continue;
    std::memset(buffer.data(), 1, buffer.size());  // pages never written are all one page
    std::byte* begin = buffer.data();
    buffers_.push_back(std::move(buffer));
    // Repetitions of DRAM are pieces of the buffer that follow each other.
    const size_t piece = std::min<size_t>(bytes, 1 << 20) / peak::kMoveBlock * peak::kMoveBlock;
    const size_t pieces = bytes / piece;
    add({fmt::format("load {}", memory.level), 1,
         stream_amounts(memory.level, static_cast<double>(piece)),
         [=, load = moves.load, next = std::make_shared<std::vector<size_t>>(kMaxThreads)](
             int slot, int64_t repetitions) {
           size_t& at = (*next)[static_cast<size_t>(slot)];
           const auto who = static_cast<size_t>(slot);
           std::byte* own = shared ? begin : begin + who * bytes;
           const size_t offset = shared ? who * pieces / static_cast<size_t>(threads) : 0;
           for (; repetitions > 0; --repetitions, ++at)
             load(own + (at + offset) % pieces * piece, piece);
         }},
        threads);
  }
}

void WorkloadBench::run(size_t step, int64_t repetitions) {
  const Workload& workload = workloads_.list()[step];
  if (workload.threads <= 1) {
    workload.run(0, repetitions);
    return;
  }
  struct Shared {
    const Workload& workload;
    int64_t repetitions;
  } shared{workload, repetitions};
  pool_.run(
      workload.threads,
      [](void* s, int slot) {
        const auto& work = *static_cast<Shared*>(s);
        work.workload.run(slot, work.repetitions);
      },
      &shared, true);
}

void WorkloadBench::run_all(int64_t repetitions) {
  for (; repetitions > 0; --repetitions)
    for (size_t step = 0; step < steps(); ++step) run(step, 1);
}

void WorkloadBench::idle(int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

int64_t WorkloadBench::now_ns() { return pj::now_ns(); }

}  // namespace pj::cli
