/* What a measuring worker needs to know of a runtime. worker.c speaks the protocol of
 * bench/peers/protocol.md over stdin and stdout; each program adds one runtime to it. A process
 * measures one model, so that a runtime's state and memory are those of that model alone. */
#ifndef BENCH_PEERS_WORKER_H_
#define BENCH_PEERS_WORKER_H_

#include <stddef.h>

enum { worker_max_tensors = 64, worker_max_rank = 8 };

typedef struct worker_tensor {
  const char* dtype; /* numpy's name: "float32", "uint8", ...; static memory */
  int rank;
  int dims[worker_max_rank];
  size_t bytes;
} worker_tensor;

typedef struct worker_model {
  size_t input_count, output_count;
  worker_tensor inputs[worker_max_tensors], outputs[worker_max_tensors];
} worker_model;

/* Functions return NULL or why they failed, in memory that stays valid until the next call. */
typedef struct worker_runtime {
  const char* version;
  /* From the file to a model that is ready to run. Describes its inputs; outputs as far as known.
   */
  const char* (*load)(const char* path, int threads, worker_model* model);
  const char* (*run)(void);
  /* Copies `bytes` bytes, the tensor's size, into input `index`. */
  const char* (*set_input)(size_t index, const void* data, size_t bytes);
  /* *data are the tensor's bytes, valid until the next run; the model's outputs[index] is brought
   * up to date. */
  const char* (*get_output)(size_t index, worker_model* model, const void** data);
} worker_runtime;

/* Obeys commands until the input ends; returns the exit status of the program. */
int worker_main(const worker_runtime* runtime);

/* Formats into memory that the next call overwrites. */
const char* worker_error(const char* format, ...);

#endif /* BENCH_PEERS_WORKER_H_ */
