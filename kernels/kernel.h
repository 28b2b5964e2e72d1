// What a micro-kernel is: a stateless function that computes one tile of one operator.
//
// It allocates nothing, starts no thread, touches no global, and never sees a tensor: the executor
// walks the loop nest of a step (runtime/plan/program.h), and for each box of the iteration space
// resolves pointers and calls the kernel. The same kernel so serves whole layers, blocks that fit a
// cache, rows of a band in a ring buffer, and parts given to threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pj {

// The iteration space of a step has four dimensions. Kernels that need fewer leave the others 1;
// a matrix product has M in kCol and N in kChannel.
enum Dim : uint8_t { kBatch = 0, kRow = 1, kCol = 2, kChannel = 3 };
inline constexpr int kDimCount = 4;

// What may be read behind a strip of columns: as many steps of the window, for kernels that hold
// several pixels or load ahead, and as many bytes, for vectors longer than a pixel.
inline constexpr int kStepsBehindStrips = 7;
inline constexpr int kBytesBehindStrips = 64;

struct Tile {
  int32_t begin[kDimCount];  // position of the tile in the iteration space
  int32_t size[kDimCount];   // its extent, at least 1 each

  // Operands in the order the kernel's description gives. Each pointer is at the tile's first
  // element: begin[] is already applied with the operand's strides. An absent operand is null.
  const std::byte* const* in;
  std::byte* const* out;

  // Kernels with a window (convolution, depthwise, pooling) get the rows of input 0 that the tile's
  // rows need: rows[i] is the first column of row `begin[kRow] * stride - pad_top + i`, with the
  // batch and, where its stride is not 0, the channel of the tile applied; null for a row outside
  // the input. Count: (size[kRow] - 1) * stride + window height. In a strip of columns, a row holds
  // only those that the tile's windows see: nothing before them may be read, and behind them no
  // more than kStepsBehindStrips and kBytesBehindStrips say.
  const std::byte* const* rows;

  std::byte* scratch;  // as many bytes as the step asked for, private to the calling thread
  const void* params;  // the step's constants, of the type that the kernel's description names
};

using KernelFn = void (*)(const Tile&);

}  // namespace pj
