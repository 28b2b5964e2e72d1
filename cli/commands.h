// The commands of `pj`, one a file.
#pragma once

#include "cli/common.h"

namespace pj::cli {

// Each returns an exit status or throws Failure.
int run_command(const Args& args);
int bench_command(const Args& args);
int eval_command(const Args& args);
int profile_command(const Args& args);
int inspect_command(const Args& args);
int convert_command(const Args& args);
int export_command(const Args& args);
int calibrate_command(const Args& args);
int energy_command(const Args& args);
int energy_compare_command(const Args& args);  // of energy_command
int energy_measure_command(const Args& args);  // likewise
int doctor_command(const Args& args);

}  // namespace pj::cli
