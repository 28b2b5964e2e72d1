#include "bench/kernels/candidates.h"

#include "kernels/registry.h"
#include "runtime/passes/passes.h"
#include "tests/support/graphs.h"

namespace pj::bench {
namespace {

Target host_target() { return target_of(host_cpu(), host_cpu().isa & built_isa()); }

// Rows keep their places, so that ids stay valid: others need features that no CPU has.
std::vector<KernelDesc> catalog_of_one(KernelId id) {
  std::vector<KernelDesc> catalog(kernel_catalog().begin(), kernel_catalog().end());
  for (size_t i = 0; i < catalog.size(); ++i)
    if (catalog[i].cls != KernelClass::kReference && i != static_cast<size_t>(id))
      catalog[i].isa = IsaSet::from_bits(~uint64_t{0});
  return catalog;
}

// Graphs after the passes, one for each combination of types.
class Graphs {
 public:
  explicit Graphs(const Layer& layer) : layer_(layer) {}

  // Null if the types do not go together.
  const Graph* find(const OperandTypes& types) {
    for (const auto& [known, graph] : graphs_)
      if (known == types) return graph ? &*graph : nullptr;
    Result<Graph> graph = make_graph(layer_, types);
    if (graph && !run_passes(*graph, nullptr)) graph = error(ErrorCode::kModelInvalid, "passes");
    const auto& entry = graphs_.emplace_back(types, std::move(graph));
    return entry.second ? &*entry.second : nullptr;
  }

 private:
  const Layer& layer_;
  std::vector<std::pair<OperandTypes, Result<Graph>>> graphs_;
};

// The types that XNNPACK computes exactly as we do.
constexpr struct {
  const char* name;
  OperandTypes types;
} kXnnpackTypes[] = {{"f32_xnnpack", {DType::kF32, DType::kF32, DType::kF32}},
                     {"qs8_xnnpack", {DType::kI8, DType::kI8, DType::kI8}},
                     {"qu8_xnnpack", {DType::kU8, DType::kU8, DType::kU8}}};

// XNNPACK's operators for the layer, in a build that has them.
void add_xnnpack(const Layer& layer, std::vector<Candidate>& candidates) {
  if (xnnpack_generation() == nullptr) return;
  for (const auto& [name, types] : kXnnpackTypes) {
    Candidate c{name,
                layer,
                types,
                host_target().isa,
                0,
                XnnpackMode::kOnly,
                {kernel_catalog().begin(), kernel_catalog().end()}};
    const auto session = make_session(c);
    if (!session || (*session)->program().steps.size() != 1) continue;
    const Step& step = (*session)->program().steps[0];
    if (!step.prepared) continue;
    c.macs = step.macs;
    candidates.push_back(std::move(c));
  }
}

}  // namespace

std::vector<Candidate> find_candidates(const Layer& layer) {
  const Target target = host_target();
  std::vector<Candidate> candidates;
  Graphs graphs(layer);
  for (size_t i = 0; i < kernel_catalog().size(); ++i) {
    const KernelDesc& row = kernel_catalog()[i];
    if (row.cls == KernelClass::kReference || !target.isa.includes(row.isa)) continue;
    const OperandTypes types{row.input, row.weights, row.output};
    const Graph* graph = graphs.find(types);
    if (graph == nullptr) continue;
    std::vector<KernelDesc> catalog = catalog_of_one(static_cast<KernelId>(i));
    const Result<Plan> plan = make_plan(*graph, target, catalog);
    if (!plan || plan->program.steps.size() != 1) continue;
    const Step& step = plan->program.steps[0];
    if (step.members[0].kernel != static_cast<KernelId>(i)) continue;
    candidates.push_back(
        {row.name, layer, types, row.isa, step.macs, XnnpackMode::kOff, std::move(catalog)});
  }
  add_xnnpack(layer, candidates);
  return candidates;
}

Result<std::unique_ptr<Session>> make_session(const Candidate& candidate) {
  PJ_ASSIGN(Graph graph, make_graph(candidate.layer, candidate.types));
  ModelOptions options;
  options.target = host_target();
  options.catalog = candidate.catalog;
  PJ_TRY(use_xnnpack(candidate.xnnpack, options));
  PJ_ASSIGN(std::shared_ptr<Model> model, Model::create(std::move(graph), options));
  PJ_ASSIGN(std::unique_ptr<Session> session, Session::create(std::move(model)));
  testing::GraphBuilder().fill(session->input(0).dtype, session->input_data(0));
  return session;
}

}  // namespace pj::bench
