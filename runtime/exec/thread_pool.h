// Threads that a session works with.
#pragma once

#include <memory>
#include <string_view>

#include "runtime/base/result.h"

struct pthreadpool;

namespace pj {

// A parallel region runs `work(context, slot)` once for every slot in [0, slots), at the same time
// or one after the other, and returns when all are done. How work is shared between slots is the
// caller's matter, which keeps the interface small enough for any pool to implement.
//
// Thread safety: one region at a time; a pool is used by the sessions of one thread.
class ThreadPool {
 public:
  using Work = void (*)(void* context, int slot);

  virtual ~ThreadPool() = default;
  // The calling thread included; at least 1.
  virtual int threads() const = 0;
  // `slots` <= threads(). `last` says that no region follows soon: workers may go to sleep at once
  // instead of spinning for more work.
  virtual void run(int slots, Work work, void* context, bool last) = 0;
  // The pthreadpool_t underneath, for libraries that take one; null if there is none.
  virtual ::pthreadpool* pthreadpool() { return nullptr; }
};

inline constexpr int kMaxThreads = 256;

enum class PoolKind { kPthreadpool, kBuiltin };

// "pthreadpool" or "builtin". Errors: kInvalidArgument.
Result<PoolKind> pool_by_name(std::string_view name);

// A pool of `threads` threads, the caller included. Errors: kOutOfMemory if none can be made,
// kPlatformUnsupported for a pthreadpool in a self-contained build.
Result<std::unique_ptr<ThreadPool>> make_pool(PoolKind kind, int threads);

}  // namespace pj
