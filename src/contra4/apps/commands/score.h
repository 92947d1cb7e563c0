// contra4 score: predictions against a data set.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_score_command(CLI::App& app);

}  // namespace contra4::apps
