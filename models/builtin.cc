#include "models/builtin.h"

// The build turns models/fashion/{fashion.tflite,labels.txt} into these arrays (cmake/embed.cmake).
extern const unsigned char pj_embedded_fashion_tflite[];
extern const unsigned int pj_embedded_fashion_tflite_size;
extern const unsigned char pj_embedded_fashion_labels[];
extern const unsigned int pj_embedded_fashion_labels_size;

namespace pj {

std::span<const BuiltinModel> builtin_models() {
  static const BuiltinModel models[] = {
      {"fashion", "classifies 28x28 pictures of clothes (Fashion-MNIST), int8",
       std::as_bytes(std::span(pj_embedded_fashion_tflite, pj_embedded_fashion_tflite_size)),
       std::string_view(reinterpret_cast<const char*>(pj_embedded_fashion_labels),
                        pj_embedded_fashion_labels_size)},
  };
  return models;
}

const BuiltinModel* find_builtin(std::string_view name) {
  for (const BuiltinModel& m : builtin_models())
    if (name == m.name) return &m;
  return nullptr;
}

}  // namespace pj
