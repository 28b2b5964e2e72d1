#include "cli/tune_energy.h"

#include <algorithm>
#include <set>

#include "cli/energy_model.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "runtime/energy/attribution.h"
#include "runtime/energy/comparison.h"
#include "runtime/energy/meter.h"
#include "runtime/metering/plan_bench.h"
#include "runtime/metering/step_counter.h"
#include "runtime/plan/bands.h"
#include "runtime/tune/tune.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

// Parts of the budget.
constexpr double kTiming = 0.15, kTuning = 0.3, kMeasuring = 0.15, kComparing = 0.1;

int64_t part_ns(const EnergyObjective& objective, double part) {
  return static_cast<int64_t>(objective.budget_s * part * 1e9);
}

// Kernels of all steps and how they are walked: plans with the same ones are the same.
std::string kernels_of(const Session& session) {
  std::string kernels;
  for (const Step& step : session.program().steps)
    for (const LoopNest& nest : step.members) {
      kernels +=
          fmt::format("{}:{}:{}:{} ", nest.kernel, step.threads, step.steps.rows, step.steps.cols);
      for (const Loop& loop : nest.loops) kernels += fmt::format("{} ", loop.step);
    }
  return kernels;
}

class Chooser {
 public:
  explicit Chooser(const EnergyObjective& objective) : objective_(objective) {}

  EnergyChoice run() {
    add_plans();
    unwrap(time_plans(plans_, part_ns(objective_, kTiming)));
    find_energies();
    add_tuned();
    choice_.front = pareto_front(choices());
    decide();
    return std::move(choice_);
  }

 private:
  std::vector<Outcome> choices() const {
    std::vector<Outcome> all;
    for (const EnergyCandidate& c : choice_.candidates) all.push_back(c.choice);
    return all;
  }

  // Unless it is one that is there already.
  void add(const PlanName& name, std::shared_ptr<Model> model) {
    SessionOptions options;
    options.threads = name.threads;
    auto session = unwrap(Session::create(model, options));
    complete_shapes(*session);
    fill_random(*session);
    if (!seen_.insert(kernels_of(*session) + std::to_string(name.threads)).second) return;
    names_.push_back(name);
    plans_.push_back({std::move(session), {}, {}});
    models_.push_back(std::move(model));
  }

  // Every ISA level but the one without vectors, with and without bands, on 1, 2, 4, ... threads.
  void add_plans() {
    std::vector<std::string> levels = {""};
    const IsaSet host = unwrap(effective_isa());
    for (const IsaLevel& level : isa_levels())
      if (level.features != IsaSet{} && host.includes(level.features)) levels.push_back(level.name);
    const int most = objective_.threads > 0 ? objective_.threads : host_cpu().cores;
    for (const std::string& isa : levels) {
      for (const char* bands : {"on", "off"}) {
        ExecutionOptions options;
        options.isa = isa;
        options.bands = bands;
        const std::shared_ptr<Model> model = open_model(objective_.model, options).model;
        for (int threads = 1; threads <= most; threads *= 2) add({threads, isa, bands}, model);
      }
    }
  }

  // The cheapest plan, tuned, is one more.
  void add_tuned() {
    const auto best = cheapest(choices(), objective_.deadline_ms * 1e-3);
    if (!best) return;
    PlanName name = names_[*best];
    TuneOptions options;
    options.threads = name.threads;
    options.budget_ns = part_ns(objective_, kTuning);
    const TuneResult tuned = unwrap(tune(models_[*best], options));
    ModelOptions as_tuned = models_[*best]->options();
    as_tuned.chosen = tuned.plan;
    name.bands = "tuned";
    const size_t before = plans_.size();
    add(name, unwrap(Model::create(models_[*best]->graph(), as_tuned)));
    if (plans_.size() == before) return;
    unwrap(time_plans(plans_, part_ns(objective_, kTiming)));
    find_energies();
  }

  void find_energies() {
    if (choice_.origin.empty()) choose_source();
    const std::vector<Energy> energies = meter_ ? measured() : computed();
    choice_.candidates.clear();
    for (size_t i = 0; i < plans_.size(); ++i)
      choice_.candidates.push_back(
          {names_[i], plans_[i].fastest() * 1e3, {plans_[i].latency(), energies[i]}});
  }

  // A counter of this machine, else a model.
  void choose_source() {
    counters_ = find_counters(system_);
    const auto counter = step_counter(system_, counters_, objective_.counter);
    if (!objective_.counter.empty()) unwrap(counter);
    const bool fast = counter && (*counter)->info().kind == CounterKind::kAccumulating;
    if (objective_.energy_model.empty() && (fast || !objective_.counter.empty())) {
      meter_.emplace(**counter);
      choice_.origin = (*counter)->info().source + " " + (*counter)->info().domain;
      return;
    }
    const std::optional<FoundModel> found = find_energy_model(objective_.energy_model);
    if (!found)
      fail(
          "no power counter can be read and no figure for this CPU is known: `pj calibrate` makes "
          "a model, --energy-model FILE uses one");
    model_ = found->model;
    choice_.origin = model_->origin;
    const auto seconds = static_cast<size_t>(Term::kSeconds);
    if (objective_.idle_watts >= 0)
      model_->low[seconds] = model_->joules[seconds] = model_->high[seconds] =
          objective_.idle_watts;
    Terms second;
    second[Term::kSeconds] = 1;
    choice_.idle = model_->high[seconds] > 0 ? model_->estimate(second).watts_text(1)
                                             : "not known, taken as none (--idle-watts says it)";
  }

  std::vector<Energy> computed() const {
    std::vector<Energy> energies;
    for (const MeteredPlan& plan : plans_)
      energies.push_back(model_->estimate(plan_amounts(plan, objective_.period())));
    return energies;
  }

  std::vector<Energy> measured() {
    PlanBench bench(plans_, objective_.period(), [this] { return meter_->joules(); });
    AttributionOptions options;
    options.budget_ns = part_ns(objective_, kMeasuring);
    Attribution result = unwrap(attribute(bench, meter_->meter(), options));
    unwrap(bench.status());
    choice_.idle = "in the joules of a period, which were measured with it";
    return std::move(result.steps);
  }

  // Another plan than the default's has to need less for sure, unless that one is too slow.
  void decide() {
    const double deadline = objective_.deadline_ms * 1e-3;
    choice_.chosen = cheapest(choices(), deadline);
    if (!choice_.chosen) return;
    const size_t best = *choice_.chosen;
    const bool default_is_in_time = deadline == 0 || plans_[0].latency() <= deadline;
    if (best != 0 && default_is_in_time && !saves(best)) choice_.chosen = 0;
    choice_.model = models_[*choice_.chosen];
    choice_.plan = choice_.model->options().chosen.value_or(PlanChoices{});
    choice_.plan.bands = bands_of(plans_[*choice_.chosen].session->program());
  }

  bool saves(size_t plan) {
    if (model_) {
      const double period = objective_.period();
      const Energy difference =
          model_->difference(plan_amounts(plans_[plan], period), plan_amounts(plans_[0], period));
      choice_.saving = difference.text();
      return difference.is_saving();
    }
    PlanBench bench(plans_, objective_.period(), [this] { return meter_->joules(); });
    const Comparison c =
        unwrap(compare(bench, meter_->meter(), plan, 0, part_ns(objective_, kComparing)));
    choice_.saving = fmt::format("{:+.2f} % [{:+.2f}, {:+.2f}] measured, gross, in blocks A B B A",
                                 c.relative * 100, c.low * 100, c.high * 100);
    return c.verdict() == Comparison::Verdict::kFirstNeedsLess;
  }

  const EnergyObjective& objective_;
  EnergyChoice choice_;
  std::vector<PlanName> names_;  // one a plan, as are models
  std::vector<MeteredPlan> plans_;
  std::vector<std::shared_ptr<Model>> models_;
  std::set<std::string> seen_;
  HostSystem system_;
  Counters counters_;
  std::optional<LiveMeter> meter_;
  std::optional<EnergyModel> model_;
};

}  // namespace

EnergyChoice choose_by_energy(const EnergyObjective& objective) { return Chooser(objective).run(); }

}  // namespace pj::cli
