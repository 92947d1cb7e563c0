// contra4 dataset merge
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_dataset_merge_command(CLI::App& app);

}  // namespace contra4::apps
