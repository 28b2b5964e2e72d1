// Running another program from a command.
#pragma once

#include <string>
#include <vector>

namespace pj::cli {

enum class ChildOutput {
  kInherited,        // standard output is the tool's own
  kToStandardError,  // for tools whose own standard output is for something else
};

// Runs the program (found like a shell finds it) and waits for its end. Meanwhile Ctrl-C ends only
// the program. Returns its exit status, or 128 + the signal that ended it. Throws Failure if it
// cannot be started.
int run_program(const std::vector<std::string>& command, ChildOutput output);

}  // namespace pj::cli
