/* LiteRT as a measuring worker: the library of the wheel ai-edge-litert through its C API, so that
 * no Python is measured.
 *
 *   litert_run libLiteRt.so VERSION
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/peers/litert_api.h"
#include "bench/peers/worker.h"

#define X(name, parameters) static int(*name) parameters;
LITERT_FUNCTIONS(X)
#undef X

#define TRY(call)                                                                       \
  do {                                                                                  \
    const int status_ = (call);                                                         \
    if (status_ != 0) return worker_error("LiteRT: %s gave status %d", #call, status_); \
  } while (0)

/* An output of unknown size (detections) gets this much. */
enum { unknown_size = 16384 };

static litert environment, compiled;
static size_t input_count, output_count;
static litert inputs[worker_max_tensors], outputs[worker_max_tensors];
static int32_t output_elements[worker_max_tensors];

static const char* open_library(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
#define X(name, parameters)                        \
  *(void**)&name = dlsym(library, "LiteRt" #name); \
  if (!name) return "the library has no function " #name;
  LITERT_FUNCTIONS(X)
#undef X
  return NULL;
}

static uint32_t read_u32(const uint8_t* p) {
  uint32_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

/* Forgets the model's signatures, by one slot of its FlatBuffers vtable. Without any, inputs and
 * outputs are the graph's own, in the order of the file; and CompiledModel aborts on models whose
 * signature names tensors that are neither. The compiled network is the same. */
static const char* forget_signatures(uint8_t* file, size_t size) {
  enum { signature_defs = 4 + 2 * 7 }; /* field 7 of table Model in the schema of .tflite */
  const size_t root = size >= 8 ? read_u32(file) : size;
  if (size < 8 || memcmp(file + 4, "TFL3", 4) != 0 || root > size - 4) return "not a .tflite file";
  const size_t vtable = root - read_u32(file + root);
  if (vtable > size - signature_defs - 2) return "not a .tflite file";
  if ((file[vtable] | file[vtable + 1] << 8) > signature_defs)
    memset(file + vtable + signature_defs, 0, 2);
  return NULL;
}

/* Maps the file: private, so that the change above copies one page and the file stays as it is. */
static const char* map_model(const char* path, uint8_t** data, size_t* size) {
  const int file = open(path, O_RDONLY);
  struct stat info;
  if (file < 0 || fstat(file, &info) != 0) return worker_error("cannot read %s", path);
  *size = (size_t)info.st_size;
  *data = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  close(file);
  if (*data == MAP_FAILED) return worker_error("cannot map %s", path);
  return forget_signatures(*data, *size);
}

/* The thread count has no function: it travels as TOML text in options of the kind "xnnpack". */
static const char* cpu_options(int threads, litert* options) {
  TRY(CreateOptions(options));
  TRY(SetOptionsHardwareAccelerators(*options, litert_cpu));
  char* text = NULL;
  if (asprintf(&text, "num_threads = %d\n", threads) < 0) return "out of memory";
  litert opaque;
  TRY(CreateOpaqueOptions("xnnpack", text, free, &opaque));
  TRY(AddOpaqueOptions(*options, opaque));
  return NULL;
}

static void describe(int32_t element, const litert_layout* layout, size_t bytes,
                     worker_tensor* tensor) {
  static const char* const names[] = {
      [litert_float32] = "float32", [litert_int32] = "int32",    [litert_uint8] = "uint8",
      [litert_int64] = "int64",     [litert_bool] = "bool",      [litert_int16] = "int16",
      [litert_int8] = "int8",       [litert_float16] = "float16"};
  const int known = element > 0 && element <= litert_float16 && names[element];
  tensor->dtype = known ? names[element] : "unknown";
  tensor->rank = (int)layout->rank;
  memcpy(tensor->dims, layout->dims, sizeof tensor->dims);
  tensor->bytes = bytes;
}

static const char* create_input(size_t index, litert signature, worker_tensor* description) {
  litert tensor, requirements;
  litert_tensor_type type;
  size_t bytes;
  TRY(GetSignatureInputTensorByIndex(signature, index, &tensor));
  TRY(GetRankedTensorType(tensor, &type));
  TRY(GetCompiledModelInputTensorLayout(compiled, 0, index, &type.layout));
  TRY(GetCompiledModelInputBufferRequirements(compiled, 0, index, &requirements));
  TRY(GetTensorBufferRequirementsBufferSize(requirements, &bytes));
  TRY(CreateManagedTensorBuffer(environment, litert_host_memory, &type, bytes, &inputs[index]));
  size_t packed;
  TRY(GetTensorBufferPackedSize(inputs[index], &packed));
  describe(type.element, &type.layout, packed, description);
  void* data;
  TRY(LockTensorBuffer(inputs[index], &data, litert_lock_write));
  memset(data, 0, packed);
  TRY(UnlockTensorBuffer(inputs[index]));
  return NULL;
}

static const char* create_output(size_t index, litert signature, const litert_layout* layout) {
  litert tensor, requirements;
  litert_tensor_type type;
  size_t bytes;
  TRY(GetSignatureOutputTensorByIndex(signature, index, &tensor));
  if (GetRankedTensorType(tensor, &type) != 0) TRY(GetUnrankedTensorType(tensor, &type.element));
  type.layout = *layout;
  TRY(GetCompiledModelOutputBufferRequirements(compiled, 0, index, &requirements));
  TRY(GetTensorBufferRequirementsBufferSize(requirements, &bytes));
  if (bytes == 0) {
    bytes = unknown_size;
    type.layout = (litert_layout){.rank = 1, .dims = {unknown_size / 4}};
  }
  TRY(CreateManagedTensorBuffer(environment, litert_host_memory, &type, bytes, &outputs[index]));
  output_elements[index] = type.element;
  return NULL;
}

static const char* create_buffers(litert model, worker_model* description) {
  litert signature;
  TRY(GetModelSignature(model, 0, &signature));
  TRY(GetNumSignatureInputs(signature, &input_count));
  TRY(GetNumSignatureOutputs(signature, &output_count));
  if (input_count > worker_max_tensors || output_count > worker_max_tensors)
    return "too many inputs or outputs";
  description->input_count = input_count;
  description->output_count = output_count;
  const char* error = NULL;
  for (size_t i = 0; i < input_count && !error; ++i)
    error = create_input(i, signature, &description->inputs[i]);
  litert_layout layouts[worker_max_tensors];
  if (!error) TRY(GetCompiledModelOutputTensorLayouts(compiled, 0, output_count, layouts, true));
  for (size_t i = 0; i < output_count && !error; ++i)
    error = create_output(i, signature, &layouts[i]);
  return error;
}

static const char* load(const char* path, int threads, worker_model* description) {
  const litert_environment_option settings[] = {
      {litert_option_accelerators, {litert_kind_int, litert_cpu}},
      {litert_option_log_severity, {litert_kind_int, litert_severity_error}}};
  uint8_t* file = NULL;
  size_t size = 0;
  litert model, options;
  TRY(CreateEnvironment(2, settings, &environment));
  const char* error = map_model(path, &file, &size);
  if (error) return error;
  TRY(CreateModelFromBuffer(environment, file, size, &model));
  error = cpu_options(threads, &options);
  if (error) return error;
  TRY(CreateCompiledModel(environment, model, options, &compiled));
  return create_buffers(model, description);
}

static const char* run(void) {
  TRY(RunCompiledModel(compiled, 0, input_count, inputs, output_count, outputs));
  return NULL;
}

static const char* set_input(size_t index, const void* data, size_t bytes) {
  void* to;
  TRY(LockTensorBuffer(inputs[index], &to, litert_lock_write));
  memcpy(to, data, bytes);
  TRY(UnlockTensorBuffer(inputs[index]));
  return NULL;
}

/* Bytes of a dense tensor of elements of 4 bytes: only such outputs have unknown sizes. */
static size_t dense_bytes(const litert_layout* layout) {
  size_t bytes = 4;
  for (unsigned d = 0; d < layout->rank; ++d) bytes *= (size_t)layout->dims[d];
  return bytes;
}

static const char* get_output(size_t index, worker_model* description, const void** data) {
  litert_layout layouts[worker_max_tensors];
  TRY(GetCompiledModelOutputTensorLayouts(compiled, 0, output_count, layouts, false));
  size_t bytes;
  TRY(GetTensorBufferPackedSize(outputs[index], &bytes));
  if (bytes == unknown_size && dense_bytes(&layouts[index]) < bytes)
    bytes = dense_bytes(&layouts[index]);
  describe(output_elements[index], &layouts[index], bytes, &description->outputs[index]);
  void* from;
  TRY(LockTensorBuffer(outputs[index], &from, litert_lock_read));
  *data = from;
  TRY(UnlockTensorBuffer(outputs[index]));
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: litert_run libLiteRt.so VERSION\n");
    return 2;
  }
  const char* error = open_library(argv[1]);
  if (error) {
    fprintf(stderr, "litert_run: %s\n", error);
    return 1;
  }
  const worker_runtime runtime = {argv[2], load, run, set_input, get_output};
  const int status = worker_main(&runtime);
  fflush(NULL);
  _exit(status); /* destructors of the library are not measured, and may wait for threads */
}
