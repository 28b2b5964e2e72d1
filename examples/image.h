/* Pictures from files, at the size that a network wants. */
#ifndef EXAMPLES_IMAGE_H_
#define EXAMPLES_IMAGE_H_

/* Reads a JPEG, PNG, BMP or PNM file with 1 (grey) or 3 (RGB) channels and resizes it. Returns
 * height * width * channels values from 0 (black) to 1 (white), a row after the other, channels
 * innermost; the caller frees them. NULL on an error, after a message to standard error. */
float* load_picture(const char* path, int height, int width, int channels);

#endif
