// The questions that a training learns from, with the files of their scenes.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "contra4/apps/command.h"
#include "contra4/apps/finetune_flags.h"
#include "contra4/data/item.h"
#include "contra4/inference/finetune.h"
#include "contra4/media/locate.h"

namespace contra4::apps {

// What --data means: the files given, else the released training set in the folder of
// CONTRA4_RELEASE or in data/final_data. Throws UsageError when there is none.
std::vector<std::filesystem::path> training_files(const FinetuneFlags& flags,
                                                  const Context& context);

// All questions of the files, in their order. Those without an answer are named and left out, those
// without a file for a scene as well under --skip-missing-media. Throws kInvalidArgument when none
// is left or a row is malformed, kNotFound naming the first media without a file. `role` names the
// files in messages: "--data".
std::vector<TrainingItem> load_training_items(Context& context, const FinetuneFlags& flags,
                                              std::span<const std::filesystem::path> files,
                                              std::string_view role);

}  // namespace contra4::apps
