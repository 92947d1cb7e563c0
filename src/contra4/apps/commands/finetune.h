// contra4 finetune: trains OneLLM on questions with answers.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_finetune_command(CLI::App& app);

}  // namespace contra4::apps
