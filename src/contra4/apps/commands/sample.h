// contra4 sample: tuples of captioned media, step 1 of making a data set.
#pragma once

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_sample_command(CLI::App& app);

}  // namespace contra4::apps
