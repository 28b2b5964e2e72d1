#include "converters/tflite/tflite.h"

#include "converters/tflite/file_view.h"
#include "converters/tflite/operators.h"
#include "converters/tflite/tensors.h"

namespace pj {
namespace {

Status check_counts(const tfl::SubGraph& graph) {
  const size_t tensors = length(graph.tensors()), ops = length(graph.operators());
  if (tensors > static_cast<size_t>(kMaxTensors) || ops > static_cast<size_t>(kMaxOps)) {
    return error(ErrorCode::kLimitExceeded,
                 "{} tensors and {} operators; at most {} and {} are supported", tensors, ops,
                 kMaxTensors, kMaxOps);
  }
  return {};
}

Status import_ends(const flatbuffers::Vector<int32_t>* ids, const char* role, Budget& budget,
                   const Graph& graph, std::vector<TensorId>& ends) {
  PJ_TRY(budget.spend(length(ids) * sizeof(TensorId)));
  for (int32_t id : ints(ids)) {
    if (id < 0 || static_cast<size_t>(id) >= graph.tensors.size()) {
      return error(ErrorCode::kModelInvalid,
                   "{} {} of the model is tensor {}, but the file has {} tensors; convert the "
                   "model again",
                   role, ends.size(), id, graph.tensors.size());
    }
    ends.push_back(id);
  }
  return {};
}

Result<Graph> build_graph(const FileView& view) {
  PJ_TRY(check_counts(*view.graph));
  Budget budget(view.file.bytes.size());
  Graph graph;
  PJ_TRY(budget.spend(length(view.graph->name())));
  graph.name = text(view.graph->name());

  std::vector<bool> produced(length(view.graph->tensors()), false);
  OperatorImporter operators(view, budget);
  PJ_TRY(operators.prepare(produced));
  if (Status s = import_tensors(view, produced, budget, graph); !s) {
    // Operators that we lack often bring tensors that we lack: name the cause, not the symptom.
    PJ_TRY(operators.unsupported());
    return tl::unexpected<Error>(std::move(s).error());
  }
  PJ_TRY(operators.import(graph));
  PJ_TRY(import_ends(view.graph->inputs(), "input", budget, graph, graph.inputs));
  PJ_TRY(import_ends(view.graph->outputs(), "output", budget, graph, graph.outputs));
  return graph;
}

}  // namespace

Result<Graph> import_tflite(SharedBytes file) {
  PJ_ASSIGN(const FileView view, open_file(std::move(file)));
  PJ_ASSIGN(Graph graph, build_graph(view));
  PJ_TRY(validate(graph));
  PJ_TRY(infer_shapes(graph));
  return graph;
}

}  // namespace pj
