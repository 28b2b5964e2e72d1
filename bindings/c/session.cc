#include <algorithm>

#include "bindings/c/handles.h"
#include "runtime/exec/periodic.h"

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
    options.threads = given->threads;
    if (given->threads == 0) {
      const int tuned = given->parallel == nullptr ? model->model->tuned_threads() : 0;
      options.threads = std::max(tuned, 1);
    }
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

Result<PeriodicStats> run_frames(Session& session, double period_ms, pj_frame on_frame,
                                 void* context) {
  // Beyond a day, or not a number: not a period but a mistake.
  if (!(period_ms > 0 && period_ms <= 86'400'000))
    return error(ErrorCode::kInvalidArgument,
                 "a period of {} ms: give more than 0 and at most 86400000", period_ms);
  struct Call {
    pj_frame on_frame;
    void* context;
  } call{on_frame, context};
  return run_periodic(
      session, static_cast<int64_t>(period_ms * 1e6),
      [](void* c, int64_t frame, int64_t) {
        const auto& [f, user] = *static_cast<Call*>(c);
        return f(user, frame) != 0;
      },
      &call);
}

}  // namespace
}  // namespace pj

extern "C" {

pj_status pj_session_create(pj_model* model, const pj_session_options* options,
                            pj_session** session) noexcept {
  if (auto ok = pj::check_pointer(session, "session"); !ok) return pj::report(ok);
  return pj::give(pj::create(model, options), session);
}

void pj_session_free(pj_session* session) noexcept { delete session; }

pj_status pj_run(pj_session* session) noexcept {
  if (auto ok = pj::check_pointer(session, "session"); !ok) return pj::report(ok);
  if (auto ok = pj::check_prepared(*session); !ok) return pj::report(ok);
  return pj::report(session->session->run());
}

pj_status pj_run_periodic(pj_session* session, double period_ms, pj_frame on_frame, void* context,
                          pj_periodic_stats* stats) noexcept {
  if (auto ok = pj::check_pointer(session, "session"); !ok) return pj::report(ok);
  if (on_frame == nullptr)
    return pj::report(
        pj::Error{pj::ErrorCode::kInvalidArgument, "on_frame is NULL: nothing would end the runs"});
  if (stats != nullptr)
    if (auto ok = pj::check_struct(stats, "pj_periodic_stats"); !ok) return pj::report(ok);
  if (auto ok = pj::check_prepared(*session); !ok) return pj::report(ok);
  auto done = pj::run_frames(*session->session, period_ms, on_frame, context);
  if (!done) return pj::report(done.error());
  if (stats != nullptr)
    *stats = {stats->struct_size,   done->frames,        done->missed, done->mean_latency_ms,
              done->max_latency_ms, done->max_wakeup_ms, done->cpu_ms, done->context_switches};
  return pj_ok;
}

}  // extern "C"
