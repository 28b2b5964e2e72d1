// Rewrites of a graph that keep what it computes: parameters become attributes, constants are
// folded, operators are fused into others. Each pass is a function Graph -> Graph in place.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "runtime/graph/graph.h"

namespace pj {

struct PassInfo {
  const char* name;
  const char* summary;
  // Returns how many rewrites it made. Expects a valid graph with inferred shapes; leaves a valid
  // one, whose shapes have to be inferred again and where what nobody uses any more may remain.
  Result<int> (*run)(Graph& graph);
};

// In the order in which they run.
std::span<const PassInfo> standard_passes();

struct PassReport {
  const char* name;
  int rewrites;
};

// Validates, infers shapes, runs the standard passes until none changes anything, drops what is
// unused, and validates again. Names, types and order of the graph's inputs and outputs stay.
// `reports`, if not null, gets one entry a pass. Errors: those of validate() and infer_shapes();
// kOutOfMemory.
Status run_passes(Graph& graph, std::vector<PassReport>* reports = nullptr);
// The same for a graph that validate() and infer_shapes() have accepted, as readers leave it: what
// nothing changes is not looked at again.
Status run_passes_on_valid(Graph& graph, std::vector<PassReport>* reports = nullptr);

// Drops operators whose outputs nobody uses and tensors that nothing refers to; the rest keeps its
// order. Graph inputs stay.
void compact(Graph& graph);

// Constant parameter inputs (shapes, axes, ...) become attributes. An input that is only known at
// run time stays.
Result<int> absorb_parameters(Graph& graph);

// Operators of constants, and shapes of tensors with a known shape, become constants, unless the
// result is much larger than what it is computed from or widens f16 data.
Result<int> fold_constants(Graph& graph);

// f16 constants that the graph dequantises are used as they are where kernels read f16: as weights
// and biases, directly or after a change of layout. Small ones for other uses become f32 constants.
Result<int> f16_weights(Graph& graph);

// No standard pass, since it changes what a graph computes: weights of f32 layers become f16, which
// kernels widen as they load them. Weights that f16 cannot hold stay. Returns how many are narrow
// now.
int narrow_weights(Graph& graph);

// The f16 constant of the values of one of f32; nothing if one of them is too large for that.
std::optional<Tensor> f16_constant(const Tensor& wide);

// Transposes move behind operators that do not care about the order of dimensions, where they meet
// their inverse; kept if fewer elements are transposed then. Counts as one rewrite.
Result<int> sink_transposes(Graph& graph);

// Nearest-neighbour upsampling moves behind operators that work pixel by pixel, which then see fewer
// pixels.
Result<int> sink_resizes(Graph& graph);

// silu, hard_swish, gelu and layer normalisation, written out in primitive operators, become one.
Result<int> recognize_functions(Graph& graph);

// Zeros around the image go into the padding of the convolutions behind.
Result<int> fuse_pad(Graph& graph);

// A relu, relu6 or relu_n1_to_1 becomes the activation of the operator before it.
Result<int> fuse_activation(Graph& graph);

// The scales of int32 biases go: they are those of the products that a bias is added to, nobody
// reads them, and in a file they take as much room as those of the weights.
Result<int> drop_bias_scales(Graph& graph);

// Operators that return their input as it is are dropped, and chains of reshapes become one.
Result<int> remove_identities(Graph& graph);

// Elementwise operators join the convolutions and fully connected layers before them as epilogues
// where `wanted` says so of the operator that would come about. No standard pass, since what pays
// off depends on the target's kernels: runtime/plan/fuse.h. Expects inferred shapes.
Result<int> fuse_epilogues(Graph& graph,
                           const std::function<bool(const Graph& graph, const Op& fused)>& wanted);

}  // namespace pj
