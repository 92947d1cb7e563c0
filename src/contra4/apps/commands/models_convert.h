// contra4 models convert: a checkpoint as one safetensors file.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_models_convert_command(CLI::App& app);

}  // namespace contra4::apps
