// Counts what the whole process allocates, in all threads and libraries.
#pragma once

#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PJ_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PJ_SANITIZER 1
#endif
#endif

namespace pj::testing {

// A sanitizer allocates for itself when a thread starts, and that counts too.
#if defined(PJ_SANITIZER)
inline constexpr bool kThreadStartsAllocate = true;
#else
inline constexpr bool kThreadStartsAllocate = false;
#endif

struct Allocations {
  int64_t count = 0;
  int64_t bytes = 0;
};

void start_counting();
Allocations stop_counting();

// What work() allocates, by malloc and its kin or operator new.
template <typename Work>
Allocations allocations_of(Work&& work) {
  start_counting();
  work();
  return stop_counting();
}

}  // namespace pj::testing
