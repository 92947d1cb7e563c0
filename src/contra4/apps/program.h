// The program: parses, runs one command, maps errors to exit codes and words.
#pragma once

#include <string>
#include <vector>

#include "contra4/apps/command.h"

namespace contra4::apps {

// `arguments` without the program's name. Never throws.
int run_program(const std::vector<std::string>& arguments, Context& context);

}  // namespace contra4::apps
