// DepthToSpace, SpaceToDepth, SpaceToBatch and BatchToSpace: each a permutation of blocks, seen as
// copies of boxes.
#include "kernels/reference/block_walk.h"
#include "kernels/reference/reference_rows.h"

namespace pj {

using namespace ref;

void reference_DepthToSpace(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const BlockWalk walk = block_walk(p.input(0).shape, p.as<BlockParams>().block);
  copy_box(p.output(0).dtype, walk.shape, tile.in[0], walk.deep, tile.out[0], walk.large);
}

void reference_SpaceToDepth(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const BlockWalk walk = block_walk(p.output(0).shape, p.as<BlockParams>().block);
  copy_box(p.output(0).dtype, walk.shape, tile.in[0], walk.large, tile.out[0], walk.deep);
}

void reference_SpaceToBatch(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const OperandDesc out = p.output(0);
  if (elements(out.shape) == 0) return;
  fill_zero(out, tile.out[0]);
  for_each_phase(p.as<SpaceBatchParams>(), out.shape, p.input(0).shape,
                 [&](const Shape& box, const Box& small, const Box& large) {
                   copy_box(out.dtype, box, tile.in[0], large, tile.out[0], small);
                 });
}

void reference_BatchToSpace(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const OperandDesc out = p.output(0);
  if (elements(out.shape) == 0) return;
  for_each_phase(p.as<SpaceBatchParams>(), p.input(0).shape, out.shape,
                 [&](const Shape& box, const Box& small, const Box& large) {
                   copy_box(out.dtype, box, tile.in[0], small, tile.out[0], large);
                 });
}

}  // namespace pj
