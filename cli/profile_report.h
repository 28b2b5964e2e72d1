// What `pj profile` found, and the forms in which it is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/common.h"
#include "cli/step_bound.h"
#include "cli/trace.h"
#include "runtime/metering/session_profile.h"
#include "runtime/plan/traffic.h"
#include "runtime/profile/profile.h"

namespace pj::cli {

// Times in ms: of each step and of a whole run the fastest, since what disturbs a run only ever
// adds.
struct Times {
  Times() = default;
  explicit Times(const Profile& profile);
  double share(size_t i) const { return sum > 0 ? steps[i] / sum : 0; }

  std::vector<double> steps;
  double sum = 0, whole = 0, mean = 0;
};

struct ProfileReport {
  const OpenModel& open;
  int64_t runs;
  Times times;
  std::vector<Traffic> traffic;  // one a step, as are bounds
  MachinePeak peak;
  std::vector<StepBound> bounds;
  std::vector<std::string> hints;
  energy::SessionEnergies energies;

  const Session& session() const { return *open.session; }
  const Step& step(size_t i) const { return session().program().steps[i]; }
};

// 10^9 MACs a second.
double gmacs(int64_t macs, double ms);
// Kernel of one member of a step, and what stands for all.
std::string member_kernel(const Step& step, size_t member);
std::string kernel_name(const Session& session, const Step& step);
// The tensors that go into a step or come out of it.
std::vector<TensorId> step_tensors(const Graph& graph, const Step& step, bool inputs);
int64_t total_macs(const Program& program);

Json to_json(const ProfileReport& report);
void print_text(const ProfileReport& report);
// One file that needs no other and no network.
std::string to_html(const ProfileReport& report, const Trace& trace);
// Chrome's trace event format, which Perfetto reads too.
Json to_trace_json(const ProfileReport& report, const Trace& trace);

}  // namespace pj::cli
