// contra4 categorize: says which category of a taxonomy each question belongs to.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_categorize_command(CLI::App& app);

}  // namespace contra4::apps
