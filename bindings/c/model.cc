#include <cstdint>

#include "bindings/c/handles.h"
#include "converters/load/load.h"

namespace pj {
namespace {

Result<LoadOptions> load_options(const pj_model_options* given) {
  LoadOptions options;
  if (given == nullptr) return options;
  PJ_TRY(check_struct(given, "pj_model_options"));
  if (given->isa != nullptr) options.isa = given->isa;
  if (given->xnnpack != nullptr) {
    PJ_ASSIGN(options.xnnpack, xnnpack_mode_by_name(given->xnnpack));
  }
  if (given->precision != nullptr) {
    PJ_ASSIGN(options.f16, allows_f16(given->precision));
  }
  if (given->max_arena_bytes > static_cast<uint64_t>(INT64_MAX)) {
    return error(ErrorCode::kInvalidArgument, "max_arena_bytes is {}: give at most {}, or 0",
                 given->max_arena_bytes, INT64_MAX);
  }
  if (given->max_arena_bytes != 0)
    options.max_arena_bytes = static_cast<int64_t>(given->max_arena_bytes);
  return options;
}

Result<pj_model*> load(const char* path, const pj_model_options* given) {
  PJ_TRY(check_pointer(path, "path"));
  PJ_ASSIGN(const LoadOptions options, load_options(given));
  PJ_ASSIGN(std::shared_ptr<Model> model, load_model(path, options));
  return new pj_model{std::move(model)};
}

Result<pj_model*> load_memory(const void* data, size_t size, const pj_model_options* given) {
  PJ_TRY(check_pointer(data, "data"));
  PJ_ASSIGN(const LoadOptions options, load_options(given));
  SharedBytes bytes{{static_cast<const std::byte*>(data), size}, nullptr};
  const bool aligned = reinterpret_cast<uintptr_t>(data) % kCacheLine == 0;
  if (given == nullptr || given->borrow == 0 || !aligned) {
    bytes = SharedBytes::copy_of(bytes.bytes);
    if (bytes.bytes.size() != size)
      return error(ErrorCode::kOutOfMemory, "no memory to copy a model of {} bytes", size);
  }
  const std::string name = "model in memory";
  PJ_ASSIGN(LoadedFile file, load_bytes(std::move(bytes), name));
  Result<std::shared_ptr<Model>> model = make_model(std::move(file), options);
  if (!model) return in_context(name, std::move(model.error()));
  return new pj_model{std::move(*model)};
}

}  // namespace
}  // namespace pj

extern "C" {

pj_status pj_model_load(const char* path, const pj_model_options* options,
                        pj_model** model) noexcept {
  if (auto ok = pj::check_pointer(model, "model"); !ok) return pj::report(ok);
  return pj::give(pj::load(path, options), model);
}

pj_status pj_model_load_memory(const void* data, size_t size, const pj_model_options* options,
                               pj_model** model) noexcept {
  if (auto ok = pj::check_pointer(model, "model"); !ok) return pj::report(ok);
  return pj::give(pj::load_memory(data, size, options), model);
}

void pj_model_free(pj_model* model) noexcept { delete model; }

}  // extern "C"
