// A pool of our own, without dependencies: workers spin for some microseconds between regions and
// then sleep; a worker that is late delays nobody.
#pragma once

#include <memory>

#include "runtime/exec/thread_pool.h"

namespace pj {

// Errors: kOutOfMemory if a thread cannot be started.
Result<std::unique_ptr<ThreadPool>> make_builtin_pool(int threads);

}  // namespace pj
