#include "runtime/plan/program.h"

#include <fmt/format.h>

#include "runtime/base/checksum.h"

namespace pj {
namespace {

constexpr const char* kSpaceNames[] = {"none",     "arena",  "input", "output",
                                       "constant", "packed", "ring"};
constexpr const char* kDimNames[] = {"batch", "row", "col", "channel"};

std::string to_string(const Operand& o) {
  std::string s = fmt::format(
      "{}[{}]+{} ({} bytes) strides {} {} {} {}", kSpaceNames[static_cast<int>(o.buffer.space)],
      o.buffer.index, o.buffer.offset, o.bytes, o.stride[0], o.stride[1], o.stride[2], o.stride[3]);
  if (o.ring_rows > 0) s += fmt::format(" ring of {} rows", o.ring_rows);
  return s;
}

std::string to_string(const LoopNest& n) {
  std::string s = fmt::format("    kernel {} over {}x{}x{}x{}, params {:08x}, scratch {}\n",
                              n.kernel, n.extent[0], n.extent[1], n.extent[2], n.extent[3],
                              crc32(n.params), n.scratch_bytes);
  for (const Loop& l : n.loops) {
    s += fmt::format("      for {} step {}{}\n", kDimNames[l.dim], l.step,
                     l.parallel ? " parallel" : "");
  }
  if (n.windowed) {
    s += fmt::format("      window of {} rows, stride {}, pad {}, of {}, for {}\n", n.window.span,
                     n.window.stride, n.window.pad_top, n.window.rows, n.window.repeat);
  }
  for (const Operand& o : n.in) s += "      in  " + to_string(o) + '\n';
  for (const Operand& o : n.out) s += "      out " + to_string(o) + '\n';
  return s;
}

}  // namespace

std::string to_string(const Program& p) {
  std::string s =
      fmt::format("arena {} bytes, lower bound {}\n", p.arena_bytes, p.arena_lower_bound);
  s += fmt::format("rings {} bytes\n", p.ring_bytes);
  for (const IoBinding& b : p.inputs)
    s += fmt::format("input tensor {}, {} bytes\n", b.tensor, b.bytes);
  for (const IoBinding& b : p.outputs)
    s += fmt::format("output tensor {}, {} bytes\n", b.tensor, b.bytes);
  for (const PackedConstant& c : p.packed)
    s += fmt::format("packed for op {}: {}, {} bytes\n", c.op, c.packing, c.bytes);
  for (const Step& step : p.steps) {
    s += fmt::format("step {} '{}' macs {} threads {} by {} rows {} cols{}\n", step.op, step.name,
                     step.macs, step.threads, step.steps.rows, step.steps.cols,
                     step.prepared ? " prepared" : "");
    for (const LoopNest& n : step.members) s += to_string(n);
  }
  return s;
}

}  // namespace pj
