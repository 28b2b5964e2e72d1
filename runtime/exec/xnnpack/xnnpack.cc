#include "runtime/exec/xnnpack/xnnpack.h"

#include "kernels/registry.h"

#ifdef PJ_HAVE_XNNPACK
#include "runtime/exec/xnnpack/factory.h"
#include "runtime/exec/xnnpack/operator.h"
#endif

namespace pj {
namespace {

// Null if XNNPACK is not in this build.
const PreparedOpFactory* factory_of_build([[maybe_unused]] bool widen_f16) {
#ifdef PJ_HAVE_XNNPACK
  return &xnn::factory(widen_f16);
#else
  return nullptr;
#endif
}

}  // namespace

Result<XnnpackMode> xnnpack_mode_by_name(std::string_view name) {
  if (name == "off") return XnnpackMode::kOff;
  if (name == "auto") return XnnpackMode::kAuto;
  if (name == "only") return XnnpackMode::kOnly;
  return error(ErrorCode::kInvalidArgument,
               "xnnpack '{}' does not exist; there are: off, auto, only", name);
}

const char* xnnpack_generation() {
#ifdef PJ_HAVE_XNNPACK
  return xnn::api_generation();
#else
  return nullptr;
#endif
}

Status use_xnnpack(XnnpackMode mode, ModelOptions& options) {
  if (mode == XnnpackMode::kOnly && xnnpack_generation() == nullptr) {
    return error(ErrorCode::kPlatformUnsupported,
                 "this build has no XNNPACK: install libxnnpack-dev and build again, or use "
                 "xnnpack 'auto' or 'off'");
  }
#ifdef PJ_HAVE_XNNPACK
  if (mode == XnnpackMode::kOnly && !xnn::is_there()) {
    return error(ErrorCode::kPlatformUnsupported,
                 "XNNPACK is not installed, or not the one that this build was made for: install "
                 "libxnnpack0, or use xnnpack 'auto' or 'off'");
  }
#endif
  const bool all_of_cpu = options.target.isa.includes(host_cpu().isa & built_isa());
  const bool used = mode == XnnpackMode::kOnly || (mode == XnnpackMode::kAuto && all_of_cpu);
  options.prepared = used ? factory_of_build(mode == XnnpackMode::kOnly) : nullptr;
  options.prepared_before_tuned = mode == XnnpackMode::kOnly;
  return {};
}

}  // namespace pj
