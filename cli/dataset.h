// Labelled data in the shapes that people have it.
#pragma once

#include <memory>
#include <string>

#include "cli/inputs.h"

namespace pj::cli {

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual size_t size() const = 0;
  virtual int64_t label(size_t i) const = 0;
  // Writes sample i to `out`, the memory of `input`, whose shape is known. Throws Failure.
  virtual void fill(size_t i, const Tensor& input, const PictureOptions& options,
                    std::span<std::byte> out) const = 0;
};

// Opens what it finds in `folder`, in this order:
//   labels.npy and one more array of samples (images*.npy, inputs*.npy or any other name)
//   labels.csv or labels.txt with a line "file,class" (or with tabs or spaces) for each picture; a
//     first line without a number is a title
//   a folder for each class with its pictures; classes count from 0 in the order of their names
//   pictures whose names begin with the class: 007.jpg, 7_bird.png
// Throws Failure naming what is missing.
std::unique_ptr<Dataset> open_dataset(const std::string& folder);

}  // namespace pj::cli
