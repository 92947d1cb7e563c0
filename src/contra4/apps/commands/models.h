// contra4 models: what --model can be, and what each needs.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_models_command(CLI::App& app);

}  // namespace contra4::apps
