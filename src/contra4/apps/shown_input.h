// From the flags about input to what a model is shown.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/data/item_reader.h"
#include "contra4/eval/input.h"
#include "contra4/eval/request_plan.h"

namespace contra4::apps {

struct InputFlags {
  std::optional<std::string> input;
  std::optional<std::filesystem::path> captions;
  std::optional<std::filesystem::path> media_root;
  bool skip_missing_media = false;
};
void add_input_flags(CLI::App& app, InputFlags& flags);
// Two of them, for commands that show media alone; in the group that was last begun.
void add_media_file_flags(CLI::App& app, std::optional<std::filesystem::path>& media_root,
                          bool& skip_missing_media);

// The kind that was asked for, else what suits the model. Throws UsageError for flags that
// contradict each other, kInvalidArgument for an input the model has no use for.
eval::InputKind input_kind_of(const InputFlags& flags, InputNeed need);

// The folders of the environment and of --media-root.
media::MediaLocator media_locator(const Context& context,
                                  const std::optional<std::filesystem::path>& media_root);

// Throws kNotFound naming the first media of the items that have no file, and `advice`; with
// `skips` they are told, and the items stay as they are.
void require_media(Context& context, const media::MediaLocator& locator, bool skips,
                   std::span<const Item> items, std::string_view advice);

// Throws kNotFound naming the first media of the plan that have no file, unless they are skipped.
std::unique_ptr<eval::SceneSource> make_scene_source(Context& context, const InputFlags& flags,
                                                     eval::InputKind kind,
                                                     const data::Dataset& dataset,
                                                     const eval::RequestPlan& plan,
                                                     std::uint64_t seed);

}  // namespace contra4::apps
