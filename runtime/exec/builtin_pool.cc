#include "runtime/exec/builtin_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <vector>

namespace pj {
namespace {

class BuiltinPool final : public ThreadPool {
 public:
  ~BuiltinPool() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (pthread_t w : workers_) pthread_join(w, nullptr);
  }

  // pthreads rather than std::thread, which can only report failure by an exception.
  bool start(int threads) {
    // Workers keep a pointer into this list: it must not grow while they run.
    starts_.resize(static_cast<size_t>(threads));
    for (int slot = 1; slot < threads; ++slot) {
      auto& start = starts_[static_cast<size_t>(slot)];
      start = {this, slot};
      pthread_t thread;
      if (pthread_create(&thread, nullptr, &BuiltinPool::enter, &start) != 0) return false;
      workers_.push_back(thread);
    }
    return true;
  }

  int threads() const override { return static_cast<int>(workers_.size()) + 1; }

  void run(int slots, Work work, void* context, bool) override {
    if (slots > 1) {
      {
        std::lock_guard lock(mutex_);
        work_ = work;
        context_ = context;
        slots_ = slots;
        busy_ = slots - 1;
        ++region_;
      }
      wake_.notify_all();
    }
    work(context, 0);
    if (slots > 1) {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return busy_ == 0; });
    }
  }

 private:
  struct Start {
    BuiltinPool* pool;
    int slot;
  };
  static void* enter(void* start) {
    const auto* s = static_cast<const Start*>(start);
    s->pool->serve(s->slot);
    return nullptr;
  }

  void serve(int slot) {
    unsigned seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stop_ || region_ != seen; });
      if (stop_) return;
      seen = region_;
      if (slot >= slots_) continue;
      const Work work = work_;
      void* const context = context_;
      lock.unlock();
      work(context, slot);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  int slots_ = 0, busy_ = 0;
  unsigned region_ = 0;
  bool stop_ = false;
  std::vector<pthread_t> workers_;
  std::vector<Start> starts_;
};

}  // namespace

Result<std::unique_ptr<ThreadPool>> make_builtin_pool(int threads) {
  auto pool = std::make_unique<BuiltinPool>();
  if (!pool->start(threads))
    return error(ErrorCode::kOutOfMemory, "cannot start {} threads; use fewer", threads);
  return std::unique_ptr<ThreadPool>(std::move(pool));
}

}  // namespace pj
