// Operators that another library (XNNPACK) packs, allocates and threads by itself.
#pragma once

#include <memory>

#include "runtime/exec/thread_pool.h"
#include "runtime/graph/graph.h"

namespace pj {

// Such libraries load whole vectors: the session's own memory goes on for so many readable bytes
// after every tensor; the caller's memory may end at the end of the last page.
inline constexpr size_t kReadSlack = 16;

struct PreparedInput {
  const std::byte* data = nullptr;  // null for an absent input
  bool slack = false;               // kReadSlack bytes after the tensor may be read
};

// One operator, made when a session is created and run with whatever memory the session gives.
class PreparedOp {
 public:
  virtual ~PreparedOp() = default;
  // Sets the operands of the following runs, in the order of the operator's inputs and outputs, and
  // the pool that they will have. May allocate. Called again when an operand has moved.
  virtual Status bind(std::span<const PreparedInput> in, std::span<std::byte* const> out,
                      ThreadPool& pool) = 0;
  // Requires bind(). Allocates nothing.
  virtual Status run(ThreadPool& pool) = 0;
};

// Offers prepared operators. Outlives the models that use it.
class PreparedOpFactory {
 public:
  virtual ~PreparedOpFactory() = default;
  // True if make() would succeed.
  virtual bool offers(const Graph& graph, const Op& op) const = 0;
  virtual Result<std::unique_ptr<PreparedOp>> make(const Graph& graph, const Op& op) const = 0;
  // "xnnpack_conv_2d": what profiles call it.
  virtual std::string kernel_name(const Op& op) const = 0;
};

}  // namespace pj
