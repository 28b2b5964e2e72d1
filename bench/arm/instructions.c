/* A plugin for qemu-user: counts the instructions that a program executes and writes their number
 * to the file that the argument `out` names when the program ends.
 *
 *   QEMU_PLUGIN=file=instructions.so,out=FILE qemu-aarch64 PROGRAM
 *
 * The interface (documentation of QEMU: docs/devel/tcg-plugins) is declared here, since no package
 * has its header. It has had versions since; what is used here is in all of them, and PJ_QEMU_API
 * says which one the qemu at hand expects. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_cb_flags { no_registers };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*f)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block,
                                          void (*f)(unsigned int cpu, void* data),
                                          enum qemu_plugin_cb_flags flags, void* data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*f)(qemu_plugin_id_t, void*),
                                    void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);

__attribute__((visibility("default"))) int qemu_plugin_version = PJ_QEMU_API;

/* A counter for each thread of the program, on a cache line of its own; threads beyond share. */
enum { max_cpus = 64 };
static struct {
  uint64_t instructions;
  char others[56];
} counters[max_cpus];
static char path[4096];

static void executed(unsigned int cpu, void* instructions) {
  counters[cpu % max_cpus].instructions += (uintptr_t)instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  const uintptr_t instructions = qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, no_registers, (void*)instructions);
}

static void ended(qemu_plugin_id_t id, void* data) {
  (void)id;
  (void)data;
  FILE* file = fopen(path, "w");
  if (!file) return;
  uint64_t sum = 0;
  for (int i = 0; i < max_cpus; ++i) sum += counters[i].instructions;
  fprintf(file, "%llu\n", (unsigned long long)sum);
  fclose(file);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const void* info, int count,
                                                               char** arguments) {
  (void)info;
  for (int i = 0; i < count; ++i)
    if (strncmp(arguments[i], "out=", 4) == 0) snprintf(path, sizeof path, "%s", arguments[i] + 4);
  if (path[0] == 0) {
    fprintf(stderr, "instructions.so: needs out=FILE\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
