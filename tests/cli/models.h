// Models small enough to know their answers by hand.
#pragma once

#include <string>

namespace pj::cli {

// Tells which of the first three of four pixels is the brightest: int8 input "pixels" 1x2x2x1
// (scale 1/255, zero point -128), logits 10 * pixel, softmax to int8 "scores" 1x3 (scale 1/256).
std::string brightest_model(const std::string& path);

// "sum" = "left" + "right", all f32 1x3.
std::string adding_model(const std::string& path);

// The same matrix for every row: f32 "rows" ?x2 -> "sums" ?x2, {x + y, x - y}.
std::string rows_model(const std::string& path);

}  // namespace pj::cli
