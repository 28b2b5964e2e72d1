/* What strict_c99.c offers to the C++ tests. */
#ifndef TESTS_API_STRICT_C99_H_
#define TESTS_API_STRICT_C99_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads a model of one float input and one float output from memory, runs it once on `x` and copies
 * `y_count` values of the output to `y`. Returns NULL, or what went wrong. */
const char* run_in_c99(const void* model, size_t size, const float* x, size_t x_count, float* y,
                       size_t y_count);

#ifdef __cplusplus
}
#endif

#endif
