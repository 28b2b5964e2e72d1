// The kernels around the matrix products, for the ISA level that CMake names: compiled once for
// each, with its flags and PJ_ELEMENTS_<LEVEL> as PJ_LEVEL_ROWS.
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/float_binary.h"
#include "kernels/elementwise/float_unary.h"
#include "kernels/elementwise/numbers.h"
#include "kernels/elementwise/quantized_binary.h"
#include "kernels/elementwise/select.h"
#include "kernels/elementwise/table.h"
#include "kernels/levels/rows.h"
#include "kernels/matmul/bytes.h"
#include "kernels/move/copy_boxes.h"
#include "kernels/move/gather.h"
#include "kernels/move/transpose.h"
#include "kernels/pool/window.h"
#include "kernels/reduce/arg_extreme.h"
#include "kernels/reduce/fold.h"
#include "kernels/reduce/layer_norm.h"
#include "kernels/reduce/normalize_table.h"
#include "kernels/reduce/softmax_float.h"
#include "kernels/reduce/softmax_table.h"
#include "kernels/reduce/top_k.h"
#include "kernels/resize/bilinear.h"
#include "kernels/resize/nearest.h"

#define PJ_DEFINE_ELEMENT_ROW(name, cls, idea, input, weights, output, ...)                   \
  void name(const Tile& t);                                                                   \
  void name(const Tile& t) {                                                                  \
    run_##idea<typename TypeOf<DType::input>::type, typename TypeOf<DType::output>::type>(t); \
  }

namespace pj::kernels {
PJ_LEVEL_ROWS(PJ_DEFINE_ELEMENT_ROW)
}  // namespace pj::kernels
