// The flags that say in which form media go to servers and programs.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/media/request_media.h"

namespace contra4::apps {

struct MediaFlags {
  media::RequestMediaOptions options;
  std::string up_axis = "y";
  bool exec_pictures = false;
};

void add_media_flags(CLI::App& app, MediaFlags& flags);

// All that they say, and the cache folder of the environment.
media::RequestMediaOptions media_options(const MediaFlags& flags, const Context& context);
// What of it decides an answer, as a JSON object for config.json.
std::string media_description(const MediaFlags& flags, const Context& context);

}  // namespace contra4::apps
