// contra4 balance: spreads the right scenes evenly over the places.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_balance_command(CLI::App& app);

}  // namespace contra4::apps
