// The page that --help shows.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace contra4::apps {

// Usage, what the command does, its flags in their groups with defaults and units, its footer
// (examples). Lines are at most 100 columns wide.
std::string command_help(const CLI::App& app, std::string_view command);

}  // namespace contra4::apps
