// The schema of .tflite files, as flatc translates it.
#pragma once

#include <climits>
// A macro of musl's <limits.h>, and an operator here.
#undef ARG_MAX

#include "tflite_generated.h"
