// contra4 dataset split
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_dataset_split_command(CLI::App& app);

}  // namespace contra4::apps
