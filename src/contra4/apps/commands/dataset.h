// contra4 dataset check | describe | convert
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_dataset_check_command(CLI::App& app);
RunCommand add_dataset_describe_command(CLI::App& app);
RunCommand add_dataset_convert_command(CLI::App& app);

}  // namespace contra4::apps
