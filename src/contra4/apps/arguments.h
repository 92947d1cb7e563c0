// From what a user typed to what CLI11 parses: spellings of flags, --config, errors in words.
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "contra4/io/json.h"

namespace contra4::apps {

// Parses `arguments` into the app's options. In names of flags an underscore is a hyphen; values
// are left as they are, also where they begin with hyphens. Flags that were typed are added to
// `typed_flags`, by all their names; --config then fills in the others. Throws UsageError (unknown
// flags and keys name the nearest one), and as io::read_yaml_file does. A call for help is
// CLI::CallForHelp.
void parse_arguments(CLI::App& app, std::vector<std::string> arguments,
                     std::set<std::string>& typed_flags);

// The arguments that say what `config` says: keys are names of flags, a list repeats its flag, true
// sets a flag, false and null leave it out. Keys whose flag is in `typed_flags` give none. `file`
// names it in messages.
std::vector<std::string> arguments_of_config(const CLI::App& app, const io::JsonValue& config,
                                             const std::set<std::string>& typed_flags,
                                             std::string_view file);

// "--data_path=a_b" is "--data-path=a_b"; anything but a long flag stays as it is.
std::string hyphenated(std::string argument);

// A validator for a flag that takes one of some words; hyphens and underscores are the same in
// them. The message names the nearest.
CLI::Validator one_of(std::vector<std::string> words);

// Validators for flags that take a number; the message names both ends.
CLI::Validator whole_number(std::int64_t least,
                            std::int64_t most = std::numeric_limits<std::int64_t>::max());
CLI::Validator number(double least, double most = std::numeric_limits<double>::infinity());

// Adds --config to an app.
void add_config_flag(CLI::App& app);

}  // namespace contra4::apps
