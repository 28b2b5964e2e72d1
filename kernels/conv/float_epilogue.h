// Epilogues of float convolutions (ConvEpilogue in kernels/conv/conv.h), sums and slopes: by the
// elementwise kernel of the same ISA level, on results that have just been stored and are in L1.
// One code so serves all kernels.
//
// Compiled once for each ISA level, hence the anonymous namespace; the level's file defines
// PJ_ELEMENT_KERNEL(name).
#pragma once

#include "kernels/conv/conv.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernel.h"

namespace pj {

namespace kernels {
// Defined by kernels/levels/elements.cc.
void PJ_ELEMENT_KERNEL(f32_binary)(const Tile& t);
}  // namespace kernels

namespace {

class FloatEpilogue {
 public:
  // Of the layer that `t` is a tile of.
  explicit FloatEpilogue(const Tile& t) : tile_(t) {
    const auto& p = *static_cast<const ConvKernelParams*>(t.params);
    const ConvEpilogue& e = p.epilogue;
    fn_ = static_cast<EpilogueFn>(e.fn);
    if (fn_ == EpilogueFn::kNone) return;
    ElementStrides strides{};
    strides.out[kRow] = p.out_row_bytes;
    strides.out[kCol] = p.out_col_bytes;
    strides.out[kChannel] = sizeof(float);
    for (int d = 0; d < kDimCount; ++d) {
      strides.in[0][d] = strides.out[d];
      // A sum's operand lies like the output; slopes are those of all pixels.
      if (fn_ == EpilogueFn::kAdd || d == kChannel) strides.in[1][d] = strides.out[d];
    }
    constexpr float kInfinity = __builtin_inff();
    const bool sum = fn_ == EpilogueFn::kAdd;
    const FloatBinaryFn fn = sum ? FloatBinaryFn::kAdd : FloatBinaryFn::kPRelu;
    binary_ = {strides, sum ? e.low : -kInfinity, sum ? e.high : kInfinity,
               static_cast<int32_t>(fn), 0};
  }

  bool present() const { return fn_ != EpilogueFn::kNone; }

  // Finishes `rows` x `cols` pixels of the tile from `out` on, `channels` channels from `channel`.
  void finish(uint8_t* out, int32_t rows, int32_t cols, int32_t channel, int32_t channels) const {
    if (!present()) return;
    auto* result = reinterpret_cast<std::byte*>(out);
    const int64_t offset = fn_ == EpilogueFn::kAdd ? result - tile_.out[0]
                                                   : channel * static_cast<int64_t>(sizeof(float));
    const std::byte* in[2] = {result, tile_.in[3] + offset};
    Tile part{};
    part.size[kBatch] = 1;
    part.size[kRow] = rows;
    part.size[kCol] = cols;
    part.size[kChannel] = channels;
    part.in = in;
    part.out = &result;
    part.params = &binary_;
    kernels::PJ_ELEMENT_KERNEL(f32_binary)(part);
  }
  // All of the tile.
  void finish_tile() const {
    finish(reinterpret_cast<uint8_t*>(tile_.out[0]), tile_.size[kRow], tile_.size[kCol], 0,
           tile_.size[kChannel]);
  }

 private:
  const Tile& tile_;
  EpilogueFn fn_ = EpilogueFn::kNone;
  FloatBinaryParams binary_{};
};

}  // namespace
}  // namespace pj
