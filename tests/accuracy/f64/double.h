// Included before everything else where the reference kernels are compiled a second time, in
// namespace pj_f64: there, what they call float is double.
#pragma once

// What is not to change comes first.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/base/half.h"

namespace pj_f64 {
using pj::Half;
using pj::to_float;
using pj::to_half;
}  // namespace pj_f64

#define pj pj_f64
#define float double
