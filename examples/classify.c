/* What is in a picture? Runs an image classifier through the C API.
 *
 *   classify MODEL PICTURE [LABELS [LOW HIGH]]
 *
 * LABELS has one name a line. LOW and HIGH are the numbers that the network takes for black and
 * white: 0 and 1 unless given; many networks want -1 and 1.
 */
#include <math.h>
#include <pj/pj.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

enum { TOP = 3 };

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, pj_last_error());
  return 1;
}

static size_t element_count(const pj_tensor_info* info) {
  size_t n = 1;
  for (int32_t i = 0; i < info->rank; ++i) n *= (size_t)info->dims[i];
  return n;
}

/* The stored value nearest to a real one. */
static long quantize(float value, const pj_tensor_info* info, long low, long high) {
  const float stored = value / info->scale + (float)info->zero_point;
  if (stored <= (float)low) return low;
  if (stored >= (float)high) return high;
  return lrintf(stored);
}

/* Writes real values into an input, as its type and quantisation ask. */
static int fill_input(const pj_tensor_info* info, void* data, const float* values) {
  const size_t n = element_count(info);
  if (info->dtype == pj_f32) {
    memcpy(data, values, n * sizeof *values);
  } else if (info->dtype == pj_i8 && info->quant_count == 1) {
    for (size_t i = 0; i < n; ++i)
      ((int8_t*)data)[i] = (int8_t)quantize(values[i], info, -128, 127);
  } else if (info->dtype == pj_u8 && info->quant_count == 1) {
    for (size_t i = 0; i < n; ++i) ((uint8_t*)data)[i] = (uint8_t)quantize(values[i], info, 0, 255);
  } else {
    fprintf(stderr, "input '%s' is %s: this example fills f32 and quantised 8-bit inputs\n",
            info->name, pj_dtype_name(info->dtype));
    return 1;
  }
  return 0;
}

/* The real value of an element of an output. */
static float real_value(const pj_tensor_info* info, const void* data, size_t i) {
  switch (info->dtype) {
    case pj_f32:
      return ((const float*)data)[i];
    case pj_i8:
      return info->scale * (float)(((const int8_t*)data)[i] - info->zero_point);
    case pj_u8:
      return info->scale * (float)(((const uint8_t*)data)[i] - info->zero_point);
    default:
      return NAN;
  }
}

/* Prints line `index` of the file of labels, or the number where there is none. */
static void print_label(const char* path, size_t index) {
  char line[256];
  FILE* file = path == NULL ? NULL : fopen(path, "r");
  int found = 0;
  if (file != NULL) {
    size_t i = 0;
    while (!found && fgets(line, sizeof line, file) != NULL) found = i++ == index;
    fclose(file);
  }
  if (found) {
    line[strcspn(line, "\r\n")] = '\0';
    printf("%s\n", line);
  } else {
    printf("class %zu\n", index);
  }
}

static void print_best(const pj_tensor_info* info, const void* data, const char* labels) {
  const size_t n = element_count(info);
  size_t best[TOP];
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    /* Insertion into the short list of the best so far. */
    const float value = real_value(info, data, i);
    size_t place = count;
    while (place > 0 && value > real_value(info, data, best[place - 1])) --place;
    if (place == TOP) continue;
    if (count < TOP) ++count;
    for (size_t k = count - 1; k > place; --k) best[k] = best[k - 1];
    best[place] = i;
  }
  for (size_t k = 0; k < count; ++k) {
    printf("%6.3f  ", real_value(info, data, best[k]));
    print_label(labels, best[k]);
  }
}

/* Loads the picture at the size and in the range that the input has, and writes it there. */
static int set_picture(pj_session* session, const char* path, float low, float high) {
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  if (pj_session_input_info(session, 0, &info) != pj_ok) return fail("input");
  const int is_picture = info.rank == 4 && info.dims[0] == 1 && info.dims[1] > 0 &&
                         info.dims[2] > 0 && (info.dims[3] == 1 || info.dims[3] == 3);
  if (!is_picture) {
    fprintf(stderr, "input '%s' is no picture: it must be [1, height, width, 1 or 3]\n", info.name);
    return 1;
  }
  float* picture = load_picture(path, info.dims[1], info.dims[2], info.dims[3]);
  if (picture == NULL) return 1;
  const size_t n = element_count(&info);
  for (size_t i = 0; i < n; ++i) picture[i] = low + picture[i] * (high - low);
  const int status = fill_input(&info, pj_session_input_data(session, 0), picture);
  free(picture);
  return status;
}

static int classify(pj_session* session, const char* path, const char* labels, float low,
                    float high) {
  if (set_picture(session, path, low, high) != 0) return 1;
  if (pj_run(session) != pj_ok) return fail("run");
  pj_tensor_info output = PJ_TENSOR_INFO_INIT;
  if (pj_session_output_info(session, 0, &output) != pj_ok) return fail("output");
  print_best(&output, pj_session_output_data(session, 0), labels);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4 && argc != 6) {
    fprintf(stderr, "usage: classify MODEL PICTURE [LABELS [LOW HIGH]]\n");
    return 2;
  }
  const char* labels = argc > 3 ? argv[3] : NULL;
  const float low = argc > 4 ? strtof(argv[4], NULL) : 0.0f;
  const float high = argc > 4 ? strtof(argv[5], NULL) : 1.0f;

  pj_model* model = NULL;
  pj_session* session = NULL;
  if (pj_model_load(argv[1], NULL, &model) != pj_ok) return fail("load");
  int status = 1;
  if (pj_session_create(model, NULL, &session) != pj_ok)
    fail("session");
  else
    status = classify(session, argv[2], labels, low, high);
  pj_session_free(session);
  pj_model_free(model);
  return status;
}
