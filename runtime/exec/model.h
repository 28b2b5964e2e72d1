// A model that is ready to run: graph after passes, program, packed weights. Shared, read-only, by
// all its sessions.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/exec/prepared.h"
#include "runtime/graph/graph.h"
#include "runtime/plan/plan.h"

namespace pj {

// Packed weights that came with the model's file: the bytes for a weights and a bias tensor (null
// for none), named by the address of their portable data, in the layout `packing`.
struct PackedWeights {
  const std::byte* weights = nullptr;
  const std::byte* bias = nullptr;
  std::string packing;
  SharedBytes data;
};

struct ModelOptions {
  Target target;
  std::span<const KernelDesc> catalog = kernel_catalog();
  int64_t max_arena_bytes = int64_t{1} << 32;
  bool bands = true;  // PlanOptions::bands
  // PlanOptions::chosen, for the shapes that the graph has.
  std::optional<PlanChoices> chosen = std::nullopt;
  std::string unread_choices;  // why what a file has of these cannot be read; empty if it can
  const PreparedOpFactory* prepared = nullptr;
  bool prepared_before_tuned = false;  // as PlanOptions has it
  // Float layers may compute in f16, where the target can (runtime/plan/half.h). Without meaning
  // beside `prepared`.
  bool f16 = false;
  bool validated = false;  // the graph is as a reader left it: valid, with inferred shapes
  // The file in which constants are, if one is: runs check that it is still whole.
  std::shared_ptr<const MappedFile> map = nullptr;
};

// The model planned for certain input shapes.
struct CompiledModel {
  explicit CompiledModel(std::shared_ptr<const Graph> g) : owner(std::move(g)), graph(*owner) {}

  const std::shared_ptr<const Graph> owner;  // the model's own, where its shapes are these
  const Graph& graph;                        // with all shapes known
  Plan plan;
  std::vector<SharedBytes> packed;   // one for each of plan.program.packed
  int64_t bytes_packed_at_load = 0;  // those of `packed` that no file brought
};

// All packed weights of a model, for other models of the same graph.
std::vector<PackedWeights> packed_weights_of(const CompiledModel& model);

// Thread-safe.
class Model {
 public:
  // Runs the passes over `graph`. `packed` is used in place where the planner asks for just that
  // layout. Errors: those of the passes.
  static Result<std::shared_ptr<Model>> create(Graph graph, ModelOptions options,
                                               std::vector<PackedWeights> packed = {});

  // After the passes; shapes may be unknown.
  const Graph& graph() const { return *graph_; }
  const ModelOptions& options() const { return options_; }
  // How many threads a tuner found fastest, of those that this process may use; 0 if none said.
  int tuned_threads() const;
  // What of a tuner's choices is not followed, and why, for people; empty if all are. `compiled` is
  // this model's.
  std::string ignored_choices(const CompiledModel& compiled) const;
  // kFileUnreadable if the model's file was truncated: what was computed since may be wrong.
  Status check_file() const { return options_.map ? options_.map->check() : Status{}; }

  // The program for the given input shapes, one an input; made once and shared while in use.
  // Errors: those of shape inference and planning; kOutOfMemory; kPlatformUnsupported if the
  // program needs kernels that this CPU or build does not have.
  Result<std::shared_ptr<const CompiledModel>> compile(std::span<const Shape> input_shapes);

 private:
  Model(Graph graph, ModelOptions options)
      : graph_(std::make_shared<const Graph>(std::move(graph))), options_(options) {}

  // The graph for inputs of those shapes: this model's own, or a changed copy.
  Result<std::shared_ptr<const Graph>> graph_with(std::span<const Shape> shapes) const;

  using PackedKey = std::tuple<const std::byte*, const std::byte*, std::string>;
  static PackedKey packed_key(const CompiledModel& model, size_t index);
  // Fills in model.packed, making what nobody has made yet.
  Status pack_missing(CompiledModel& model);

  std::shared_ptr<const Graph> graph_;
  ModelOptions options_;
  std::mutex mutex_;
  // Keys are addresses: the entry keeps their owners alive, so that no other constant can come to
  // lie there.
  struct CachedWeights {
    SharedBytes packed;
    std::shared_ptr<const void> weights, bias;
  };
  std::map<PackedKey, CachedWeights> packed_;
  std::vector<std::pair<std::vector<Shape>, std::weak_ptr<const CompiledModel>>> compiled_;
};

}  // namespace pj
