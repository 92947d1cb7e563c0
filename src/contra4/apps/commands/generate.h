// contra4 generate: questions about tuples, and their answers.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_generate_command(CLI::App& app);

}  // namespace contra4::apps
