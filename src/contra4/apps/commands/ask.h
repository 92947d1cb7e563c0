// contra4 ask: one question, typed.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_ask_command(CLI::App& app);

}  // namespace contra4::apps
