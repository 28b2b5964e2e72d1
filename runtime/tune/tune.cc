#include "runtime/tune/tune.h"

#include <algorithm>
#include <optional>

#include "runtime/base/clock.h"
#include "runtime/exec/session.h"

namespace pj {
namespace {

using Bands = std::vector<BandChoice>;

// A candidate has to be this much faster: less is within what measuring the same plan twice gives.
constexpr double kLeastGain = 0.99;
constexpr int kRounds = 12;              // of one comparison, each of both plans
constexpr int64_t kRoundNs = 2'000'000;  // of one plan in a round, at least one inference
constexpr int32_t kRowChoices[] = {1, 2, 4, 8, 16};
constexpr int32_t kColChoices[] = {14, 28, 56};
constexpr int32_t kNewMembers[] = {2, 3};
constexpr int32_t kNewRows = 4;

// One difference to the plan at hand: the band that begins with the operator of `band` is to be
// this one, or none if it has no rows.
struct Move {
  BandChoice band;
};

class Tuner {
 public:
  Tuner(std::shared_ptr<Model> model, const TuneOptions& options)
      : model_(std::move(model)), options_(options), end_ns_(now_ns() + options.budget_ns) {}

  Result<TuneResult> run() {
    ModelOptions plain = model_->options();
    plain.chosen_bands.reset();
    PJ_ASSIGN(best_, session_of(plain));
    // All plans share the weights that the first one packed.
    packed_ = packed_weights_of(best_->compiled());
    result_.bands = bands_of(best_->program());
    const Bands before = result_.bands;
    PJ_ASSIGN(const auto layers, session_with({}));
    for (const Step& step : layers->program().steps)
      if (!step.op_indices.empty()) order_.push_back(step.op_indices[0]);
    PJ_TRY(try_all(moves_for(before)));
    PJ_ASSIGN(auto original, session_with(before));
    PJ_ASSIGN(const Times times, compare(*original, *best_));
    result_.before_ns = times.incumbent;
    result_.after_ns = times.candidate;
    // On a busy machine small gains may have been chance: together they have to be one.
    if (!faster(times)) {
      result_.bands = before;
      result_.accepted = 0;
    }
    if (result_.bands == before) result_.after_ns = result_.before_ns;
    return std::move(result_);
  }

 private:
  struct Times {
    int64_t incumbent = INT64_MAX, candidate = INT64_MAX;
  };

  static bool faster(const Times& t) {
    return static_cast<double>(t.candidate) <= kLeastGain * static_cast<double>(t.incumbent);
  }

  // What changes bands comes first: it promises the most.
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
    Bands bands = result_.bands;
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
    return bands == result_.bands ? std::nullopt : std::optional(std::move(bands));
  }

  Status try_all(const std::vector<Move>& moves) {
    for (size_t i = 0; i < moves.size(); ++i) {
      if (now_ns() >= end_ns_) {
        result_.complete = false;
        return {};
      }
      if (const std::optional<Bands> bands = moved(moves[i]))
        PJ_TRY(consider(*bands, i, moves.size()));
    }
    return {};
  }

  Status consider(const Bands& bands, size_t done, size_t total) {
    if (options_.progress) options_.progress(done, total);
    PJ_ASSIGN(auto candidate, session_with(bands));
    // The planner goes its own way where it cannot follow.
    if (bands_of(candidate->program()) != bands) return {};
    ++result_.candidates;
    for (int confirmation = 0; confirmation < 2; ++confirmation) {
      PJ_ASSIGN(const Times times, compare(*best_, *candidate));
      if (!faster(times)) return {};
    }
    result_.bands = bands;
    ++result_.accepted;
    best_ = std::move(candidate);
    return {};
  }

  // The fastest of interleaved inferences.
  static Result<Times> compare(Session& incumbent, Session& candidate) {
    Times times;
    for (int round = 0; round < kRounds; ++round) {
      // Who goes first meets the other's caches: in turn.
      Session* order[] = {&incumbent, &candidate};
      if (round % 2 != 0) std::swap(order[0], order[1]);
      for (Session* session : order) {
        int64_t& least = session == &incumbent ? times.incumbent : times.candidate;
        const int64_t end = now_ns() + kRoundNs;
        do {
          const int64_t start = now_ns();
          PJ_TRY(session->run());
          least = std::min(least, now_ns() - start);
        } while (now_ns() < end);
      }
    }
    return times;
  }

  Result<std::unique_ptr<Session>> session_with(const Bands& bands) {
    ModelOptions options = model_->options();
    options.chosen_bands = bands;
    return session_of(options);
  }

  Result<std::unique_ptr<Session>> session_of(const ModelOptions& options) {
    PJ_ASSIGN(auto model, Model::create(model_->graph(), options, packed_));
    PJ_ASSIGN(auto session, Session::create(model, {.threads = options_.threads}));
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
  const int64_t end_ns_;
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
