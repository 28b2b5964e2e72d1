// Whether to use XNNPACK, an optional dependency of the build.
#pragma once

#include <string_view>

#include "runtime/exec/model.h"

namespace pj {

enum class XnnpackMode : uint8_t {
  kOff,
  // Where no kernel of this project was written for the ISA level, except for f16 weights, which
  // XNNPACK needs widened. Off in a build without XNNPACK, and where the target is less than this
  // CPU: XNNPACK always uses all that the CPU has.
  kAuto,
  kOnly,  // for all that it computes exactly; an error in a build without
};

// "off", "auto" or "only". Errors: kInvalidArgument.
Result<XnnpackMode> xnnpack_mode_by_name(std::string_view name);

// "2022" or "2024", the generation of its API; null if it is not in this build.
const char* xnnpack_generation();

// Sets the options that concern prepared operators; options.target is set already. Errors:
// kPlatformUnsupported.
Status use_xnnpack(XnnpackMode mode, ModelOptions& options);

}  // namespace pj
