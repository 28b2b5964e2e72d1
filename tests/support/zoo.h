// The model zoo: real models with golden outputs, outside the source tree (PJ_ZOO or
// ../shared/zoo).
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace pj::testing {

struct ZooModel {
  std::string name, path,
      numeric;  // numeric: "int8-perchannel", "uint8", "fp32", "fp16-weights"...
  std::vector<std::string> inputs, outputs;  // golden files, raw
  std::vector<std::string> output_types;     // "uint8", "float32", ...
  bool tflite() const { return path.ends_with(".tflite"); }
};

inline std::ostream& operator<<(std::ostream& out, const ZooModel& m) { return out << m.name; }

// Empty if there is no zoo: tests then skip and say so.
std::vector<ZooModel> zoo_models();
std::string zoo_folder();
std::vector<std::byte> read_bytes(const std::string& path);

inline const char* kNoZoo =
    "no model zoo: set PJ_ZOO to its folder to run the tests on real models";

}  // namespace pj::testing
