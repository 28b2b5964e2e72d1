// Turns a level's rows into functions: the end of each kernels/levels/<isa>.cc, after the headers
// of the ideas that its rows name. CMake compiles such a file with the level's compiler flags.
#pragma once

#include <type_traits>

#include "kernels/catalog/kernel_list.h"
#include "kernels/kernel.h"
#include "runtime/base/dtype.h"
#include "runtime/base/half.h"

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

template <>
struct TypeOf<DType::kI32> {
  using type = int32_t;
};

// Packed weights are signed whatever the model has (kernels/packing/packing.h).
template <DType weights>
using PackedType =
    std::conditional_t<weights == DType::kU8, int8_t, typename TypeOf<weights>::type>;

}  // namespace
}  // namespace pj::kernels

#define PJ_DEFINE_ROW(name, cls, idea, input, weights, output, isa, mr, nr, kr, packing, fits, \
                      macs)                                                                    \
  void name(const Tile& t);                                                                    \
  void name(const Tile& t) {                                                                   \
    run_##idea<typename TypeOf<DType::input>::type, PackedType<DType::weights>, mr, nr>(t);    \
  }
