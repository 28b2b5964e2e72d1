// Tests of what builds without XNNPACK lack are skipped there.
#pragma once

#include <gtest/gtest.h>

#include "runtime/exec/xnnpack/xnnpack.h"

#define PJ_REQUIRE_XNNPACK() \
  if (xnnpack_generation() == nullptr) GTEST_SKIP() << "this build has no XNNPACK"
