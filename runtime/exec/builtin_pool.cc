#include "runtime/exec/builtin_pool.h"

#include <pthread.h>

#include <atomic>
#include <vector>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield");
#endif
}

// How often a waiting thread looks before it sleeps: some 20 to 50 us, longer than what usually
// lies between two regions of a run, too short for a battery to notice.
constexpr int kSpins = 2000;

// Slots but the caller's own are claimed, not assigned. A region is one word that all threads see,
//
//   | generation : 32 | slots : 16 | next unclaimed slot : 16 |
//
// and whoever moves `next` on runs that slot. The caller claims too, until none is left, and then
// waits only for slots that others are running at that moment. A worker that sleeps, or whose core
// is busy with another process, therefore delays nobody: its share is done by those who are awake,
// and it joins a later region. With assigned slots the caller would wait for the scheduler.
//
// Work is read after a claim, and replaced when all claimed slots are done: never at the same time.
class BuiltinPool final : public ThreadPool {
 public:
  ~BuiltinPool() override {
    stop_.store(true, std::memory_order_relaxed);
    wake_workers();
    for (pthread_t w : workers_) pthread_join(w, nullptr);
  }

  // pthreads rather than std::thread, which can only report failure by an exception.
  bool start(int threads) {
    for (int i = 1; i < threads; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, nullptr, &BuiltinPool::enter, this) != 0) return false;
      workers_.push_back(thread);
    }
    return true;
  }

  int threads() const override { return static_cast<int>(workers_.size()) + 1; }

  void run(int slots, Work work, void* context, bool last) override {
    if (slots <= 1) return work(context, 0);
    work_ = work;
    context_ = context;
    last_.store(last, std::memory_order_relaxed);
    const uint64_t generation = (region_.load(std::memory_order_relaxed) >> 32) + 1;
    // Slot 0 is the caller's, so that it finds in its cache what it wrote as slot 0 before.
    region_.store(generation << 32 | static_cast<uint64_t>(slots) << 16 | 1,
                  std::memory_order_release);
    wake_workers();
    work(context, 0);
    int own = 1;
    for (int slot = claim(); slot >= 0; slot = claim(), ++own) work(context, slot);
    expected_ += static_cast<uint32_t>(slots - own);
    wait_for_others();
  }

 private:
  static void* enter(void* pool) {
    static_cast<BuiltinPool*>(pool)->serve();
    return nullptr;
  }

  void wake_workers() {
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
  }

  // A slot to run, or -1 if all are claimed.
  int claim() {
    uint64_t region = region_.load(std::memory_order_acquire);
    while (true) {
      const uint64_t next = region & 0xffff, slots = region >> 16 & 0xffff;
      if (next >= slots) return -1;
      if (region_.compare_exchange_weak(region, region + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire))
        return static_cast<int>(next);
    }
  }

  void wait_for_others() {
    for (int spin = 0; spin < kSpins; ++spin, pause())
      if (done_.load(std::memory_order_acquire) == expected_) return;
    for (uint32_t done; (done = done_.load(std::memory_order_acquire)) != expected_;)
      done_.wait(done, std::memory_order_acquire);
  }

  void serve() {
    uint32_t seen = 0;
    bool spin = false;
    while (true) {
      for (int i = 0; spin && i < kSpins && epoch_.load(std::memory_order_relaxed) == seen; ++i)
        pause();
      epoch_.wait(seen, std::memory_order_acquire);
      seen = epoch_.load(std::memory_order_acquire);
      if (stop_.load(std::memory_order_relaxed)) return;
      for (int slot = claim(); slot >= 0; slot = claim()) {
        work_(context_, slot);
        done_.fetch_add(1, std::memory_order_release);
        done_.notify_one();
      }
      spin = !last_.load(std::memory_order_relaxed);
    }
  }

  // A line travels between cores as a whole: what waiting threads watch is apart from what changes
  // before they may go on, and from what workers write.
  alignas(kCacheLine) Work work_ = nullptr;
  void* context_ = nullptr;
  std::atomic<bool> last_{false}, stop_{false};
  std::atomic<uint64_t> region_{0};
  alignas(kCacheLine) std::atomic<uint32_t> epoch_{0};  // of regions; what waiting workers watch
  // Claimed slots that workers have finished since the pool began, and how many that will be when
  // the region is done; both wrap.
  alignas(kCacheLine) std::atomic<uint32_t> done_{0};
  alignas(kCacheLine) uint32_t expected_ = 0;
  std::vector<pthread_t> workers_;
};

}  // namespace

Result<std::unique_ptr<ThreadPool>> make_builtin_pool(int threads) {
  auto pool = std::make_unique<BuiltinPool>();
  if (!pool->start(threads))
    return error(ErrorCode::kOutOfMemory, "cannot start {} threads; use fewer", threads);
  return std::unique_ptr<ThreadPool>(std::move(pool));
}

}  // namespace pj
