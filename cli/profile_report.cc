#include "cli/profile_report.h"

namespace pj::cli {

Times::Times(const Profile& profile) {
  mean = static_cast<double>(profile.total_ns) / static_cast<double>(profile.runs) * 1e-6;
  for (const double seconds : energy::step_seconds(profile)) {
    steps.push_back(seconds * 1e3);
    sum += steps.back();
  }
  whole = static_cast<double>(profile.min_total_ns) * 1e-6;
}

double gmacs(int64_t macs, double ms) {
  return ms > 0 ? static_cast<double>(macs) / (ms * 1e6) : 0;
}

std::string member_kernel(const Step& step, size_t member) {
  return kernel_catalog()[static_cast<size_t>(step.members[member].kernel)].name;
}

std::string kernel_name(const Session& session, const Step& step) {
  if (step.prepared) {
    const Op& op = session.compiled().graph.ops[static_cast<size_t>(step.op_indices[0])];
    return session.model().options().prepared->kernel_name(op);
  }
  if (step.band()) {
    const std::string strips =
        step.steps.cols > 0 ? fmt::format(" x {} columns", step.steps.cols) : "";
    return fmt::format("{} rows{} of {} layers", step.steps.rows, strips, step.members.size());
  }
  return member_kernel(step, 0);
}

// The tensors that go into a step or come out of it.
std::vector<TensorId> step_tensors(const Graph& graph, const Step& step, bool inputs) {
  if (step.op_indices.empty()) return {};
  const Op& op =
      graph.ops[static_cast<size_t>(inputs ? step.op_indices.front() : step.op_indices.back())];
  std::vector<TensorId> present;
  for (TensorId id : inputs ? op.inputs : op.outputs)
    if (id != kNoTensor) present.push_back(id);
  return present;
}

int64_t total_macs(const Program& program) {
  int64_t macs = 0;
  for (const Step& step : program.steps) macs += step.macs;
  return macs;
}

}  // namespace pj::cli
