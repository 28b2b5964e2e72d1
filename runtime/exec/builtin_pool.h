// A small pool without dependencies: workers sleep on a condition variable between regions.
#pragma once

#include <memory>

#include "runtime/exec/thread_pool.h"

namespace pj {

// Errors: kOutOfMemory if a thread cannot be started.
Result<std::unique_ptr<ThreadPool>> make_builtin_pool(int threads);

}  // namespace pj
