#include "image.h"

#include <stb_image.h>
#include <stdio.h>
#include <stdlib.h>

/* The two pixels between which position `i` of `size` lies in a row of `source_size`, and how far
 * from the first to the second. Pixels are squares: their centres lie at halves. */
static void neighbours(int i, int size, int source_size, int* first, int* second, float* fraction) {
  float position = ((float)i + 0.5f) * (float)source_size / (float)size - 0.5f;
  if (position < 0) position = 0;
  *first = (int)position;
  if (*first > source_size - 1) *first = source_size - 1;
  *second = *first + 1 < source_size ? *first + 1 : *first;
  *fraction = position - (float)*first;
}

typedef struct {
  const unsigned char* values;
  int height, width, channels;
} Pixels;

static float pixel(const Pixels* p, int y, int x, int channel) {
  const size_t index = (size_t)y * (size_t)p->width + (size_t)x;
  return (float)p->values[index * (size_t)p->channels + (size_t)channel];
}

static void resize_bilinear(const Pixels* source, float* picture, int height, int width) {
  for (int y = 0; y < height; ++y) {
    int top, bottom;
    float down;
    neighbours(y, height, source->height, &top, &bottom, &down);
    for (int x = 0; x < width; ++x) {
      int left, right;
      float across;
      neighbours(x, width, source->width, &left, &right, &across);
      for (int c = 0; c < source->channels; ++c) {
        const float above =
            pixel(source, top, left, c) * (1 - across) + pixel(source, top, right, c) * across;
        const float below = pixel(source, bottom, left, c) * (1 - across) +
                            pixel(source, bottom, right, c) * across;
        *picture++ = (above * (1 - down) + below * down) / 255;
      }
    }
  }
}

float* load_picture(const char* path, int height, int width, int channels) {
  int source_height, source_width, source_channels;
  unsigned char* values =
      stbi_load(path, &source_width, &source_height, &source_channels, channels);
  if (values == NULL) {
    fprintf(stderr, "%s: %s\n", path, stbi_failure_reason());
    return NULL;
  }
  float* picture = malloc((size_t)height * (size_t)width * (size_t)channels * sizeof *picture);
  if (picture == NULL) {
    fprintf(stderr, "no memory for a picture of %d x %d\n", width, height);
  } else {
    const Pixels source = {values, source_height, source_width, channels};
    resize_bilinear(&source, picture, height, width);
  }
  stbi_image_free(values);
  return picture;
}
