// The portable blocked kernels of one ISA level. CMake compiles this file once for each level, with
// that level's compiler flags and PJ_LEVEL_KERNELS naming its rows, for example PJ_KERNELS_AVX2.
#include "kernels/conv/blocked.h"

#include "kernels/catalog/kernel_list.h"
#include "kernels/depthwise/blocked.h"

namespace pj::kernels {
namespace {

template <DType>
struct TypeOf;
template <>
struct TypeOf<DType::kF32> {
  using type = float;
};
template <>
struct TypeOf<DType::kF16> {
  using type = Half;
};
template <>
struct TypeOf<DType::kI8> {
  using type = int8_t;
};
template <>
struct TypeOf<DType::kU8> {
  using type = uint8_t;
};

// Packed weights are signed whatever the model has (kernels/packing/packing.h).
template <DType weights>
using PackedType =
    std::conditional_t<weights == DType::kU8, int8_t, typename TypeOf<weights>::type>;

}  // namespace

#define X(name, cls, input, weights, output, isa, mr, nr, kr, packing, macs)               \
  void name(const Tile& t);                                                                \
  void name(const Tile& t) {                                                               \
    run_##cls<typename TypeOf<DType::input>::type, PackedType<DType::weights>, mr, nr>(t); \
  }
PJ_LEVEL_KERNELS(X)
#undef X

}  // namespace pj::kernels
