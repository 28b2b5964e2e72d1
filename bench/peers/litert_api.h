/* The part of LiteRT's C API that litert_run.c calls. The wheel ai-edge-litert has the library but
 * no headers; types and constants are those of litert/c in github.com/google-ai-edge/LiteRT. Every
 * function returns a status, 0 for success. */
#ifndef BENCH_PEERS_LITERT_API_H_
#define BENCH_PEERS_LITERT_API_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void* litert; /* any of its opaque handles */

typedef struct litert_layout {
  unsigned rank : 7;
  unsigned has_strides : 1;
  int32_t dims[8];
  uint32_t strides[8];
} litert_layout;

typedef struct litert_tensor_type {
  int32_t element;
  litert_layout layout;
} litert_tensor_type;

/* Values of `element`, which are those of .tflite files. */
enum {
  litert_float32 = 1,
  litert_int32 = 2,
  litert_uint8 = 3,
  litert_int64 = 4,
  litert_bool = 6,
  litert_int16 = 7,
  litert_int8 = 9,
  litert_float16 = 10
};

typedef struct litert_environment_option {
  int tag;
  struct {
    int kind;
    int64_t value; /* a union of 8 bytes */
  } value;
} litert_environment_option;

enum {
  litert_option_accelerators = 24, /* which to register: litert_cpu */
  litert_option_log_severity = 25,
  litert_kind_int = 2,
  litert_severity_error = 3,
  litert_cpu = 1,
  litert_host_memory = 1,
  litert_lock_read = 0,
  litert_lock_write = 1
};

/* X(name without "LiteRt", parameters) */
#define LITERT_FUNCTIONS(X)                                                                     \
  X(CreateEnvironment, (int count, const litert_environment_option*, litert* environment))      \
  X(CreateModelFromBuffer, (litert environment, const void*, size_t, litert* model))            \
  X(CreateOptions, (litert * options))                                                          \
  X(SetOptionsHardwareAccelerators, (litert options, int accelerators))                         \
  X(CreateOpaqueOptions, (const char* kind, void* data, void (*free)(void*), litert* opaque))   \
  X(AddOpaqueOptions, (litert options, litert opaque))                                          \
  X(CreateCompiledModel, (litert environment, litert model, litert options, litert * compiled)) \
  X(GetModelSignature, (litert model, size_t index, litert * signature))                        \
  X(GetNumSignatureInputs, (litert signature, size_t * count))                                  \
  X(GetNumSignatureOutputs, (litert signature, size_t * count))                                 \
  X(GetSignatureInputTensorByIndex, (litert signature, size_t index, litert * tensor))          \
  X(GetSignatureOutputTensorByIndex, (litert signature, size_t index, litert * tensor))         \
  X(GetRankedTensorType, (litert tensor, litert_tensor_type * type))                            \
  X(GetTensorTypeId, (litert tensor, int* id))                                                  \
  X(GetUnrankedTensorType, (litert tensor, int32_t * element))                                  \
  X(GetCompiledModelInputTensorLayout,                                                          \
    (litert compiled, size_t signature, size_t index, litert_layout*))                          \
  X(GetCompiledModelOutputTensorLayouts,                                                        \
    (litert compiled, size_t signature, size_t count, litert_layout*, bool allocate))           \
  X(GetCompiledModelInputBufferRequirements,                                                    \
    (litert compiled, size_t signature, size_t index, litert * requirements))                   \
  X(GetCompiledModelOutputBufferRequirements,                                                   \
    (litert compiled, size_t signature, size_t index, litert * requirements))                   \
  X(GetTensorBufferRequirementsBufferSize, (litert requirements, size_t * bytes))               \
  X(CreateManagedTensorBuffer,                                                                  \
    (litert environment, int memory, const litert_tensor_type*, size_t bytes, litert* buffer))  \
  X(GetTensorBufferPackedSize, (litert buffer, size_t * bytes))                                 \
  X(LockTensorBuffer, (litert buffer, void** data, int mode))                                   \
  X(UnlockTensorBuffer, (litert buffer))                                                        \
  X(RunCompiledModel, (litert compiled, size_t signature, size_t input_count, litert * inputs,  \
                       size_t output_count, litert * outputs))

#endif /* BENCH_PEERS_LITERT_API_H_ */
