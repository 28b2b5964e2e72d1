// From errors as values to statuses and the thread's last message.
#pragma once

#include "include/pj/pj.h"
#include "runtime/base/result.h"

namespace pj {

// Keeps the message for pj_last_error().
pj_status report(const Error& e);

inline pj_status report(const Status& s) { return s ? pj_ok : report(s.error()); }

}  // namespace pj
