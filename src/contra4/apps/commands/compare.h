// contra4 compare: which differences between runs mean something.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_compare_command(CLI::App& app);

}  // namespace contra4::apps
