#include "bindings/profile/library.h"

extern "C" {
extern __attribute__((visibility("default"))) const pj::ProfileLibrary pj_profile_library;
const pj::ProfileLibrary pj_profile_library = {PJ_VERSION, pj::energy::profile_session};
}
