// contra4 evaluate: asks a model every question of a set and scores the answers.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_evaluate_command(CLI::App& app);

}  // namespace contra4::apps
