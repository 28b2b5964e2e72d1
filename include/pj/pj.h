/* Picojoule: runs neural networks on CPUs. The C API, and the only stable binary interface.
 *
 *   pj_model* model;
 *   pj_session* session;
 *   if (pj_model_load("model.tflite", NULL, &model) != pj_ok ||
 *       pj_session_create(model, NULL, &session) != pj_ok) {
 *     fprintf(stderr, "%s\n", pj_last_error());
 *     exit(1);
 *   }
 *   float* x = pj_session_input_data(session, 0);
 *   ... fill x ...
 *   pj_run(session);
 *   const float* y = pj_session_output_data(session, 0);
 *
 * Errors: functions that can fail return a pj_status; those that return a pointer or a count return
 * NULL or 0. Then pj_last_error() says what is wrong and what to do. A null handle, an index out of
 * range and the like are errors of the group "usage" and never crash. Nothing throws, and callbacks
 * must not throw either. Files, weights and activations for which memory runs out are reported; a
 * failed allocation of a few bytes ends the process, as it does in most C++ programs.
 *
 * Threads: a model may be used by any number of threads at once. A session belongs to one thread at
 * a time; different sessions are independent.
 *
 * Structures: those that may grow begin with `struct_size`. Initialise them with their PJ_..._INIT,
 * then set what differs. In options, 0 and NULL always mean the default.
 *
 * Data: tensors are dense, in C order (the last dimension varies fastest), in the machine's byte
 * order; images are N, H, W, C as in .tflite files.
 */
#ifndef PJ_PJ_H_
#define PJ_PJ_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PJ_API __attribute__((visibility("default")))
#else
#define PJ_API
#endif

#ifdef __cplusplus
#define PJ_NOEXCEPT noexcept
#define PJ_ENUM_TYPE : int32_t /* so that any number may be stored in it */
extern "C" {
#else
#define PJ_NOEXCEPT
#define PJ_ENUM_TYPE
#endif

/* The version of the library that runs, "major.minor.patch". Static memory. */
PJ_API const char* pj_version(void) PJ_NOEXCEPT;

/* ---- Errors ---------------------------------------------------------------------------------- */

/* The tens tell who can act on it: 1 whoever chose the file, 2 the model's author, 3 whoever gives
 * memory, 4 whoever chose the machine or the build, 5 the calling program. New codes may appear
 * within a group. */
typedef enum pj_status PJ_ENUM_TYPE {
  pj_ok = 0,

  pj_file_not_found = 10,
  pj_file_unreadable = 11,
  pj_file_unwritable = 12,

  pj_model_format = 20,      /* not a model, truncated, or damaged */
  pj_model_version = 21,     /* needs a newer version of this library */
  pj_model_invalid = 22,     /* well-formed, but its content contradicts itself */
  pj_model_unsupported = 23, /* valid, but uses something this library does not implement */

  pj_out_of_memory = 30,
  pj_limit_exceeded = 31,

  pj_platform_unsupported = 40, /* this CPU or build lacks something */

  pj_invalid_argument = 50,
  pj_wrong_state = 51
} pj_status;

/* "ok", "file_not_found", ...; "unknown" for other numbers. Static memory. */
PJ_API const char* pj_status_name(pj_status status) PJ_NOEXCEPT;

/* One line about the last call of this thread that failed; "" before the first. Calls that succeed
 * leave it alone. Valid until the next call of this thread that fails. */
PJ_API const char* pj_last_error(void) PJ_NOEXCEPT;

/* ---- Models ---------------------------------------------------------------------------------- */

/* A model that is ready to run: its graph and its weights, read-only. */
typedef struct pj_model pj_model;

typedef struct pj_model_options {
  size_t struct_size;
  /* Highest instruction set to use, for example "scalar", "avx2" or "neondot". NULL: what the
   * environment variable PJ_ISA says, or else all that this CPU has. Read during the call only. */
  const char* isa;
  /* Most memory for the activations of one session, in bytes; 0: 4 GiB. A model that needs more is
   * refused with pj_limit_exceeded when a session is created or resized. */
  uint64_t max_arena_bytes;
  /* For pj_model_load_memory(): not 0 to use the caller's bytes in place, see there. */
  int32_t borrow;
  /* Operators of XNNPACK, if the library was built with it: "off", "auto" (where this library has
   * no kernel written for this CPU) or "only" (wherever they give the same results; an error of the
   * group platform without XNNPACK). Integers give the same bits in all three. XNNPACK packs
   * weights for each session. They run on a
   * pthreadpool or one thread. NULL: "off". Read during the call only. */
  const char* xnnpack;
  /* What floats are computed in: "f32", or "f16" to allow arithmetic on 16-bit floats where this
   * CPU has it (ARM with FEAT_FP16) and this library kernels for it: about twice as fast. Every
   * activation is rounded to 11 bits, which a network may magnify: docs/boards.md has measured
   * errors. Elsewhere "f16" is f32. Inputs and outputs stay what they are, and integers exact.
   * Others are pj_invalid_argument. NULL: "f32". Read during the call only. */
  const char* precision;
} pj_model_options;

#define PJ_MODEL_OPTIONS_INIT \
  { sizeof(pj_model_options), NULL, 0, 0, NULL, NULL }

/* Loads a .tflite or .pj file, recognised by its content. The file is mapped into memory
 * and its weights are used in place: it must not be changed until the model is gone; to replace it,
 * rename another file over it. If it is truncated all the same, pj_run() fails instead of the
 * process: while such models exist, a handler of SIGBUS is installed that passes other faults on
 * (pj_model_load_memory() needs none). The file may be hostile. `options` may be NULL. On success
 * *model is the caller's, to be freed; on an error it is NULL.
 * Errors: of all groups but pj_wrong_state. */
PJ_API pj_status pj_model_load(const char* path, const pj_model_options* options,
                               pj_model** model) PJ_NOEXCEPT;

/* The same from `size` bytes in memory. They are copied; with options->borrow they are used in
 * place if their address is a multiple of 64, and must then stay unchanged until the model and all
 * its sessions are freed. */
PJ_API pj_status pj_model_load_memory(const void* data, size_t size,
                                      const pj_model_options* options,
                                      pj_model** model) PJ_NOEXCEPT;

/* Gives the handle up; NULL is allowed. Sessions keep what they need: the order of freeing a model
 * and its sessions does not matter. */
PJ_API void pj_model_free(pj_model* model) PJ_NOEXCEPT;

/* ---- Sessions -------------------------------------------------------------------------------- */

/* One user's run of a model, with its own inputs, outputs, activations and threads. Sessions of one
 * model share its weights. */
typedef struct pj_session pj_session;

typedef enum pj_pool_kind PJ_ENUM_TYPE {
  pj_pool_default = 0,
  pj_pool_pthreadpool = 1, /* of the library of that name; what XNNPACK's operators need */
  /* The default: workers spin for some microseconds between layers, then sleep; one whose core is
   * busy with something else delays nobody. */
  pj_pool_builtin = 2
} pj_pool_kind;

/* A piece of work that the library hands to a thread pool. */
typedef void (*pj_work)(void* work_context, int32_t slot);

/* The caller's thread pool: calls work(work_context, slot) once for each slot from 0 to slots - 1,
 * at the same time or one after the other, on any threads, and returns when all calls have
 * returned. 1 <= slots <= the session's `threads`. `last` is not 0 if no parallel work follows in
 * this run, so that waiting threads may go to sleep. Called by pj_run() on its thread; the pool is
 * then in use until it returns. */
typedef void (*pj_parallel)(void* pool, int32_t slots, pj_work work, void* work_context,
                            int32_t last);

typedef struct pj_session_options {
  size_t struct_size;
  /* Threads to use, the one that calls pj_run() included: 1 to 256. 0: as many as a tuner found
   * fastest on such a CPU (`pj tune --threads N`) and the process may use, else 1. */
  int32_t threads;
  pj_pool_kind pool_kind;
  /* The caller's pool, used instead of an own one if not NULL; `threads` says how many it has.
   * Sessions that run at the same time must not share a pool, unless `parallel` allows that. */
  pj_parallel parallel;
  void* pool; /* handed to `parallel`; must outlive the session */
} pj_session_options;

#define PJ_SESSION_OPTIONS_INIT \
  { sizeof(pj_session_options), 0, pj_pool_default, NULL, NULL }

/* Plans the model, packs its weights (once a model), reserves all memory and starts the threads. An
 * unknown first dimension of an input, the batch, becomes 1. If others are unknown, planning waits
 * until pj_session_resize_input() has set the last one. `options` may be NULL. On success *session
 * is the caller's, to be freed; on an error it is NULL. Errors: model, resource, platform, usage.
 */
PJ_API pj_status pj_session_create(pj_model* model, const pj_session_options* options,
                                   pj_session** session) PJ_NOEXCEPT;

/* Frees the session and the memory of its inputs and outputs, and ends its threads; NULL is
 * allowed. */
PJ_API void pj_session_free(pj_session* session) PJ_NOEXCEPT;

/* One inference: reads the inputs, writes the outputs. Inputs keep their values, so that running
 * again gives the same. Allocates no memory. Errors: pj_wrong_state while an input's dimension is
 * unknown; pj_file_unreadable if the model's file was truncated, and the outputs may be wrong. */
PJ_API pj_status pj_run(pj_session* session) PJ_NOEXCEPT;

/* What periodic runs cost; per frame where not said otherwise. */
typedef struct pj_periodic_stats {
  size_t struct_size;
  int64_t frames;
  int64_t missed; /* frames that were not done when the next one was due */
  double mean_latency_ms, max_latency_ms;
  double max_wakeup_ms;    /* how late a frame began, at worst */
  double cpu_ms;           /* of the process, user and system, all threads */
  double context_switches; /* of the process */
} pj_periodic_stats;

#define PJ_PERIODIC_STATS_INIT \
  { sizeof(pj_periodic_stats), 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0 }

/* Called after each frame: outputs are valid, inputs may be written for the next one. Return 0 to
 * end. */
typedef int (*pj_frame)(void* context, int64_t frame);

/* Runs at a fixed rate until `on_frame` returns 0: frame n begins no earlier than n periods after
 * the first, without drift; between frames all threads of the session sleep. A frame that takes
 * longer than the period is counted as missed and those due meanwhile are left out. `stats` may be
 * NULL; its struct_size must be set. Errors: pj_invalid_argument if the period is not positive;
 * those of pj_run(). */
PJ_API pj_status pj_run_periodic(pj_session* session, double period_ms, pj_frame on_frame,
                                 void* context, pj_periodic_stats* stats) PJ_NOEXCEPT;

/* ---- Inputs and outputs ---------------------------------------------------------------------- */

#define PJ_MAX_RANK 8

typedef enum pj_dtype PJ_ENUM_TYPE {
  pj_f32 = 0,
  pj_f16 = 1, /* IEEE 754 binary16 */
  pj_i8 = 2,
  pj_u8 = 3,
  pj_i16 = 4,
  pj_i32 = 5,
  pj_i64 = 6,
  pj_bool = 7 /* one byte, 0 or 1 */
} pj_dtype;

/* "f32", "f16", "int8", "uint8", ...; "unknown" for other numbers. Static memory. */
PJ_API const char* pj_dtype_name(pj_dtype dtype) PJ_NOEXCEPT;

/* Pointers belong to the session and are valid until it is freed. */
typedef struct pj_tensor_info {
  size_t struct_size;
  const char* name; /* UTF-8; "" if it has none */
  pj_dtype dtype;
  int32_t rank;              /* 0: a single value */
  int32_t dims[PJ_MAX_RANK]; /* the first `rank` are used; -1 while unknown */
  size_t byte_size;          /* 0 while a dimension is unknown */
  /* Quantisation: real value = scale * (stored value - zero_point). */
  int32_t quant_count;        /* 0: not quantised; 1: one scale; n: one for each index of an axis */
  int32_t quant_axis;         /* that axis, if quant_count > 1 */
  float scale;                /* the first of `scales`; 0 if not quantised */
  int32_t zero_point;         /* the first of `zero_points` */
  const float* scales;        /* quant_count of them; NULL if not quantised */
  const int32_t* zero_points; /* likewise */
} pj_tensor_info;

#define PJ_TENSOR_INFO_INIT                                                                    \
  {                                                                                            \
    sizeof(pj_tensor_info), NULL, pj_f32, 0, {0, 0, 0, 0, 0, 0, 0, 0}, 0, 0, 0, 0.0f, 0, NULL, \
        NULL                                                                                   \
  }

/* How many there are. */
PJ_API size_t pj_session_input_count(const pj_session* session) PJ_NOEXCEPT;
PJ_API size_t pj_session_output_count(const pj_session* session) PJ_NOEXCEPT;

/* Fills *info, whose struct_size must be set, in; shapes are those of this session. */
PJ_API pj_status pj_session_input_info(const pj_session* session, size_t index,
                                       pj_tensor_info* info) PJ_NOEXCEPT;
PJ_API pj_status pj_session_output_info(const pj_session* session, size_t index,
                                        pj_tensor_info* info) PJ_NOEXCEPT;

/* *index of the first one of that name. Errors: pj_invalid_argument, naming those that exist. */
PJ_API pj_status pj_session_find_input(const pj_session* session, const char* name,
                                       size_t* index) PJ_NOEXCEPT;
PJ_API pj_status pj_session_find_output(const pj_session* session, const char* name,
                                        size_t* index) PJ_NOEXCEPT;

/* The tensor's memory, byte_size bytes: the session's own, aligned to 64 bytes and zero at first,
 * or what was bound. Valid until the session is freed, an input is resized or other memory is
 * bound. NULL on an error (pj_invalid_argument, or pj_wrong_state while an input's dimension is
 * unknown), and for a tensor of 0 bytes. */
PJ_API void* pj_session_input_data(pj_session* session, size_t index) PJ_NOEXCEPT;
PJ_API const void* pj_session_output_data(const pj_session* session, size_t index) PJ_NOEXCEPT;

/* Uses the caller's memory for an input or an output, from the next run until an input is resized;
 * it must outlive that. `size` must be the tensor's byte_size and `data` aligned to its elements.
 * Memory of outputs must not overlap with any other. Errors: pj_invalid_argument, pj_wrong_state
 * while an input's dimension is unknown. */
PJ_API pj_status pj_session_bind_input(pj_session* session, size_t index, const void* data,
                                       size_t size) PJ_NOEXCEPT;
PJ_API pj_status pj_session_bind_output(pj_session* session, size_t index, void* data,
                                        size_t size) PJ_NOEXCEPT;

/* Gives an input another shape of the same rank, every dimension at least 1, and plans again. The
 * values of all inputs and outputs and what was bound are lost. On an error the session stays as it
 * was. Where several inputs have unknown dimensions, the last call does the work, and shapes are
 * reported from then on. Errors: model, resource, usage. */
PJ_API pj_status pj_session_resize_input(pj_session* session, size_t index, const int32_t* dims,
                                         int32_t rank) PJ_NOEXCEPT;

/* The same for all inputs at once, in their order, for inputs whose shapes must agree (one batch):
 * dims[i] are the ranks[i] dimensions of input i, `count` is the number of inputs. Errors: model,
 * resource, usage. */
PJ_API pj_status pj_session_resize_inputs(pj_session* session, const int32_t* const* dims,
                                          const int32_t* ranks, size_t count) PJ_NOEXCEPT;

/* ---- Profiling ------------------------------------------------------------------------------- */

/* Where the time and the energy of a session go, step by step. A step is one layer, or several that
 * run as one. Strings and energies belong to the profile and are valid until it is freed. */
typedef struct pj_profile pj_profile;

typedef enum pj_energy_how PJ_ENUM_TYPE {
  /* Measured if a power counter of this machine is fast enough; else computed from what the model
   * does, if this kind of CPU has been calibrated or figures of it are known; else there is none.
   */
  pj_energy_auto = 0,
  pj_energy_measure = 1, /* with slower counters too, which may take minutes; else an error */
  pj_energy_model = 2,   /* computed */
  pj_energy_off = 3
} pj_energy_how;

/* What joules contain. */
typedef enum pj_idle_policy PJ_ENUM_TYPE {
  pj_idle_gross = 0,   /* all that the counter saw meanwhile */
  pj_idle_dynamic = 1, /* without what the idle machine would have drawn */
  pj_idle_marginal = 2 /* without what a spinning core would have drawn */
} pj_idle_policy;

/* Where they come from. */
typedef enum pj_energy_source PJ_ENUM_TYPE {
  pj_energy_measured = 0,   /* read from a power counter */
  pj_energy_calibrated = 1, /* computed by a model that was fitted to this machine's counter */
  pj_energy_prior = 2       /* computed from published figures of such machines */
} pj_energy_source;

typedef struct pj_profile_options {
  size_t struct_size;
  int32_t runs; /* inferences to time; 0: as many as fit into a second, at least 5 */
  pj_energy_how energy;
  pj_idle_policy idle_policy; /* of measured joules; a model has its own */
  double energy_seconds;      /* to measure energy for, about; 0: 5 */
  const char* counter;        /* a domain of `pj energy list`; NULL: the CPU's or the board's */
  const char* energy_model;   /* a file of `pj calibrate`; NULL: this CPU's, or published figures */
} pj_profile_options;

#define PJ_PROFILE_OPTIONS_INIT \
  { sizeof(pj_profile_options), 0, pj_energy_auto, pj_idle_gross, 0.0, NULL, NULL }

/* Runs the session again and again with the inputs that it has, for a second, and some more where
 * energy is measured. `options` may be NULL. On success *profile is the caller's, to be freed; on
 * an error it is NULL. Needs libpicojoule_profile.so beside libpicojoule.so. Errors: those of
 * pj_run(); pj_platform_unsupported without that library, or if energy should be measured and no
 * counter can be read, with what would mend that; those of the energy model's file. */
PJ_API pj_status pj_session_profile(pj_session* session, const pj_profile_options* options,
                                    pj_profile** profile) PJ_NOEXCEPT;

PJ_API void pj_profile_free(pj_profile* profile) PJ_NOEXCEPT;

typedef struct pj_step_profile {
  size_t struct_size;
  const char* name;   /* UTF-8; "" if it has none */
  const char* op;     /* "conv_2d", ... */
  double time_ms;     /* of the fastest run */
  int64_t macs;       /* multiplications with an addition */
  int64_t l2_bytes;   /* that pass the first cache, by a model of the caches, for one thread */
  int64_t dram_bytes; /* likewise, between the last cache and memory */
} pj_step_profile;

#define PJ_STEP_PROFILE_INIT \
  { sizeof(pj_step_profile), NULL, NULL, 0.0, 0, 0, 0 }

PJ_API size_t pj_profile_step_count(const pj_profile* profile) PJ_NOEXCEPT;
/* Fills *step, whose struct_size must be set, in. */
PJ_API pj_status pj_profile_step(const pj_profile* profile, size_t index,
                                 pj_step_profile* step) PJ_NOEXCEPT;
/* Of the fastest whole run; 0 on an error. */
PJ_API double pj_profile_time_ms(const pj_profile* profile) PJ_NOEXCEPT;

/* Joules that cannot be separated from their 95 % interval, their source and their idle policy. */
typedef struct pj_energy pj_energy;

/* Of a whole run; of one step in it; and what the steps do not explain of a measured run. NULL if
 * it is not known, and on an error. */
PJ_API const pj_energy* pj_profile_energy(const pj_profile* profile) PJ_NOEXCEPT;
PJ_API const pj_energy* pj_profile_step_energy(const pj_profile* profile, size_t index) PJ_NOEXCEPT;
PJ_API const pj_energy* pj_profile_residual(const pj_profile* profile) PJ_NOEXCEPT;
/* The counter, or the model's origin: "powercap package-0, 8 rounds". "" if nothing is known. */
PJ_API const char* pj_profile_energy_origin(const pj_profile* profile) PJ_NOEXCEPT;

/* "1.23 mJ [1.20, 1.26] measured, gross"; "unknown" for NULL. */
PJ_API const char* pj_energy_text(const pj_energy* energy) PJ_NOEXCEPT;
/* All that belongs to it in microjoules, or nothing: a pointer that is NULL is an error. */
PJ_API pj_status pj_energy_values(const pj_energy* energy, double* uj, double* low_uj,
                                  double* high_uj, pj_energy_source* source,
                                  pj_idle_policy* idle_policy) PJ_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* PJ_PJ_H_ */
