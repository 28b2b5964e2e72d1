// Gather, GatherNd and Tile: elements picked by indices, or repeated. Indices come from tensors and
// may hold anything; they are clamped into the dimension that they index.
#include "kernels/reference/copy.h"
#include "kernels/reference/reference_rows.h"

namespace pj {
namespace {

using namespace ref;

// Element i of an int32 or int64 tensor, clamped to [0, size).
int64_t index_at(const Tile& tile, DType dtype, int64_t i, int32_t size) {
  const int64_t index =
      dtype == DType::kI64 ? input<int64_t>(tile, 1)[i] : input<int32_t>(tile, 1)[i];
  return std::clamp<int64_t>(index, 0, size - 1);
}

}  // namespace

// With batch_dims b: out[B..., P..., I..., S...] = x[B..., P..., index[B..., I...], S...], where
// B are the b common dimensions, P those of x before the axis, and S those after it.
void reference_Gather(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& params = p.as<GatherParams>();
  const Shape x = p.input(0).shape, indices = p.input(1).shape;
  const OperandDesc out = p.output(0);
  if (elements(out.shape) == 0) return;
  const int32_t axis = normalize_axis(params.axis, x.rank());
  const int32_t batch_dims = normalize_axis(params.batch_dims, indices.rank());
  const int64_t batches = elements(x, 0, batch_dims);
  const int64_t prefixes = elements(x, batch_dims, axis);
  const int64_t count = elements(indices, batch_dims, indices.rank());
  const int64_t run = elements(x, axis + 1, x.rank()) * static_cast<int64_t>(size_of(out.dtype));
  const DType index_type = p.input(1).dtype;
  std::byte* to = tile.out[0];
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t prefix = 0; prefix < prefixes; ++prefix) {
      const std::byte* from = tile.in[0] + (b * prefixes + prefix) * x[axis] * run;
      for (int64_t i = 0; i < count; ++i, to += run) {
        const int64_t index = index_at(tile, index_type, b * count + i, x[axis]);
        std::memcpy(to, from + index * run, static_cast<size_t>(run));
      }
    }
  }
}

// out[I..., S...] = x[indices[I..., 0], indices[I..., 1], ..., S...].
void reference_GatherNd(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape x = p.input(0).shape, indices = p.input(1).shape;
  const OperandDesc out = p.output(0);
  if (elements(out.shape) == 0) return;
  const int32_t depth = indices.back(0);
  const int64_t count = elements(indices, 0, indices.rank() - 1);
  const int64_t run = elements(x, depth, x.rank()) * static_cast<int64_t>(size_of(out.dtype));
  const DType index_type = p.input(1).dtype;
  std::byte* to = tile.out[0];
  for (int64_t i = 0; i < count; ++i, to += run) {
    int64_t place = 0;
    for (int32_t d = 0; d < depth; ++d)
      place = place * x[d] + index_at(tile, index_type, i * depth + d, x[d]);
    std::memcpy(to, tile.in[0] + place * run, static_cast<size_t>(run));
  }
}

// Row by row: row r of the output is the row of the input at the same position modulo its size.
void reference_Tile(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape in = p.input(0).shape, out = p.output(0).shape;
  if (elements(out) == 0) return;
  const int32_t outer = std::max(0, out.rank() - 1);
  const int32_t repeats = out.empty() ? 1 : out.back(0) / in.back(0);
  const int64_t run =
      (in.empty() ? 1 : in.back(0)) * static_cast<int64_t>(size_of(p.output(0).dtype));
  const int64_t rows = elements(out, 0, outer);
  std::byte* to = tile.out[0];
  for (int64_t r = 0; r < rows; ++r) {
    int64_t rest = r, source = 0, step = 1;
    for (int32_t d = outer - 1; d >= 0; --d) {
      source += rest % out[d] % in[d] * step;
      rest /= out[d];
      step *= in[d];
    }
    for (int32_t k = 0; k < repeats; ++k, to += run)
      std::memcpy(to, tile.in[0] + source * run, static_cast<size_t>(run));
  }
}

}  // namespace pj
