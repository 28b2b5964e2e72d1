#include "bindings/c/handles.h"

namespace pj {
namespace {

Result<PoolKind> pool_kind(pj_pool_kind kind) {
  switch (static_cast<int>(kind)) {
    case pj_pool_default:
      return SessionOptions{}.pool_kind;
    case pj_pool_pthreadpool:
      return PoolKind::kPthreadpool;
    case pj_pool_builtin:
      return PoolKind::kBuiltin;
    default:
      break;
  }
  return error(ErrorCode::kInvalidArgument,
               "pool_kind is {}: use pj_pool_default, pj_pool_pthreadpool or pj_pool_builtin",
               static_cast<int>(kind));
}

Result<pj_session*> create(pj_model* model, const pj_session_options* given) {
  PJ_TRY(check_pointer(model, "model"));
  auto made = std::make_unique<pj_session>();
  made->model = model->model;
  SessionOptions options;
  if (given != nullptr) {
    PJ_TRY(check_struct(given, "pj_session_options"));
    if (given->threads != 0) options.threads = given->threads;
    if (options.threads < 1 || options.threads > kMaxThreads) {
      return error(ErrorCode::kInvalidArgument, "{} threads: give a number from 1 to {}, or 0",
                   given->threads, kMaxThreads);
    }
    PJ_ASSIGN(options.pool_kind, pool_kind(given->pool_kind));
    if (given->parallel != nullptr) {
      made->callers_pool =
          std::make_unique<CallersPool>(given->parallel, given->pool, options.threads);
      options.pool = made->callers_pool.get();
    }
  }
  PJ_ASSIGN(made->session, Session::create(made->model, options));
  return made.release();
}

}  // namespace
}  // namespace pj

extern "C" {

pj_status pj_session_create(pj_model* model, const pj_session_options* options,
                            pj_session** session) noexcept {
  if (auto ok = pj::check_pointer(session, "session"); !ok) return pj::report(ok);
  auto made = pj::create(model, options);
  *session = made ? *made : nullptr;
  return made ? pj_ok : pj::report(made.error());
}

void pj_session_free(pj_session* session) noexcept { delete session; }

pj_status pj_run(pj_session* session) noexcept {
  if (auto ok = pj::check_pointer(session, "session"); !ok) return pj::report(ok);
  if (auto ok = pj::check_prepared(*session); !ok) return pj::report(ok);
  return pj::report(session->session->run());
}

}  // extern "C"
