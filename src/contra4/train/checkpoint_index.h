// checkpoint.json, what makes a folder a checkpoint: how far the training was, its settings, and
// the files that belong to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace contra4::train {

// How far a training is. What follows from it alone is not saved: batches come from the sampler.
struct TrainingPosition {
  std::int64_t epoch = 0;          // that is under way, or next
  std::int64_t step_in_epoch = 0;  // optimizer steps done in it
  std::int64_t global_step = 0;    // optimizer steps done in all
  std::int64_t num_updates = 0;    // of the weights: steps that had something to learn from
  double best_accuracy = -1;       // of the validations; -1: none yet
  int num_without_better = 0;      // validations since
};

using TrainingSettings = std::vector<std::pair<std::string, std::string>>;

struct ShardSize {
  std::string file;  // in the folder
  std::uint64_t num_bytes = 0;
};

struct CheckpointIndex {
  TrainingPosition position;
  TrainingSettings settings;
  std::vector<ShardSize> shards;  // by rank
};

// Aside and renamed. Throws as io::AtomicFile.
void write_index(const std::filesystem::path& checkpoint, const CheckpointIndex& index);
// Throws kNotFound, kDataLoss.
CheckpointIndex read_index(const std::filesystem::path& checkpoint);

// Why the files of a checkpoint are not those that were saved, going by their sizes.
std::optional<std::string> find_damage(const std::filesystem::path& checkpoint,
                                       const CheckpointIndex& index);
// "lr was 0.1, is 0.2", one for each that differs or is in one of them alone.
std::vector<std::string> setting_differences(const TrainingSettings& saved,
                                             const TrainingSettings& now);

}  // namespace contra4::train
