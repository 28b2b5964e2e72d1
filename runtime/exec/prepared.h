// Operators that another library (XNNPACK) packs, allocates and threads by itself.
#pragma once

#include <memory>

#include "runtime/exec/thread_pool.h"
#include "runtime/graph/graph.h"

namespace pj {

// One operator, made when a session is created and run with whatever memory the session gives.
class PreparedOp {
 public:
  virtual ~PreparedOp() = default;
  // Pointers in the order of the operator's inputs and outputs; null for absent ones.
  virtual Status run(std::span<const std::byte* const> in, std::span<std::byte* const> out,
                     ThreadPool& pool) = 0;
};

// Offers prepared operators. Outlives the models that use it.
class PreparedOpFactory {
 public:
  virtual ~PreparedOpFactory() = default;
  // True if make() would succeed and the result is worth having.
  virtual bool offers(const Graph& graph, const Op& op) const = 0;
  virtual Result<std::unique_ptr<PreparedOp>> make(const Graph& graph, const Op& op) const = 0;
};

}  // namespace pj
