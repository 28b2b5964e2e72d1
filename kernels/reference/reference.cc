#include "kernels/reference/reference.h"

#include <cstring>
#include <type_traits>

#include "kernels/reference/reference_rows.h"
#include "runtime/base/aligned.h"

namespace pj {
namespace {

// The block: Header, one Record per operand, then the channel scales of all operands.
struct Header {
  OpParams params;
  int32_t input_count, output_count;
};
struct Record {
  Shape shape;
  float scale;
  int32_t zero_point;
  int32_t channel_axis;
  int64_t scales_offset;  // in bytes, from the start of the block
  int64_t scales_count;
  DType dtype;
  bool present;
};
static_assert(std::is_trivially_copyable_v<Header> && std::is_trivially_copyable_v<Record>);
static_assert(alignof(Header) <= alignof(Record) && sizeof(Record) % alignof(float) == 0);

constexpr size_t kFirstRecord = round_up(sizeof(Header), alignof(Record));

constexpr KernelFn kRows[] = {
#define X(kind, name, params) reference_##kind,
    PJ_OPERATORS(X)
#undef X
};

}  // namespace

std::vector<std::byte> make_reference_params(const OpParams& params,
                                             std::span<const OperandDesc> inputs,
                                             std::span<const OperandDesc> outputs) {
  const size_t count = inputs.size() + outputs.size();
  auto operand = [&](size_t i) -> const OperandDesc& {
    return i < inputs.size() ? inputs[i] : outputs[i - inputs.size()];
  };
  size_t scales_offset = kFirstRecord + count * sizeof(Record);
  size_t size = scales_offset;
  for (size_t i = 0; i < count; ++i) size += operand(i).channel_scales.size_bytes();

  std::vector<std::byte> block(size);
  const Header header = {params, static_cast<int32_t>(inputs.size()),
                         static_cast<int32_t>(outputs.size())};
  std::memcpy(block.data(), &header, sizeof(header));
  for (size_t i = 0; i < count; ++i) {
    const OperandDesc& d = operand(i);
    const Record record = {d.shape,
                           d.scale,
                           d.zero_point,
                           d.channel_axis,
                           static_cast<int64_t>(scales_offset),
                           static_cast<int64_t>(d.channel_scales.size()),
                           d.dtype,
                           d.present};
    std::memcpy(block.data() + kFirstRecord + i * sizeof(Record), &record, sizeof(record));
    if (!d.channel_scales.empty())
      std::memcpy(block.data() + scales_offset, d.channel_scales.data(),
                  d.channel_scales.size_bytes());
    scales_offset += d.channel_scales.size_bytes();
  }
  return block;
}

ReferenceParams::ReferenceParams(const void* block) : block_(static_cast<const std::byte*>(block)) {
  const auto* header = static_cast<const Header*>(block);
  params_ = &header->params;
  input_count_ = header->input_count;
  output_count_ = header->output_count;
}

OperandDesc ReferenceParams::operand(int32_t i) const {
  const auto& r = reinterpret_cast<const Record*>(block_ + kFirstRecord)[i];
  OperandDesc d;
  d.dtype = r.dtype;
  d.shape = r.shape;
  d.scale = r.scale;
  d.zero_point = r.zero_point;
  d.present = r.present;
  d.channel_scales = {reinterpret_cast<const float*>(block_ + r.scales_offset),
                      static_cast<size_t>(r.scales_count)};
  d.channel_axis = r.channel_axis;
  return d;
}

KernelFn reference_kernel(OpKind kind) { return kRows[static_cast<size_t>(kind)]; }

int64_t reference_scratch_bytes(OpKind kind, const void* params) {
  if (kind == OpKind::kDetectionPostProcess)
    return detection_scratch_bytes(ReferenceParams(params));
  return 0;
}

void run_reference(OpKind kind, const OpParams& params, std::span<const OperandDesc> inputs,
                   std::span<const std::byte* const> input_data,
                   std::span<const OperandDesc> outputs, std::span<std::byte* const> output_data) {
  const std::vector<std::byte> block = make_reference_params(params, inputs, outputs);
  Tile tile = {};
  for (int32_t& extent : tile.size) extent = 1;
  tile.in = input_data.data();
  tile.out = output_data.data();
  tile.params = block.data();
  AlignedBuffer scratch(static_cast<size_t>(reference_scratch_bytes(kind, block.data())));
  tile.scratch = scratch.data();
  reference_kernel(kind)(tile);
}

}  // namespace pj
