// The checkpoints of a training: what it takes to go on as if nothing had happened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contra4/train/checkpoint_index.h"
#include "contra4/train/checkpoint_shard.h"

namespace contra4::train {

struct CheckpointOptions {
  std::filesystem::path output;  // of the run; checkpoints are folders in it
  int rank = 0;
  int num_ranks = 1;
  int num_kept = 2;  // 0: all
  // Name and value of all that must not change between two starts.
  std::vector<std::pair<std::string, std::string>> settings;
};

// A checkpoint is a folder epoch_EEE_iter_NNNNNNNNN (of the epoch) with
// shard-RRRRR-of-NNNNN.safetensors of every rank and checkpoint.json, which names them and is
// written last: without it there is no checkpoint. Whatever the moment at which a process ends, the
// newest one that has it is whole. All ranks see one file system. One thread at a time.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(CheckpointOptions options);

  // The folder for a position; not made.
  std::filesystem::path folder_of(const TrainingPosition& position) const;
  // This rank's part. Every rank calls it, then all meet, then rank 0 calls commit(). When the
  // same training has saved that step already its files stay. Throws kResourceExhausted on a full
  // disk; what was saved before is untouched then.
  void save_shard(const TrainingPosition& position, const std::vector<UnitShard>& units) const;
  // Makes it a checkpoint, then deletes those beyond num_kept (oldest by position, never this one)
  // and what interrupted savings before this position left. Throws kNotFound when a rank's part is
  // not there.
  void commit(const TrainingPosition& position) const;

  // The newest whole one by position, going by the sizes of its files; empty: none. What is newer
  // and not whole is warned of.
  std::optional<std::filesystem::path> find_latest() const;
  // Throws kNotFound, kDataLoss, kInvalidArgument naming each setting that differs.
  TrainingPosition read_position(const std::filesystem::path& checkpoint) const;
  // Fills master and moments of the given shards, whatever number of ranks saved; elements beyond
  // num_elements become 0. Throws kDataLoss with file and unit where something lacks or is damaged,
  // kInvalidArgument where units, parameters or types differ.
  void load_shards(const std::filesystem::path& checkpoint, std::vector<UnitShard>& units) const;

 private:
  bool is_saved(const TrainingPosition& position) const;
  void delete_old(const TrainingPosition& position) const;

  CheckpointOptions options_;
};

}  // namespace contra4::train
