/* pj.h as a strict C99 program uses it. */
#include "tests/api/strict_c99.h"

#include <pj/pj.h>
#include <string.h>

static const char* run_session(pj_session* session, const float* x, size_t x_count, float* y,
                               size_t y_count) {
  pj_tensor_info in = PJ_TENSOR_INFO_INIT, out = PJ_TENSOR_INFO_INIT;
  if (pj_session_input_info(session, 0, &in) != pj_ok) return pj_last_error();
  if (pj_session_output_info(session, 0, &out) != pj_ok) return pj_last_error();
  if (in.dtype != pj_f32 || in.byte_size != x_count * sizeof *x) return "another input expected";
  if (out.dtype != pj_f32 || out.byte_size != y_count * sizeof *y) return "another output expected";
  memcpy(pj_session_input_data(session, 0), x, in.byte_size);
  if (pj_run(session) != pj_ok) return pj_last_error();
  memcpy(y, pj_session_output_data(session, 0), out.byte_size);
  return NULL;
}

const char* run_in_c99(const void* bytes, size_t size, const float* x, size_t x_count, float* y,
                       size_t y_count) {
  pj_model_options model_options = PJ_MODEL_OPTIONS_INIT;
  pj_session_options session_options = PJ_SESSION_OPTIONS_INIT;
  pj_model* model;
  pj_session* session;
  const char* problem;
  model_options.isa = "scalar";
  session_options.threads = 1;
  if (pj_model_load_memory(bytes, size, &model_options, &model) != pj_ok) return pj_last_error();
  if (pj_session_create(model, &session_options, &session) != pj_ok) {
    pj_model_free(model);
    return pj_last_error();
  }
  pj_model_free(model);
  problem = run_session(session, x, x_count, y, y_count);
  pj_session_free(session);
  return problem;
}
