// Small models for the tests of the API, as the bytes of .pj files, and owners of handles.
#pragma once

#include <pj/pj.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pj::testing {

using Bytes = std::vector<std::byte>;

// "x" [1, 2] -> "y" [1, 3], f32: relu(W x + b) with W = [[1, 2], [3, -4], [-1, -1]] and
// b = [0.5, 1, -1].
Bytes dense_model();
// The same with any number of rows, 1 at first: "x" [?, 2] -> "y" [?, 3].
Bytes rows_model();
// "a" + "b" -> "sum" and "a" - "b" -> "difference", each f32 [1, ?].
Bytes two_inputs_model();
// "x" [1, 1024] -> "y" [1, 1024], f32, with 4 MiB of weights.
Bytes heavy_model();
// An int8 MobileNet V2 block of 1x32x32x16: "x" -> "y", scale 0.02 and zero point 3 ->
// scale 0.06 and zero point 1. Large enough for several threads.
Bytes block_model();
// Another one, of which several threads share the work.
Bytes large_block_model();

struct FreeHandle {
  void operator()(pj_model* m) const { pj_model_free(m); }
  void operator()(pj_session* s) const { pj_session_free(s); }
};
using ModelHandle = std::unique_ptr<pj_model, FreeHandle>;
using SessionHandle = std::unique_ptr<pj_session, FreeHandle>;

// Null, and a failure of the test, on an error.
ModelHandle load(const Bytes& bytes);
SessionHandle open(const ModelHandle& model, const pj_session_options* options = nullptr);
SessionHandle open(const Bytes& bytes);

// What run() makes of reproducible pseudo-random bytes in all inputs: all bytes of output 0.
Bytes run_on_noise(pj_session* session);

std::vector<float> floats_of(const void* data, size_t count);
pj_tensor_info input_info(const pj_session* s, size_t i);
pj_tensor_info output_info(const pj_session* s, size_t i);

}  // namespace pj::testing
