// From errors as values to statuses and the thread's last message.
#pragma once

#include "include/pj/pj.h"
#include "runtime/base/result.h"

namespace pj {

// Keeps the message for pj_last_error().
pj_status report(const Error& e);

inline pj_status report(const Status& s) { return s ? pj_ok : report(s.error()); }

// Hands a new handle out, or NULL and the error.
template <typename Handle>
pj_status give(const Result<Handle*>& made, Handle** out) {
  *out = made ? *made : nullptr;
  return made ? pj_ok : report(made.error());
}

}  // namespace pj
