#include "contra4/train/checkpoint_folder.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/inference/training_checkpoints.h"
#include "contra4/io/file.h"
#include "contra4/io/shown_name.h"

namespace contra4::train {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShardPrefix = "shard-";

std::string shard_name(int rank, int num_ranks) {
  return fmt::format("{}{:05d}-of-{:05d}.safetensors", kShardPrefix, rank, num_ranks);
}

// The index first: what is deleted by half is no checkpoint.
void delete_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove(folder / kCheckpointIndexName, error);
  if (!error) fs::remove_all(folder, error);
  if (error) log::warning("{}: cannot be deleted: {}", folder.string(), error.message());
}

// Parts that a saving by another number of processes left, and torn ones.
void delete_other_shards(const fs::path& folder, const std::vector<ShardSize>& shards) {
  std::set<std::string> wanted;
  for (const ShardSize& shard : shards) wanted.insert(shard.file);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kShardPrefix) || wanted.contains(name)) continue;
    std::error_code ignored;
    fs::remove(entry->path(), ignored);
  }
}

void check_parameters(const SavedUnit& saved, const UnitShard& wanted, const fs::path& file) {
  const auto fail = [&](const std::string& reason) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: unit '{}' {}; it is of another training", file.string(),
                                io::shown_name(wanted.unit), reason));
  };
  const std::size_t num_both = std::min(saved.parameters.size(), wanted.parameters.size());
  for (std::size_t i = 0; i < num_both; ++i) {
    const auto& [name, count] = saved.parameters[i];
    const auto& [wanted_name, wanted_count] = wanted.parameters[i];
    if (name != wanted_name || count != wanted_count) {
      fail(fmt::format("has parameter '{}' of {} elements, wanted '{}' of {}", io::shown_name(name),
                       count, io::shown_name(wanted_name), wanted_count));
    }
  }
  if (saved.parameters.size() != wanted.parameters.size()) {
    fail(fmt::format("has {} parameters, wanted {}", saved.parameters.size(),
                     wanted.parameters.size()));
  }
  if (saved.num_elements != wanted.num_elements) {
    fail(fmt::format("has {} elements, wanted {}", saved.num_elements, wanted.num_elements));
  }
}

// The shards of a checkpoint, opened and seen to belong together.
std::vector<ShardFile> open_shards(const fs::path& checkpoint, const CheckpointIndex& index) {
  if (const auto damage = find_damage(checkpoint, index)) {
    throw Exception(ErrorCode::kDataLoss, *damage);
  }
  std::vector<ShardFile> files;
  files.reserve(index.shards.size());
  for (const ShardSize& shard : index.shards) {
    const ShardFile& file = files.emplace_back(checkpoint / shard.file);
    if (file.origin().global_step != index.position.global_step ||
        file.origin().num_ranks != static_cast<int>(index.shards.size())) {
      throw Exception(
          ErrorCode::kDataLoss,
          fmt::format("{}: is of step {} and {} processes, the checkpoint of step {} "
                      "and {}",
                      file.path().string(), file.origin().global_step, file.origin().num_ranks,
                      index.position.global_step, index.shards.size()));
    }
  }
  return files;
}

void refuse_other_units(const std::vector<ShardFile>& files, const std::vector<UnitShard>& units,
                        const fs::path& checkpoint) {
  std::set<std::string_view> wanted;
  for (const UnitShard& shard : units) wanted.insert(shard.unit);
  for (const ShardFile& file : files) {
    for (const SavedUnit& saved : file.units()) {
      if (wanted.contains(saved.unit)) continue;
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: has unit '{}', which this training lacks; it is of another "
                                  "training",
                                  checkpoint.string(), io::shown_name(saved.unit)));
    }
  }
}

void load_shard(const std::vector<ShardFile>& files, UnitShard& shard, const fs::path& checkpoint) {
  const std::int64_t end =
      std::min(shard.begin + shard.master.numel(), std::max(shard.num_elements, shard.begin));
  std::vector<std::pair<std::int64_t, std::int64_t>> there;  // ranges, from first to end
  bool is_known = false;
  for (const ShardFile& file : files) {
    for (const SavedUnit& saved : file.units()) {
      if (saved.unit != shard.unit) continue;
      is_known = true;
      check_parameters(saved, shard, file.path());
      const std::int64_t from = std::max(saved.begin, shard.begin);
      const std::int64_t to = std::min(saved.begin + saved.size, end);
      if (from >= to) continue;
      there.emplace_back(from, to);
      file.copy(saved, shard);
    }
  }
  std::sort(there.begin(), there.end());
  std::int64_t covered = shard.begin;
  for (const auto& [from, to] : there) {
    if (from > covered) break;
    covered = std::max(covered, to);
  }
  if (!is_known || covered < end) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: lacks {} of unit '{}'", checkpoint.string(),
                                is_known ? fmt::format("elements from {} on", covered) : "all",
                                io::shown_name(shard.unit)));
  }
  const c10::AutoGradMode no_gradients(false);
  for (const at::Tensor& tensor : {shard.master, shard.first_moment, shard.second_moment}) {
    tensor.narrow(0, end - shard.begin, tensor.numel() - (end - shard.begin)).zero_();
  }
}

}  // namespace

CheckpointFolder::CheckpointFolder(CheckpointOptions options) : options_(std::move(options)) {
  CONTRA4_CHECK(options_.rank >= 0 && options_.rank < options_.num_ranks, "no rank of the job");
}

fs::path CheckpointFolder::folder_of(const TrainingPosition& position) const {
  return options_.output / checkpoint_name(position.epoch, position.step_in_epoch);
}

// All ranks find the same: nobody commits while others save.
bool CheckpointFolder::is_saved(const TrainingPosition& position) const {
  const fs::path folder = folder_of(position);
  try {
    const CheckpointIndex index = read_index(folder);
    return index.position.global_step == position.global_step &&
           index.position.num_updates == position.num_updates &&
           index.settings == options_.settings && std::ssize(index.shards) == options_.num_ranks &&
           !find_damage(folder, index);
  } catch (const Exception&) {
    return false;
  }
}

void CheckpointFolder::save_shard(const TrainingPosition& position,
                                  const std::vector<UnitShard>& units) const {
  if (is_saved(position)) return;
  const fs::path folder = folder_of(position);
  std::error_code ignored;
  fs::remove(folder / kCheckpointIndexName, ignored);  // parts of two savings are no checkpoint
  write_shard(
      folder / shard_name(options_.rank, options_.num_ranks),
      {.rank = options_.rank, .num_ranks = options_.num_ranks, .global_step = position.global_step},
      units);
}

void CheckpointFolder::commit(const TrainingPosition& position) const {
  CONTRA4_CHECK(options_.rank == 0, "rank 0 commits");
  const fs::path folder = folder_of(position);
  CheckpointIndex index{.position = position, .settings = options_.settings, .shards = {}};
  for (int rank = 0; rank < options_.num_ranks; ++rank) {
    const std::string name = shard_name(rank, options_.num_ranks);
    std::error_code error;
    const std::uint64_t size = fs::file_size(folder / name, error);
    if (error) {
      throw Exception(ErrorCode::kNotFound,
                      fmt::format("{}: the part of process {} is not there: {}; do all processes "
                                  "see the same folder?",
                                  (folder / name).string(), rank, error.message()));
    }
    index.shards.push_back({.file = name, .num_bytes = size});
  }
  delete_other_shards(folder, index.shards);
  write_index(folder, index);
  io::sync_folder(options_.output);
  delete_old(position);
}

void CheckpointFolder::delete_old(const TrainingPosition& position) const {
  // Later ones without an index may be under way already.
  const auto now = std::tie(position.epoch, position.step_in_epoch);
  int num_kept = 1;
  for (const TrainingCheckpoint& found : find_checkpoints(options_.output)) {
    if (found.folder.filename() == folder_of(position).filename()) continue;
    if (!found.is_committed) {
      if (std::tie(found.epoch, found.step_in_epoch) < now) delete_folder(found.folder);
    } else if (options_.num_kept > 0 && ++num_kept > options_.num_kept) {
      delete_folder(found.folder);
    }
  }
}

std::optional<fs::path> CheckpointFolder::find_latest() const {
  for (const TrainingCheckpoint& found : find_checkpoints(options_.output)) {
    if (!found.is_committed) continue;
    try {
      const auto damage = find_damage(found.folder, read_index(found.folder));
      if (!damage) return found.folder;
      log::warning("passing over a checkpoint: {}", *damage);
    } catch (const Exception& exception) {
      log::warning("passing over a checkpoint: {}", exception.what());
    }
  }
  return std::nullopt;
}

TrainingPosition CheckpointFolder::read_position(const fs::path& checkpoint) const {
  const CheckpointIndex index = read_index(checkpoint);
  const auto words = setting_differences(index.settings, options_.settings);
  if (!words.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: is of a training with other settings: {}", checkpoint.string(),
                                fmt::join(words, "; ")));
  }
  return index.position;
}

void CheckpointFolder::load_shards(const fs::path& checkpoint,
                                   std::vector<UnitShard>& units) const {
  const CheckpointIndex index = read_index(checkpoint);
  const std::vector<ShardFile> files = open_shards(checkpoint, index);
  refuse_other_units(files, units, checkpoint);
  for (UnitShard& shard : units) load_shard(files, shard, checkpoint);
}

}  // namespace contra4::train
