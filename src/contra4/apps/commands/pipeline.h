// contra4 pipeline: all steps from captions to a data set, by one configuration.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_pipeline_command(CLI::App& app);

}  // namespace contra4::apps
