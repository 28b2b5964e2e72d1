#include "tests/api/allocations.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

std::atomic<bool> counting;
std::atomic<int64_t> count, bytes;

void note(size_t size) {
  if (!counting.load(std::memory_order_relaxed)) return;
  count.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
}

}  // namespace

#if defined(PJ_SANITIZER)
// A sanitizer owns malloc, and tells who asks.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             size_t),
                                                         void (*free_hook)(const volatile void*));
namespace {
[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t size) { note(size); }, [](const volatile void*) {});
}  // namespace
#else
// The program's own definitions come before those of the C library, for all libraries of the
// process. They pass on to the next ones; operator new ends here too.
namespace {

template <typename F>
F* next(F*(&known), const char* name) {
  if (known == nullptr) known = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
  return known;
}

void* (*next_malloc)(size_t);
void* (*next_calloc)(size_t, size_t);
void* (*next_realloc)(void*, size_t);
void* (*next_aligned_alloc)(size_t, size_t);
int (*next_posix_memalign)(void**, size_t, size_t);

}  // namespace

extern "C" {

void* malloc(size_t size) {
  note(size);
  return next(next_malloc, "malloc")(size);
}

void* calloc(size_t n, size_t size) {
  note(n * size);
  return next(next_calloc, "calloc")(n, size);
}

void* realloc(void* old, size_t size) {
  note(size);
  return next(next_realloc, "realloc")(old, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return next(next_aligned_alloc, "aligned_alloc")(alignment, size);
}

int posix_memalign(void** p, size_t alignment, size_t size) {
  note(size);
  return next(next_posix_memalign, "posix_memalign")(p, alignment, size);
}

}  // extern "C"
#endif

namespace pj::testing {

void start_counting() {
  count = 0;
  bytes = 0;
  counting = true;
}

Allocations stop_counting() {
  counting = false;
  return {count, bytes};
}

}  // namespace pj::testing
