#include "runtime/base/map_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace pj {
namespace {

// All that the handler reads is atomic: it may run in any thread at any time.
struct Slot {
  std::atomic<uintptr_t> begin{0}, end{0};  // equal: free
  std::atomic<bool> hit{false};
};
constexpr int kSlots = 64;
Slot slots[kSlots];

std::mutex mutex;  // of what follows, but for the handler, which only reads while it is installed
int guards = 0;
bool installed = false;
struct sigaction previous;

// The file ends before the page that faulted, so nothing behind it exists either.
bool fill(Slot& slot, uintptr_t at) {
  const uintptr_t begin = slot.begin.load(), end = slot.end.load();
  if (at < begin || at >= end) return false;
  const auto page = at & ~(static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)) - 1);
  void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (zeros == MAP_FAILED) return false;
  slot.hit.store(true);
  return true;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const int kept = errno;
  for (Slot& slot : slots) {
    if (!fill(slot, reinterpret_cast<uintptr_t>(info->si_addr))) continue;
    errno = kept;
    return;
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // The instruction faults again, and then the process ends as it would have.
    ::signal(signal, SIG_DFL);
  }
  errno = kept;
}

void install() {
  if (guards++ > 0 || installed) return;
  struct sigaction ours {};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  // Before the handler can run.
  sigaction(SIGBUS, nullptr, &previous);
  installed = sigaction(SIGBUS, &ours, nullptr) == 0;
}

void uninstall() {
  if (--guards > 0 || !installed) return;
  struct sigaction now {};
  sigaction(SIGBUS, nullptr, &now);
  // A handler that came later may call ours: then it stays.
  if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != on_fault) return;
  sigaction(SIGBUS, &previous, nullptr);
  installed = false;
}

}  // namespace

MapGuard::MapGuard(const void* data, size_t size) {
  if (size == 0) return;
  const std::lock_guard lock(mutex);
  for (int i = 0; i < kSlots; ++i) {
    Slot& slot = slots[i];
    if (slot.begin != slot.end) continue;
    slot.hit = false;
    slot.begin = reinterpret_cast<uintptr_t>(data);
    slot.end = slot.begin + size;
    slot_ = i;
    install();
    return;
  }
}

MapGuard::~MapGuard() {
  if (slot_ < 0) return;
  const std::lock_guard lock(mutex);
  // In the order in which no other address is ever inside.
  slots[slot_].end = 0;
  slots[slot_].begin = 0;
  uninstall();
}

bool MapGuard::hit() const {
  return slot_ >= 0 && slots[slot_].hit.load(std::memory_order_relaxed);
}

}  // namespace pj
