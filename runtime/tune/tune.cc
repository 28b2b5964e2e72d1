#include "runtime/tune/tune.h"

#include <algorithm>
#include <optional>

#include "runtime/base/clock.h"
#include "runtime/exec/session.h"
#include "runtime/plan/bands.h"
#include "runtime/plan/lower.h"

namespace pj {
namespace {

using Bands = std::vector<BandChoice>;

// A candidate has to be this much faster: less is within what measuring the same plan twice gives.
constexpr double kLeastGain = 0.99;
constexpr double kLeastStepGain = 0.97;  // of one step, whose time varies more
constexpr int kRounds = 12;              // of one comparison, each of both plans
constexpr int64_t kRoundNs = 2'000'000;  // of one plan in a round, at least one inference
constexpr int32_t kRowChoices[] = {1, 2, 4, 8, 16};
constexpr int32_t kColChoices[] = {14, 28, 56};
constexpr int32_t kNewMembers[] = {2, 3};
constexpr int32_t kNewRows = 4;
constexpr size_t kOtherKernels = 3;

// One difference to the plan at hand: the band that begins with the operator of `band` is to be
// this one, or none if it has no rows.
struct Move {
  BandChoice band;
};

// One difference in all layers, each of which is measured for itself: the n-th of the other kernels
// that fit it; tiles of half or twice the size in one dimension; one thread or all.
struct Variant {
  enum class What { kKernel, kHalf, kTwice, kThreads } what;
  int32_t which;  // kernel, dimension or threads
};

class Tuner {
 public:
  Tuner(std::shared_ptr<Model> model, const TuneOptions& options)
      : model_(std::move(model)),
        options_(options),
        begin_ns_(now_ns()),
        end_ns_(begin_ns_ + options.budget_ns) {}

  Result<TuneResult> run() {
    ModelOptions plain = model_->options();
    plain.chosen.reset();
    PJ_ASSIGN(best_, session_of(plain, options_.threads));
    // All plans share the weights that the first one packed.
    packed_ = packed_weights_of(best_->compiled());
    PlanChoices& plan = result_.plan;
    plan.bands = bands_of(best_->program());
    const PlanChoices before = plan;
    PJ_ASSIGN(const auto layers, session_with({}));
    for (const Step& step : layers->program().steps)
      if (!step.op_indices.empty()) order_.push_back(step.op_indices[0]);
    const std::vector<Variant> variants = this->variants();
    const std::vector<Move> moves = moves_for(plan.bands);
    total_ = variants.size() + moves.size();
    PJ_TRY(try_layers(variants));
    PJ_TRY(try_bands(moves));
    PJ_TRY(try_threads());
    PJ_ASSIGN(auto original, session_with(before));
    PJ_ASSIGN(const Times times, compare(*original, *best_));
    result_.before_ns = times.incumbent.min_total_ns;
    result_.after_ns = times.candidate.min_total_ns;
    // On a busy machine small gains may have been chance: together they have to be one.
    if (!faster(times)) {
      plan = before;
      threads_ = options_.threads;
      result_.accepted = 0;
    }
    if (plan == before && threads_ == options_.threads) result_.after_ns = result_.before_ns;
    // With one thread allowed it is not known how many are best.
    if (options_.threads > 1) plan.threads = threads_;
    return std::move(result_);
  }

 private:
  struct Times {
    Profile incumbent, candidate;
  };

  static bool faster(const Times& t) {
    return static_cast<double>(t.candidate.min_total_ns) <=
           kLeastGain * static_cast<double>(t.incumbent.min_total_ns);
  }

  // False, if time is up; counts what is about to be tried.
  bool begin(int64_t end_ns) {
    if (now_ns() >= end_ns) {
      result_.complete = false;
      return false;
    }
    if (options_.progress) options_.progress(done_, total_);
    ++done_;
    return true;
  }

  std::vector<Variant> variants() const {
    using enum Variant::What;
    std::vector<Variant> all;
    for (size_t i = 0; i < kOtherKernels; ++i) all.push_back({kKernel, static_cast<int32_t>(i)});
    for (const Dim dim : {kRow, kCol, kChannel}) {
      all.push_back({kHalf, dim});
      all.push_back({kTwice, dim});
    }
    if (options_.threads > 1) {
      all.push_back({kThreads, 1});
      all.push_back({kThreads, kMaxThreads});
    }
    return all;
  }

  // The n-th kernel that could compute an operator besides `now`; nothing if there are not so many.
  std::optional<KernelId> other_kernel(int32_t op, KernelId now, int32_t n) {
    Plan unused;
    const ModelOptions& options = model_->options();
    const LowerContext context{
        best_->compiled().graph, options.target, options.catalog, {}, unused};
    std::vector<KernelId> kernels = fitting_kernels(context, op);
    std::erase(kernels, now);
    const auto i = static_cast<size_t>(n);
    return i < kernels.size() ? std::optional(kernels[i]) : std::nullopt;
  }

  // The variant of an operator of a step; nothing if there is none.
  std::optional<LayerChoice> varied(const Variant& variant, const Step& step, size_t member) {
    const int32_t op = step.op_indices[member];
    const LoopNest& nest = step.members[member];
    const LayerChoice* now = result_.plan.layer(op);
    LayerChoice choice = now != nullptr ? *now : LayerChoice{.op = op};
    const LayerChoice unchanged = choice;
    if (variant.what == Variant::What::kKernel) {
      const std::optional<KernelId> kernel = other_kernel(op, nest.kernel, variant.which);
      if (!kernel) return std::nullopt;
      // Its tiles are its own.
      choice = {.op = op, .kernel = *kernel, .threads = choice.threads};
    } else if (variant.what == Variant::What::kThreads) {
      if (!step.band() && (step.threads == 1) != (variant.which == 1))
        choice.threads = variant.which;
    } else if (!step.band() && nest.windowed) {
      for (const Loop& loop : nest.loops) {
        const int32_t most = nest.extent[loop.dim], size = std::min(loop.step, most);
        if (loop.dim != variant.which) continue;
        choice.tile[loop.dim] = variant.what == Variant::What::kHalf ? (size + 1) / 2
                                : size <= most / 2                   ? 2 * size
                                                                     : most;
        if (choice.tile[loop.dim] == size) choice.tile[loop.dim] = unchanged.tile[loop.dim];
      }
    }
    return choice == unchanged ? std::nullopt : std::optional(choice);
  }

  // The plan so far with the variant in the steps for which `wanted` is true, which is set to those
  // that change.
  PlanChoices varied(const Variant& variant, std::vector<bool>& wanted) {
    PlanChoices plan = result_.plan;
    const std::vector<Step>& steps = best_->program().steps;
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      bool changed = false;
      for (size_t m = 0; wanted[i] && !step.prepared && m < step.op_indices.size(); ++m) {
        const std::optional<LayerChoice> choice = varied(variant, step, m);
        if (!choice) continue;
        changed = true;
        std::erase_if(plan.layers, [&](const LayerChoice& l) { return l.op == choice->op; });
        plan.layers.push_back(*choice);
      }
      wanted[i] = changed;
    }
    return plan;
  }

  // Layers take half of the time at most.
  Status try_layers(const std::vector<Variant>& variants) {
    for (const Variant& variant : variants) {
      if (!begin(begin_ns_ + options_.budget_ns / 2)) return {};
      PJ_TRY(try_variant(variant));
    }
    return {};
  }

  // Measures the variant in all steps, and what was faster again by itself.
  Status try_variant(const Variant& variant) {
    std::vector<bool> steps(best_->program().steps.size(), true);
    for (int confirmation = 0; confirmation < 2; ++confirmation) {
      PlanChoices plan = varied(variant, steps);
      if (std::find(steps.begin(), steps.end(), true) == steps.end()) return {};
      PJ_ASSIGN(auto candidate, session_with(plan));
      // The planner goes its own way where it cannot follow.
      if (bands_of(candidate->program()) != plan.bands ||
          candidate->program().steps.size() != steps.size())
        return {};
      PJ_ASSIGN(const Times times, compare(*best_, *candidate));
      size_t count = 0, better = 0;
      for (size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i]) continue;
        ++count;
        steps[i] = static_cast<double>(times.candidate.steps[i].min_ns) <=
                   kLeastStepGain * static_cast<double>(times.incumbent.steps[i].min_ns);
        better += steps[i] ? 1 : 0;
      }
      if (confirmation == 0) {
        result_.candidates += count;
      } else if (better == count && times.candidate.min_total_ns < times.incumbent.min_total_ns) {
        result_.plan = std::move(plan);
        result_.accepted += count;
        best_ = std::move(candidate);
      } else if (better > 0 && better < count) {
        // Without those that were faster once only.
        --confirmation;
      }
    }
    return {};
  }

  std::vector<Move> moves_for(const Bands& bands) const {
    std::vector<Move> moves;
    for (const BandChoice& band : bands) {
      for (const int32_t rows : kRowChoices)
        if (rows != band.rows) moves.push_back({{band.op, band.members, rows, band.cols}});
      for (const int32_t cols : kColChoices)
        if (cols != band.cols) moves.push_back({{band.op, band.members, band.rows, cols}});
      moves.push_back({{band.op, band.members, 0}});
    }
    for (const int32_t op : order_) {
      if (starts_band(bands, op)) continue;
      for (const int32_t members : kNewMembers) moves.push_back({{op, members, kNewRows}});
    }
    return moves;
  }

  static bool starts_band(const Bands& bands, int32_t op) {
    return std::any_of(bands.begin(), bands.end(), [&](const BandChoice& b) { return b.op == op; });
  }

  // The step of an operator, where all are layers.
  ptrdiff_t position(int32_t op) const {
    return std::find(order_.begin(), order_.end(), op) - order_.begin();
  }

  // The bands so far with a move made; nothing if that changes nothing.
  std::optional<Bands> moved(const Move& move) const {
    Bands bands = result_.plan.bands;
    const auto at = std::find_if(bands.begin(), bands.end(),
                                 [&](const BandChoice& b) { return b.op == move.band.op; });
    if (at == bands.end()) {
      if (move.band.rows == 0) return std::nullopt;
      // In the order of steps.
      const auto behind = std::find_if(bands.begin(), bands.end(), [&](const BandChoice& b) {
        return position(b.op) > position(move.band.op);
      });
      bands.insert(behind, move.band);
    } else if (move.band.rows == 0) {
      bands.erase(at);
    } else {
      *at = move.band;
    }
    return bands == result_.plan.bands ? std::nullopt : std::optional(std::move(bands));
  }

  Status try_bands(const std::vector<Move>& moves) {
    for (const Move& move : moves) {
      if (!begin(end_ns_)) return {};
      if (const std::optional<Bands> bands = moved(move)) PJ_TRY(consider(*bands));
    }
    return {};
  }

  Status consider(const Bands& bands) {
    PlanChoices plan = result_.plan;
    plan.bands = bands;
    PJ_ASSIGN(auto candidate, session_with(plan));
    // The planner goes its own way where it cannot follow.
    if (bands_of(candidate->program()) != bands) return {};
    ++result_.candidates;
    PJ_ASSIGN(const bool better, is_faster(*candidate));
    if (!better) return {};
    result_.plan = std::move(plan);
    ++result_.accepted;
    best_ = std::move(candidate);
    return {};
  }

  // Fewer threads than are allowed.
  Status try_threads() {
    for (int threads = 1; threads < options_.threads; threads *= 2) {
      PJ_ASSIGN(auto candidate, session_with(result_.plan, threads));
      PJ_ASSIGN(const bool better, is_faster(*candidate));
      if (!better) continue;
      threads_ = threads;
      best_ = std::move(candidate);
    }
    return {};
  }

  // Than the best so far, twice.
  Result<bool> is_faster(Session& candidate) {
    for (int confirmation = 0; confirmation < 2; ++confirmation) {
      PJ_ASSIGN(const Times times, compare(*best_, candidate));
      if (!faster(times)) return false;
    }
    return true;
  }

  // Interleaved inferences, of which the fastest count, as they do of each step.
  static Result<Times> compare(Session& incumbent, Session& candidate) {
    Times times{incumbent.make_profile(), candidate.make_profile()};
    for (int round = 0; round < kRounds; ++round) {
      // Who goes first meets the other's caches: in turn.
      Session* order[] = {&incumbent, &candidate};
      if (round % 2 != 0) std::swap(order[0], order[1]);
      for (Session* session : order) {
        Profile& profile = session == &incumbent ? times.incumbent : times.candidate;
        const int64_t end = now_ns() + kRoundNs;
        do {
          PJ_TRY(session->run(profile));
        } while (now_ns() < end);
      }
    }
    return times;
  }

  Result<std::unique_ptr<Session>> session_with(const PlanChoices& plan) {
    return session_with(plan, options_.threads);
  }
  Result<std::unique_ptr<Session>> session_with(const PlanChoices& plan, int threads) {
    ModelOptions options = model_->options();
    options.chosen = plan;
    return session_of(options, threads);
  }

  Result<std::unique_ptr<Session>> session_of(const ModelOptions& options, int threads) {
    PJ_ASSIGN(auto model, Model::create(model_->graph(), options, packed_));
    PJ_ASSIGN(auto session, Session::create(model, {.threads = threads}));
    for (size_t i = 0; !session->prepared() && i < model_->graph().inputs.size(); ++i) {
      Shape shape = session->input(i).shape;
      for (int32_t d = 0; d < shape.rank(); ++d) shape[d] = std::max(shape[d], 1);
      PJ_TRY(session->resize_input(i, shape));
    }
    for (int warmup = 0; warmup < 2; ++warmup) PJ_TRY(session->run());
    return session;
  }

  std::shared_ptr<Model> model_;
  const TuneOptions& options_;
  const int64_t begin_ns_, end_ns_;
  int threads_ = options_.threads;  // of the best plan
  size_t done_ = 0, total_ = 0;     // of what is tried
  std::vector<PackedWeights> packed_;
  std::unique_ptr<Session> best_;
  std::vector<int32_t> order_;  // operators of the steps, layer by layer
  TuneResult result_;
};

}  // namespace

Result<TuneResult> tune(const std::shared_ptr<Model>& model, const TuneOptions& options) {
  return Tuner(model, options).run();
}

}  // namespace pj
