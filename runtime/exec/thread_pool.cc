#include "runtime/exec/thread_pool.h"

#ifdef PJ_HAVE_PTHREADPOOL
#include <pthreadpool.h>
#endif

#include "runtime/exec/builtin_pool.h"

namespace pj {
namespace {

#ifdef PJ_HAVE_PTHREADPOOL
class Pthreadpool final : public ThreadPool {
 public:
  explicit Pthreadpool(pthreadpool_t pool) : pool_(pool) {}
  ~Pthreadpool() override { pthreadpool_destroy(pool_); }

  int threads() const override { return static_cast<int>(pthreadpool_get_threads_count(pool_)); }

  void run(int slots, Work work, void* context, bool last) override {
    struct Region {
      Work work;
      void* context;
    } region{work, context};
    pthreadpool_parallelize_1d(
        pool_,
        [](void* r, size_t slot) {
          auto* region = static_cast<Region*>(r);
          region->work(region->context, static_cast<int>(slot));
        },
        &region, static_cast<size_t>(slots), last ? PTHREADPOOL_FLAG_YIELD_WORKERS : 0u);
  }
  ::pthreadpool* pthreadpool() override { return pool_; }

 private:
  pthreadpool_t pool_;
};

Result<std::unique_ptr<ThreadPool>> make_pthreadpool(int threads) {
  pthreadpool_t pool = pthreadpool_create(static_cast<size_t>(threads));
  if (pool == nullptr)
    return error(ErrorCode::kOutOfMemory, "cannot start {} threads; use fewer", threads);
  return std::unique_ptr<ThreadPool>(new Pthreadpool(pool));
}
#else
Result<std::unique_ptr<ThreadPool>> make_pthreadpool(int) {
  return error(ErrorCode::kPlatformUnsupported,
               "this build has no pthreadpool; use the pool 'builtin'");
}
#endif

}  // namespace

Result<PoolKind> pool_by_name(std::string_view name) {
  if (name == "pthreadpool") return PoolKind::kPthreadpool;
  if (name == "builtin") return PoolKind::kBuiltin;
  return error(ErrorCode::kInvalidArgument,
               "thread pool '{}' does not exist; there are: "
               "pthreadpool, builtin",
               name);
}

Result<std::unique_ptr<ThreadPool>> make_pool(PoolKind kind, int threads) {
  if (threads < 1 || threads > kMaxThreads) {
    return error(ErrorCode::kInvalidArgument, "{} threads: give a number from 1 to {}", threads,
                 kMaxThreads);
  }
  if (kind == PoolKind::kBuiltin) return make_builtin_pool(threads);
  return make_pthreadpool(threads);
}

}  // namespace pj
