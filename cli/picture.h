// Pictures: decoding, cropping, resizing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace pj::cli {

struct Picture {
  int height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  // rows of interleaved channels
};

// Decodes a PNG, JPEG or BMP file; 1 channel is luminance, 3 are red, green, blue. Errors:
// those of the file; kModelFormat for what is no such picture or is damaged.
Result<Picture> read_picture(const std::string& path, int channels);

// The central part that has the shape of height x width and is as large as fits, scaled by
// `fraction` (0 < fraction <= 1).
Picture crop_center(const Picture& picture, double fraction, int height, int width);

// Linear interpolation between pixel centres; when it shrinks, over as many pixels as fall on one
// (a triangle filter of the output's pixel width), so that nothing is skipped.
Picture resize(const Picture& picture, int height, int width);

}  // namespace pj::cli
