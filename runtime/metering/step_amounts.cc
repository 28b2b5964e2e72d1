#include "runtime/metering/step_amounts.h"

#include <algorithm>
#include <set>

namespace pj::energy {
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

int step_threads(const Session& session, const Step& step) {
  return step.threads > 0 ? std::min(step.threads, session.threads()) : session.threads();
}

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

Terms step_amounts(const Session& session, const Step& step, double seconds,
                   const Traffic& traffic) {
  Terms amounts;
  amounts[Term::kSeconds] = seconds;
  amounts[Term::kCoreSeconds] = seconds * step_threads(session, step);
  amounts[mac_term(session.compiled().graph, step)] = static_cast<double>(step.macs);
  amounts[Term::kByteL1] = static_cast<double>(traffic.l1_bytes);
  amounts[Term::kByteL2] = static_cast<double>(traffic.l2_bytes);
  amounts[Term::kByteL3] = static_cast<double>(traffic.l3_bytes);
  amounts[Term::kByteDram] = static_cast<double>(traffic.dram_bytes);
  return amounts;
}

Traffic repeated_traffic(const Session& session, const Step& step, Traffic traffic) {
  const Target& target = session.model().options().target;
  const int64_t bytes = operand_bytes(session.compiled().graph, step);
  if (bytes <= target.l1_bytes) traffic.l2_bytes = 0;
  if (bytes <= target.l2_bytes) traffic.l3_bytes = 0;
  if (bytes <= std::max(target.l2_bytes, target.l3_bytes)) traffic.dram_bytes = 0;
  return traffic;
}

std::vector<Energy> step_energies(const Session& session, std::span<const double> seconds,
                                  std::span<const Traffic> traffic, const EnergyModel& model) {
  std::vector<Energy> energies;
  for (size_t i = 0; i < seconds.size(); ++i)
    energies.push_back(
        model.estimate(step_amounts(session, session.program().steps[i], seconds[i], traffic[i])));
  return energies;
}

}  // namespace pj::energy
