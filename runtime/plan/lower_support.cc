#include "runtime/plan/lower_support.h"

#include <algorithm>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

// Waking a thread costs some microseconds: about the time in which one core moves this much.
constexpr int64_t kBytesForThread = 32 << 10;

int64_t bytes_moved(const LoopNest& nest) {
  int64_t bytes = 0;
  for (const Operand& o : nest.in) bytes += o.bytes;
  for (const Operand& o : nest.out) bytes += o.bytes;
  return bytes;
}

}  // namespace

KernelId find_row(const LowerContext& c, KernelClass cls, DType input, DType output) {
  KernelId best = -1;
  for (size_t i = 0; i < c.catalog.size(); ++i) {
    const KernelDesc& k = c.catalog[i];
    if (k.cls != cls || k.input != input || k.output != output || !c.target.isa.includes(k.isa))
      continue;
    if (best < 0 || k.macs_per_cycle > c.catalog[static_cast<size_t>(best)].macs_per_cycle)
      best = static_cast<KernelId>(i);
  }
  return best;
}

Operand whole_operand(const LowerContext& c, TensorId id) {
  Operand o;
  if (id == kNoTensor) return o;
  o.buffer = c.buffer_of(id);
  o.bytes = byte_size(c.tensor(id));
  return o;
}

void cut(LoopNest& nest, Dim dim, int32_t granule) {
  cut_moving(nest, dim, granule, bytes_moved(nest));
}

void cut_moving(LoopNest& nest, Dim dim, int32_t granule, int64_t bytes) {
  const int64_t parts = std::max<int64_t>(1, bytes / kBytesForThread);
  const int64_t size = ceil_div(ceil_div(nest.extent[dim], parts), granule) * granule;
  nest.loops.push_back({dim, static_cast<int32_t>(std::min<int64_t>(size, INT32_MAX)), true});
}

int32_t useful_threads(const LoopNest& nest) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(bytes_moved(nest) / kBytesForThread, 1, INT32_MAX));
}

double depthwise_cycles(const KernelDesc& kernel, int64_t macs, int64_t bytes) {
  constexpr double kBytesOfOthers = 8;  // a cycle
  return static_cast<double>(macs) / kernel.macs_per_cycle +
         static_cast<double>(bytes) / kBytesOfOthers;
}

bool is_quantized(const Tensor& t) { return t.quant.per_tensor() && t.quant.scale[0] > 0; }

}  // namespace pj
