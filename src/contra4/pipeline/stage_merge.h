// What the shards of a step have on record, as the step has it that was made in one go.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "contra4/pipeline/stage.h"

namespace contra4::pipeline {

// Of the shards in order, given by their outputs: counts added up, notes each once. Where all
// shards read the same inputs the key is that of the step in one go, which then counts as done;
// where each had its own, inputs are listed by shard. Empty when no shard has a manifest, as with
// data files that no step made. Throws kInvalidArgument when some have none, when their settings
// differ (with the differences), or when a file is not the shard that it is called.
std::optional<Manifest> merge_manifests(const std::vector<std::filesystem::path>& shards);

// After the merged files are in place: dropped rows one behind the other, then the manifest.
// `outputs` in the order of the step, the first one beside the manifest.
void finish_merge(const std::vector<std::filesystem::path>& shards,
                  const std::vector<std::filesystem::path>& outputs, Manifest manifest);

}  // namespace contra4::pipeline
