/* Picojoule as a measuring worker, through its C API. */
#include <string.h>

#include "bench/peers/worker.h"
#include "pj/pj.h"

static pj_model* model;
static pj_session* session;

static void describe(const pj_tensor_info* info, worker_tensor* tensor) {
  static const char* const names[] = {"float32", "float16", "int8",  "uint8",
                                      "int16",   "int32",   "int64", "bool"};
  tensor->dtype = names[info->dtype];
  tensor->rank = info->rank;
  memcpy(tensor->dims, info->dims, sizeof tensor->dims);
  tensor->bytes = info->byte_size;
}

static const char* describe_all(worker_model* description) {
  description->input_count = pj_session_input_count(session);
  description->output_count = pj_session_output_count(session);
  if (description->input_count > worker_max_tensors ||
      description->output_count > worker_max_tensors)
    return "too many inputs or outputs";
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  for (size_t i = 0; i < description->input_count; ++i) {
    if (pj_session_input_info(session, i, &info) != pj_ok) return pj_last_error();
    describe(&info, &description->inputs[i]);
  }
  for (size_t i = 0; i < description->output_count; ++i) {
    if (pj_session_output_info(session, i, &info) != pj_ok) return pj_last_error();
    describe(&info, &description->outputs[i]);
  }
  return NULL;
}

static const char* load(const char* path, int threads, worker_model* description) {
  pj_session_options options = PJ_SESSION_OPTIONS_INIT;
  options.threads = threads;
  if (pj_model_load(path, NULL, &model) != pj_ok) return pj_last_error();
  if (pj_session_create(model, &options, &session) != pj_ok) return pj_last_error();
  return describe_all(description);
}

static const char* run(void) { return pj_run(session) == pj_ok ? NULL : pj_last_error(); }

static const char* set_input(size_t index, const void* data, size_t bytes) {
  void* to = pj_session_input_data(session, index);
  if (!to) return pj_last_error();
  memcpy(to, data, bytes);
  return NULL;
}

static const char* get_output(size_t index, worker_model* description, const void** data) {
  (void)description;
  *data = pj_session_output_data(session, index);
  return *data ? NULL : pj_last_error();
}

int main(void) {
  const worker_runtime runtime = {pj_version(), load, run, set_input, get_output};
  const int status = worker_main(&runtime);
  pj_session_free(session);
  pj_model_free(model);
  return status;
}
