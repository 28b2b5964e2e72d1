#include "cli/step_energy.h"

#include <algorithm>
#include <set>

#include "cli/common.h"
#include "runtime/base/cpu.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

// What the step's kernels multiply.
Term mac_term(const Graph& graph, const Step& step) {
  for (int32_t index : step.op_indices) {
    const Op& op = graph.ops[static_cast<size_t>(index)];
    if (op.inputs.empty() || op.inputs[0] == kNoTensor) continue;
    const DType dtype = graph.tensor(op.inputs[0]).dtype;
    // Floats of 16 bits are computed in 32.
    return is_float(dtype) ? Term::kMacF32 : Term::kMacInt8;
  }
  return Term::kMacF32;
}

}  // namespace

// Operands that pass between the members of a band stay inside.
int64_t operand_bytes(const Graph& graph, const Step& step) {
  std::set<TensorId> inside, outside;
  for (size_t i = 0; i < step.op_indices.size(); ++i) {
    const Op& op = graph.ops[static_cast<size_t>(step.op_indices[i])];
    for (TensorId id : op.inputs)
      if (id != kNoTensor && !inside.contains(id)) outside.insert(id);
    const bool last = i + 1 == step.op_indices.size();
    for (TensorId id : op.outputs) (last ? outside : inside).insert(id);
  }
  int64_t bytes = 0;
  for (TensorId id : outside)
    if (id != kNoTensor) bytes += byte_size(graph.tensor(id));
  return bytes;
}

int64_t inference_bytes(const Session& session) {
  const CompiledModel& compiled = session.compiled();
  const Program& program = compiled.plan.program;
  int64_t bytes = program.arena_bytes + constant_bytes(compiled.graph);
  for (const IoBinding& io : program.inputs) bytes += io.bytes;
  for (const IoBinding& io : program.outputs) bytes += io.bytes;
  return bytes;
}

Terms step_amounts(const Session& session, const Step& step, double seconds, int64_t reuse_bytes) {
  const Graph& graph = session.compiled().graph;
  const int threads =
      step.threads > 0 ? std::min(step.threads, session.threads()) : session.threads();
  Terms amounts;
  amounts[Term::kSeconds] = seconds;
  amounts[Term::kCoreSeconds] = seconds * threads;
  amounts[mac_term(graph, step)] = static_cast<double>(step.macs);
  const CpuInfo& cpu = host_cpu();
  const auto bytes = static_cast<double>(operand_bytes(graph, step));
  if (reuse_bytes > cpu.l1_bytes) amounts[Term::kByteL1] = bytes;
  if (reuse_bytes > cpu.l2_bytes) amounts[Term::kByteL2] = bytes;
  if (reuse_bytes > std::max(cpu.l2_bytes, cpu.l3_bytes)) amounts[Term::kByteDram] = bytes;
  return amounts;
}

std::vector<Energy> step_energies(const Session& session, std::span<const double> seconds,
                                  const EnergyModel& model) {
  const int64_t reuse = inference_bytes(session);
  std::vector<Energy> energies;
  for (size_t i = 0; i < seconds.size(); ++i)
    energies.push_back(
        model.estimate(step_amounts(session, session.program().steps[i], seconds[i], reuse)));
  return energies;
}

}  // namespace pj::cli
