// contra4 filter: keeps the questions that models answer rightly in every order.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_filter_command(CLI::App& app);

}  // namespace contra4::apps
