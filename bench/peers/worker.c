#define _GNU_SOURCE
#include "bench/peers/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { max_times = 1 << 20 };

static worker_model model;
static double* times; /* ms, of one `run` command; beyond max_times they are not recorded */

const char* worker_error(const char* format, ...) {
  static char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* A line "KEY:  n kB" of /proc/self/status; -1 if there is none. */
static long status_kb(const char* key) {
  FILE* file = fopen("/proc/self/status", "r");
  if (!file) return -1;
  char line[256];
  long value = -1;
  const size_t length = strlen(key);
  while (value < 0 && fgets(line, sizeof line, file))
    if (strncmp(line, key, length) == 0 && line[length] == ':') value = atol(line + length + 1);
  fclose(file);
  return value;
}

static void print_string(const char* s) {
  putchar('"');
  for (; *s; ++s) {
    const unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c < 0x20)
      putchar(' ');
    else
      putchar(c);
  }
  putchar('"');
}

static void print_tensors(const char* key, const worker_tensor* tensors, size_t count) {
  printf("\"%s\": [", key);
  for (size_t i = 0; i < count; ++i) {
    printf("%s{\"dtype\": \"%s\", \"bytes\": %zu, \"shape\": [", i ? ", " : "", tensors[i].dtype,
           tensors[i].bytes);
    for (int d = 0; d < tensors[i].rank; ++d) printf("%s%d", d ? ", " : "", tensors[i].dims[d]);
    printf("]}");
  }
  printf("]");
}

static const char* load(const worker_runtime* runtime, const char* arguments) {
  int threads = 0, used = 0;
  if (sscanf(arguments, "%d %n", &threads, &used) < 1 || threads < 1)
    return "load: expected THREADS PATH";
  const long base_kb = status_kb("VmRSS");
  const double start = now_ms();
  const char* error = runtime->load(arguments + used, threads, &model);
  if (error) return error;
  printf("{\"version\": \"%s\", \"load_ms\": %.4f, \"base_kb\": %ld, ", runtime->version,
         now_ms() - start, base_kb);
  print_tensors("inputs", model.inputs, model.input_count);
  printf("}\n");
  return NULL;
}

static const char* read_input(const worker_runtime* runtime, const char* arguments) {
  size_t index = 0;
  int used = 0;
  if (sscanf(arguments, "%zu %n", &index, &used) < 1 || index >= model.input_count)
    return "input: no such input";
  const size_t bytes = model.inputs[index].bytes;
  FILE* file = fopen(arguments + used, "rb");
  if (!file) return worker_error("cannot read %s", arguments + used);
  char* data = malloc(bytes + 1); /* one more, to see that the file is not longer */
  const size_t got = data ? fread(data, 1, bytes + 1, file) : 0;
  fclose(file);
  const char* error = got == bytes ? runtime->set_input(index, data, bytes)
                                   : worker_error("input %zu takes %zu bytes", index, bytes);
  free(data);
  if (!error) printf("{}\n");
  return error;
}

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static const char* run(const worker_runtime* runtime, const char* arguments) {
  double ms = 0;
  size_t at_least = 0, n = 0;
  if (sscanf(arguments, "%lf %zu", &ms, &at_least) < 2 || at_least < 1) return "run: expected MS N";
  double first = 0;
  const double start = now_ms();
  for (double begin = start; n < at_least || begin - start < ms;) {
    const char* error = runtime->run();
    if (error) return error;
    const double end = now_ms();
    if (n == 0) first = end - begin;
    if (n < max_times) times[n] = end - begin;
    ++n;
    begin = end;
  }
  const size_t recorded = n < max_times ? n : max_times;
  qsort(times, recorded, sizeof *times, ascending);
  printf("{\"n\": %zu, \"min_ms\": %.6f, \"median_ms\": %.6f, \"first_ms\": %.6f}\n", n, times[0],
         times[recorded / 2], first);
  return NULL;
}

/* User and system time of the process, of all its threads. */
static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static long context_switches(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void sleep_until(double ms) {
  const time_t seconds = (time_t)(ms / 1e3);
  const struct timespec t = {seconds, (long)((ms - (double)seconds * 1e3) * 1e6)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
  }
}

/* Frames that end after the next one is due count as missed, and that one is left out. */
static const char* periodic(const worker_runtime* runtime, const char* arguments) {
  double period = 0;
  size_t frames = 0, missed = 0;
  if (sscanf(arguments, "%lf %zu", &period, &frames) < 2 || period <= 0 || frames < 1)
    return "periodic: expected MS N";
  const double cpu_before = cpu_ms();
  const long switches_before = context_switches();
  double due = now_ms();
  for (size_t i = 0; i < frames; ++i) {
    const char* error = runtime->run();
    if (error) return error;
    due += period;
    for (const double now = now_ms(); due < now; due += period) ++missed;
    sleep_until(due);
  }
  printf("{\"missed\": %zu, \"cpu_ms\": %.6f, \"switches\": %.3f}\n", missed,
         (cpu_ms() - cpu_before) / (double)frames,
         (double)(context_switches() - switches_before) / (double)frames);
  return NULL;
}

static const char* write_outputs(const worker_runtime* runtime, const char* prefix) {
  for (size_t i = 0; i < model.output_count; ++i) {
    const void* data = NULL;
    const char* error = runtime->get_output(i, &model, &data);
    if (error) return error;
    char path[4096];
    snprintf(path, sizeof path, "%s%zu.bin", prefix, i);
    FILE* file = fopen(path, "wb");
    if (!file) return worker_error("cannot write %s", path);
    const size_t bytes = model.outputs[i].bytes;
    const size_t written = fwrite(data, 1, bytes, file);
    if (fclose(file) != 0 || written != bytes) return worker_error("cannot write %s", path);
  }
  printf("{");
  print_tensors("outputs", model.outputs, model.output_count);
  printf("}\n");
  return NULL;
}

static const char* memory(void) {
  printf("{\"peak_kb\": %ld}\n", status_kb("VmHWM"));
  return NULL;
}

static const char* obey(const worker_runtime* runtime, char* line) {
  char* arguments = strchr(line, ' ');
  if (arguments)
    *arguments++ = 0;
  else
    arguments = line + strlen(line);
  if (strcmp(line, "load") == 0) return load(runtime, arguments);
  if (strcmp(line, "input") == 0) return read_input(runtime, arguments);
  if (strcmp(line, "run") == 0) return run(runtime, arguments);
  if (strcmp(line, "periodic") == 0) return periodic(runtime, arguments);
  if (strcmp(line, "output") == 0) return write_outputs(runtime, arguments);
  if (strcmp(line, "memory") == 0) return memory();
  return worker_error("unknown command '%s'", line);
}

int worker_main(const worker_runtime* runtime) {
  times = malloc(max_times * sizeof *times);
  if (!times) return 1;
  char* line = NULL;
  size_t capacity = 0;
  for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
    if (line[length - 1] == '\n') line[length - 1] = 0;
    const char* error = obey(runtime, line);
    if (error) {
      printf("{\"error\": ");
      print_string(error);
      printf("}\n");
    }
    fflush(stdout);
  }
  free(line);
  free(times);
  return 0;
}
