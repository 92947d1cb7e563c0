// What tells a checkpoint of a training on disk: the program looks for them, the torch module
// writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace contra4 {

// Written last: a folder without it is no checkpoint.
inline constexpr const char* kCheckpointIndexName = "checkpoint.json";

// "epoch_002_iter_000000500": an epoch, and the optimizer steps done in it.
std::string checkpoint_name(std::int64_t epoch, std::int64_t step_in_epoch);

struct TrainingCheckpoint {
  std::int64_t epoch = 0;
  std::int64_t step_in_epoch = 0;
  std::filesystem::path folder;
  bool is_committed = false;  // has its index
};

// The folders in `output` that are named so, whatever the number of digits, the newest first: by
// epoch and step. Empty where there is no such folder.
std::vector<TrainingCheckpoint> find_checkpoints(const std::filesystem::path& output);

}  // namespace contra4
