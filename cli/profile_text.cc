// pj profile's table.
#include <algorithm>

#include "cli/errors.h"
#include "cli/profile_report.h"
#include "cli/step_traffic.h"
#include "cli/table.h"
#include "runtime/graph/op_table.h"

namespace pj::cli {
namespace {

// The layers of a band, below it.
void add_members(Table& table, const Graph& graph, const Step& step) {
  for (size_t m = 0; m < step.members.size(); ++m) {
    const Op& op = graph.ops[static_cast<size_t>(step.op_indices[m])];
    const Tensor& y = graph.tensor(op.outputs[0]);
    const int64_t macs = mac_count(graph, op);
    table.add({"", "  " + shorten(printable(op.name.empty() ? y.name : op.name), 30),
               op.display_name(), member_kernel(step, m), to_string(y.shape),
               macs > 0 ? count_text(macs) : "-", "", "", "", "", "", "", "", ""});
  }
}

void print_energy(const energy::SessionEnergies& energies) {
  if (!energies.total) return;
  fmt::print("energy of a run {}\n", energies.total->text());
  if (energies.residual) fmt::print("  of it not in steps: {}\n", energies.residual->text());
  fmt::print("  {}\n", printable(energies.origin));
}

}  // namespace

void print_text(const ProfileReport& report) {
  const Session& session = report.session();
  const Times& times = report.times;
  const energy::SessionEnergies& energies = report.energies;
  const std::vector<Traffic>& traffic = report.traffic;
  const Graph& graph = session.compiled().graph;
  const bool in_context = std::any_of(energies.repeated.begin(), energies.repeated.end(),
                                      [](const auto& energy) { return energy.has_value(); });
  Table table({{"#", true},
               {"name", false},
               {"op", false},
               {"kernel", false},
               {"output", false},
               {"MACs", true},
               {"ms", true},
               {"share", true},
               {"GMAC/s", true},
               {"L2 kB", true},
               {"DRAM kB", true},
               {"bound", false},
               {energies.steps.empty() ? "" : "energy", false},
               {in_context ? "repeated by itself" : "", false}});
  for (size_t i = 0; i < times.steps.size(); ++i) {
    const Step& step = session.program().steps[i];
    const auto outputs = step_tensors(graph, step, false);
    table.add({fmt::format("{}", i), shorten(printable(step.name), 32), step.op,
               kernel_name(session, step),
               outputs.empty() ? "-" : to_string(graph.tensor(outputs[0]).shape),
               step.macs > 0 ? count_text(step.macs) : "-", ms_text(times.steps[i]),
               fmt::format("{:.1f} %", times.share(i) * 100),
               step.macs > 0 ? fmt::format("{:.1f}", gmacs(step.macs, times.steps[i])) : "-",
               kilobytes_text(traffic[i].l2_bytes), kilobytes_text(traffic[i].dram_bytes),
               report.bounds[i].name, energies.steps.empty() ? "" : energies.steps[i].text(),
               energies.repeated_step(i) ? energies.repeated_step(i)->text() : ""});
    if (step.band()) add_members(table, graph, step);
  }
  fmt::print("{}", table.to_string());
  const int64_t macs = total_macs(session.program());
  fmt::print(
      "\nsum of steps {} ms, whole run {} ms, overhead {} ms ({:.1f} %); {} MACs, {:.1f} GMAC/s\n"
      "fastest of {} runs, for each step and for the whole (mean of a run {} ms); {} thread{}, "
      "{}\n",
      ms_text(times.sum), ms_text(times.whole), ms_text(times.whole - times.sum),
      times.whole > 0 ? (times.whole - times.sum) / times.whole * 100 : 0, count_text(macs),
      gmacs(macs, times.whole), report.runs, ms_text(times.mean), session.threads(),
      session.threads() == 1 ? "" : "s", level_name(report.open.model->options().target.isa));
  if (const double bound = bound_ms(report.bounds); bound > 0 && times.whole > 0) {
    fmt::print("bound of arithmetic and bytes {} ms: {:.0f} % of it reached\n", ms_text(bound),
               bound / times.whole * 100);
  }
  print_traffic(total_of(traffic));
  print_energy(energies);
  for (const std::string& hint : report.hints) fmt::print("hint: {}\n", hint);
}

}  // namespace pj::cli
