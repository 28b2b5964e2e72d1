// Operators that move blocks of pixels between spatial dimensions and channels or batches:
// DepthToSpace, SpaceToDepth, SpaceToBatch, BatchToSpace.
#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

// `dim * factor` and `dim / divisor` for dimensions that may be unknown.
Result<int32_t> multiply_dim(int32_t dim, int64_t factor) {
  if (!known(dim)) return kUnknownDim;
  return to_dim(dim * factor);
}
Result<int32_t> divide_dim(int64_t dim, int64_t divisor) {
  if (dim % divisor == 0) return to_dim(dim / divisor);
  return error(ErrorCode::kModelInvalid, "{} elements do not divide into blocks of {}", dim,
               divisor);
}

Result<int32_t> check_block(int32_t block) {
  // Far above any real model; keeps products of blocks within 64 bits.
  constexpr int32_t kMaxBlock = 1 << 15;
  if (block >= 1 && block <= kMaxBlock) return block;
  return error(ErrorCode::kModelInvalid, "block {} is outside [1, {}]", block, kMaxBlock);
}

struct BlockParameters {
  bool known = false;
  int64_t product = 1;  // of the blocks
  Dims block, before, after;
};

Result<BlockParameters> block_parameters(const InferContext& ctx) {
  const auto& p = ctx.op.as<SpaceBatchParams>();
  PJ_TRY(require_input_rank_at_least(ctx, 0, 1));
  PJ_ASSIGN(const DimsParameter block, dims_parameter(ctx, 1, p.block));
  PJ_ASSIGN(const PairsParameter border, pairs_parameter(ctx, 2, p.before, p.after));
  const int32_t rank = input_shape(ctx, 0).rank();
  if (!dims_agree(block.count, border.count) || block.count >= rank) {
    return error(ErrorCode::kModelInvalid,
                 "{} blocks and {} pairs of borders for a tensor of {} dimensions", block.count,
                 border.count, rank);
  }
  if (!block.known || !border.known) return BlockParameters{};
  BlockParameters r{true, 1, block.value, border.before, border.after};
  for (int32_t i = 0; i < r.block.count; ++i) {
    PJ_ASSIGN(const int32_t size, check_block(r.block[i]));
    PJ_ASSIGN(r.product, to_dim(r.product * size));
    if (r.before[i] < 0 || r.after[i] < 0) {
      return error(ErrorCode::kModelInvalid, "borders {} and {} of dimension {} are negative",
                   r.before[i], r.after[i], i + 1);
    }
  }
  return r;
}

Status validate_block(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(check_block(ctx.op.as<BlockParams>().block));
  return {};
}

Status validate_space_batch(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_dims_parameter(ctx, 1));
  return require_pairs_parameter(ctx, 2);
}

}  // namespace

Status validate_DepthToSpace(const InferContext& ctx) { return validate_block(ctx); }

Status infer_DepthToSpace(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  const int64_t block = ctx.op.as<BlockParams>().block;
  Shape out = input_shape(ctx, 0);
  PJ_ASSIGN(out[1], multiply_dim(out[1], block));
  PJ_ASSIGN(out[2], multiply_dim(out[2], block));
  if (known(out[3])) {
    PJ_ASSIGN(out[3], divide_dim(out[3], block * block));
  }
  outputs.push_back(out);
  return {};
}

Status validate_SpaceToDepth(const InferContext& ctx) { return validate_block(ctx); }

Status infer_SpaceToDepth(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  const int64_t block = ctx.op.as<BlockParams>().block;
  Shape out = input_shape(ctx, 0);
  for (int32_t i = 1; i <= 2; ++i) {
    if (known(out[i])) {
      PJ_ASSIGN(out[i], divide_dim(out[i], block));
    }
  }
  PJ_ASSIGN(out[3], multiply_dim(out[3], block * block));
  outputs.push_back(out);
  return {};
}

Status validate_SpaceToBatch(const InferContext& ctx) { return validate_space_batch(ctx); }

Status infer_SpaceToBatch(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const BlockParameters p, block_parameters(ctx));
  Shape out = input_shape(ctx, 0);
  if (!p.known) {
    outputs.push_back(Dims::filled(out.rank(), kUnknownDim));
    return {};
  }
  PJ_ASSIGN(out[0], multiply_dim(out[0], p.product));
  for (int32_t i = 0; i < p.block.count; ++i) {
    int32_t& dim = out[i + 1];
    if (known(dim)) {
      PJ_ASSIGN(dim, divide_dim(int64_t{dim} + p.before[i] + p.after[i], p.block[i]));
    }
  }
  outputs.push_back(out);
  return {};
}

Status validate_BatchToSpace(const InferContext& ctx) { return validate_space_batch(ctx); }

Status infer_BatchToSpace(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const BlockParameters p, block_parameters(ctx));
  Shape out = input_shape(ctx, 0);
  if (!p.known) {
    outputs.push_back(Dims::filled(out.rank(), kUnknownDim));
    return {};
  }
  if (known(out[0])) {
    PJ_ASSIGN(out[0], divide_dim(out[0], p.product));
  }
  for (int32_t i = 0; i < p.block.count; ++i) {
    int32_t& dim = out[i + 1];
    if (known(dim)) {
      PJ_ASSIGN(dim, to_dim(int64_t{dim} * p.block[i] - p.before[i] - p.after[i]));
    }
  }
  outputs.push_back(out);
  return {};
}

}  // namespace pj
