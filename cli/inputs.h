// From files and generators to the memory of a model's inputs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/npy.h"
#include "cli/parser.h"
#include "cli/picture.h"
#include "runtime/exec/session.h"

namespace pj::cli {

// How pictures become numbers.
struct PictureOptions {
  std::vector<double> mean, std;  // one for all channels, or one a channel, in units of 0..255
  double crop = 0;                // central fraction to keep; 0: the whole picture, stretched
};
void add_picture_options(Parser& parser, PictureOptions& options);

// How an input holds pictures; nothing if it does not look like one.
struct PictureLayout {
  int height = 0, width = 0, channels = 0;  // height and width kUnknownDim where unknown
  bool planes = false;                      // channels before rows: [N, C, H, W]
};
std::optional<PictureLayout> picture_layout(const Shape& shape);

// Fills `out`, the memory of `input`, with pixels 0..255 (channels last; `channels` of them).
//   with mean or std: real value (p - mean) / std, quantised if the input is
//   uint8: p     int8: p - 128     float: (p - 127.5) / 127.5
// Throws Failure for other types.
void encode_pixels(const Tensor& input, const PictureOptions& options, std::span<const uint8_t> in,
                   int channels, std::span<std::byte> out);
// Crops, resizes and encodes. The input's shape is known and is that of a picture.
void encode_picture(const Tensor& input, const PictureOptions& options, const Picture& picture,
                    std::span<std::byte> out);
// Elements of type `dtype`, as many as the input has: of its own type as they are, uint8 as pixels,
// floats quantised. `what` names them in errors.
void encode_elements(const Tensor& input, const PictureOptions& options, DType dtype,
                     std::span<const std::byte> in, const std::string& what,
                     std::span<std::byte> out);

// Files are .npy or pictures, told by their content, or raw bytes, told by the ending .bin.
//
// The shape that `declared`, an input of a model, takes for the file: its own where it is known,
// otherwise that of the array or picture; what is still unknown becomes 1.
Shape shape_for_file(const Tensor& declared, const std::string& path);
// Reads a file into the memory of `input`, whose shape is known.
void read_input(const Tensor& input, const std::string& path, const PictureOptions& options,
                std::span<std::byte> out);

// `shape` with `value` for what is unknown.
Shape filled(Shape shape, int32_t value);
// Gives unknown dimensions of inputs the size 1. True if there were any.
bool complete_shapes(Session& session);

// The same numbers on every machine, for measurements and tests. Input i takes one draw of
// splitmix64 (Steele, Lea and Flood 2014; seed 1 + i) an element: the top byte for 8-bit types,
// as a small non-negative number for wider integers, odd or even for bool, the top 24 bits as a
// number in [-1, 1) for floats.
void fill_random(Session& session);

}  // namespace pj::cli
