#include "contra4/inference/training_checkpoints.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

namespace contra4 {

namespace {

namespace fs = std::filesystem;

// Takes `prefix` and a number off the front; nothing for what begins otherwise.
std::optional<std::int64_t> take_number(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.starts_with('-')) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string checkpoint_name(std::int64_t epoch, std::int64_t step_in_epoch) {
  return fmt::format("epoch_{:03d}_iter_{:09d}", epoch, step_in_epoch);
}

std::vector<TrainingCheckpoint> find_checkpoints(const fs::path& output) {
  std::vector<TrainingCheckpoint> found;
  std::error_code error;
  for (fs::directory_iterator entry(output, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::string_view rest = name;
    const auto epoch = take_number(rest, "epoch_");
    const auto step = epoch ? take_number(rest, "_iter_") : std::nullopt;
    std::error_code ignored;
    if (!step || !rest.empty() || !entry->is_directory(ignored)) continue;
    found.push_back({.epoch = *epoch,
                     .step_in_epoch = *step,
                     .folder = entry->path(),
                     .is_committed = fs::exists(entry->path() / kCheckpointIndexName, ignored)});
  }
  const auto place = [](const TrainingCheckpoint& checkpoint) {
    return std::tie(checkpoint.epoch, checkpoint.step_in_epoch, checkpoint.folder);
  };
  std::sort(found.begin(), found.end(),
            [&](const auto& a, const auto& b) { return place(a) > place(b); });
  return found;
}

}  // namespace contra4
