// contra4 verify: asks models every question in every order of its scenes.
#pragma once

#include <string>

#include "contra4/apps/command.h"

namespace contra4::apps {

RunCommand add_verify_command(CLI::App& app);

// The name in files of what --model gives: "llama" of "llama=openai/X". Throws UsageError.
std::string verified_model_name(const std::string& text);

}  // namespace contra4::apps
