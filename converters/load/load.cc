#include "converters/load/load.h"

#include "converters/load/choices.h"
#include "converters/tflite/tflite.h"
#include "kernels/registry.h"
#include "runtime/base/file.h"

namespace pj {
namespace {

// The packed weights of all targets, named by the addresses of the portable weights and bias that
// their operator has in the file: these survive the passes, operators' indices do not.
std::vector<PackedWeights> packed_weights(const Graph& graph,
                                          const std::vector<TargetRecord>& targets) {
  std::vector<PackedWeights> all;
  for (const TargetRecord& target : targets) {
    for (const PackedEntry& entry : target.packed) {
      const Op& op = graph.ops[static_cast<size_t>(entry.op)];
      auto data = [&](size_t i) -> const std::byte* {
        if (i >= op.inputs.size() || op.inputs[i] == kNoTensor) return nullptr;
        return graph.tensor(op.inputs[i]).data.bytes.data();
      };
      all.push_back({data(1), data(2), entry.packing, entry.data});
    }
  }
  return all;
}

Result<LoadedFile> parse(SharedBytes bytes) {
  LoadedFile loaded;
  loaded.file_bytes = static_cast<int64_t>(bytes.bytes.size());
  if (looks_like_pj(bytes.bytes)) {
    PJ_ASSIGN(ModelFile file, read_model(std::move(bytes)));
    loaded.kind = FileKind::kPj;
    loaded.packed = packed_weights(file.graph, file.targets);
    loaded.graph = std::move(file.graph);
    loaded.targets = std::move(file.targets);
    return loaded;
  }
  if (looks_like_tflite(bytes.bytes)) {
    PJ_ASSIGN(loaded.graph, import_tflite(std::move(bytes)));
    return loaded;
  }
  return error(ErrorCode::kModelFormat, "not a model: neither a .pj nor a .tflite file ({} bytes)",
               bytes.bytes.size());
}

}  // namespace

Result<LoadedFile> load_bytes(SharedBytes bytes, const std::string& name) {
  Result<LoadedFile> loaded = parse(std::move(bytes));
  if (!loaded) return in_context(name, std::move(loaded.error()));
  return loaded;
}

Result<LoadedFile> load_file(const std::string& name) {
  PJ_ASSIGN(auto file, MappedFile::open(name));
  Result<LoadedFile> loaded = load_bytes(SharedBytes{file->bytes(), file}, name);
  // Whatever zeros looked like, this is what is wrong.
  PJ_TRY(file->check());
  if (loaded) loaded->map = std::move(file);
  return loaded;
}

Result<bool> allows_f16(std::string_view precision) {
  if (precision != "f32" && precision != "f16")
    return error(ErrorCode::kInvalidArgument, "precision '{}' does not exist; there are: f32, f16",
                 precision);
  return precision == "f16";
}

Result<std::shared_ptr<Model>> make_model(LoadedFile file, const LoadOptions& options) {
  PJ_ASSIGN(const IsaSet isa, effective_isa(options.isa));
  ModelOptions model_options;
  model_options.target = target_of(host_cpu(), isa & built_isa());
  model_options.max_arena_bytes = options.max_arena_bytes;
  model_options.bands = options.bands;
  model_options.validated = true;
  model_options.f16 = options.f16;
  model_options.map = std::move(file.map);
  if (options.tuned) {
    ReadChoices read = read_choices(file.targets, model_options.target);
    model_options.chosen = std::move(read.choices);
    model_options.unread_choices = std::move(read.problem);
  }
  PJ_TRY(use_xnnpack(options.xnnpack, model_options));
  return Model::create(std::move(file.graph), std::move(model_options), std::move(file.packed));
}

Result<std::shared_ptr<Model>> load_model(const std::string& name, const LoadOptions& options) {
  PJ_ASSIGN(LoadedFile file, load_file(name));
  Result<std::shared_ptr<Model>> model = make_model(std::move(file), options);
  if (!model) return in_context(name, std::move(model.error()));
  return model;
}

}  // namespace pj
