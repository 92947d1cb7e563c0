// What `contra4 dataset check` looks at beside the rows: the media that they name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/data/item_reader.h"
#include "contra4/media/locate.h"

namespace contra4::apps {

struct MediaCheckFlags {
  bool media = false;
  std::optional<std::filesystem::path> media_root;
  bool decode = false;

  bool is_wanted() const { return media || decode || media_root.has_value(); }
};
void add_media_check_flags(CLI::App& app, MediaCheckFlags& flags);

struct MediaProblem {
  media::MediumKey key;
  Error error;
  bool is_missing = false;  // otherwise there is a file, and it does not decode
};

struct MediaCheckSummary {
  std::uint64_t media = 0;  // distinct ones
  std::uint64_t missing = 0;
  std::uint64_t broken = 0;
  bool was_interrupted = false;
  bool is_fine() const { return missing == 0 && broken == 0 && !was_interrupted; }
};

// Reports each distinct medium of the file's readable rows that has no file, in order of first
// mention, and with `decode` each that does not decode. Throws as data::open_items and
// media::MediaLocator do; kUnimplemented when files are to be decoded and this build has no codecs.
MediaCheckSummary check_media(const Context& context, const MediaCheckFlags& flags,
                              const std::filesystem::path& file, const data::ReadLimits& limits,
                              const std::function<void(const MediaProblem&)>& report);

}  // namespace contra4::apps
