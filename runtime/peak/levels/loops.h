// Loops that do nothing but keep one kind of unit busy, as data: what levels/<isa>.cc exports.
//
// A level's file is compiled with that level's flags and may only be entered where the CPU has it,
// so it exports constants instead of functions that return them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/base/dtype.h"

namespace pj::peak {

// Multiply-accumulates from registers, in chains enough to hide their latency.
struct ArithmeticLoop {
  DType type;                // kI8: products of bytes summed as int32; kF32
  const char* instructions;  // those that make one step, "vpmaddwd+vpaddd"
  int chains;                // steps of one repeat
  int step_macs;
  void (*run)(int64_t repeats);
};

// Passes over `bytes` bytes, a multiple of kMoveBlock, at a cache line's alignment.
inline constexpr size_t kMoveBlock = 1024;
struct MoveLoops {
  int width = 0;  // bytes of one instruction; 0: the level has no wider ones than others
  void (*load)(const std::byte* memory, size_t bytes) = nullptr;
  void (*store)(std::byte* memory, size_t bytes) = nullptr;
};

struct LevelLoops {
  const char* level;  // a name of isa_levels()
  std::span<const ArithmeticLoop> arithmetic;
  MoveLoops moves;
};

extern const LevelLoops scalar_loops, avx2_loops, avxvnni_loops, avx512_loops, avx512vnni_loops,
    neon_loops, neondot_loops, neoni8mm_loops;

// `count` additions, a multiple of 256, each of which needs the result of the one before.
void dependent_additions(int64_t count);

}  // namespace pj::peak
