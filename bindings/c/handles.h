// What the opaque handles of pj.h are, and the checks that every entry point shares.
#pragma once

#include <memory>

#include "bindings/c/status.h"
#include "runtime/exec/session.h"

namespace pj {

// The caller's threads, seen as a pool.
class CallersPool final : public ThreadPool {
 public:
  CallersPool(pj_parallel parallel, void* pool, int threads)
      : parallel_(parallel), pool_(pool), threads_(threads) {}
  int threads() const override { return threads_; }
  void run(int slots, Work work, void* context, bool last) override {
    parallel_(pool_, slots, work, context, last ? 1 : 0);
  }

 private:
  pj_parallel parallel_;
  void* pool_;
  int threads_;
};

}  // namespace pj

struct pj_model {
  std::shared_ptr<pj::Model> model;
};

struct pj_session {
  std::shared_ptr<pj::Model> model;
  std::unique_ptr<pj::CallersPool> callers_pool;  // null if the session has its own
  std::unique_ptr<pj::Session> session;
};

namespace pj {

// A structure is read only if its size is one that a version of pj.h has given it: so far each has
// had one.
template <typename T>
Status check_struct(const T* s, const char* name) {
  if (s->struct_size == sizeof(T)) return {};
  return error(ErrorCode::kInvalidArgument,
               "{}.struct_size is {}, not {}: initialise it with the PJ_..._INIT of the pj.h that "
               "belongs to this library (version {})",
               name, s->struct_size, sizeof(T), pj_version());
}

inline Status check_pointer(const void* p, const char* name) {
  if (p != nullptr) return {};
  return error(ErrorCode::kInvalidArgument, "argument '{}' is NULL; it must not be", name);
}

// All shapes are known, and so there is memory to use and something to run.
Status check_prepared(const pj_session& s);

}  // namespace pj
