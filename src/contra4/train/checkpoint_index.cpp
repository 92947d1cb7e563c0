#include "contra4/train/checkpoint_index.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/inference/training_checkpoints.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/shown_name.h"

namespace contra4::train {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "contra4 training checkpoint 1";
constexpr std::uint64_t kMaxIndexBytes = 64U << 20;

struct IntegerRow {
  const char* name;
  std::int64_t TrainingPosition::*value;
};
constexpr std::array kIntegers = {
    IntegerRow{"epoch", &TrainingPosition::epoch},
    IntegerRow{"step_in_epoch", &TrainingPosition::step_in_epoch},
    IntegerRow{"global_step", &TrainingPosition::global_step},
    IntegerRow{"num_updates", &TrainingPosition::num_updates},
};

std::string to_json(const CheckpointIndex& index) {
  io::JsonWriter json(2);
  json.begin_object().member("format", kFormat);
  json.key("position").begin_object();
  for (const IntegerRow& row : kIntegers) json.member(row.name, index.position.*row.value);
  json.member("best_accuracy", index.position.best_accuracy)
      .member("num_without_better", index.position.num_without_better)
      .end_object();
  json.key("settings").begin_object();
  for (const auto& [name, value] : index.settings) json.member(name, value);
  json.end_object();
  json.key("shards").begin_array();
  for (const ShardSize& shard : index.shards) {
    json.begin_object().member("file", shard.file).member("bytes", shard.num_bytes).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::optional<TrainingPosition> parse_position(const io::JsonValue* value) {
  if (value == nullptr) return std::nullopt;
  TrainingPosition position;
  for (const IntegerRow& row : kIntegers) {
    const io::JsonValue* member = value->find(row.name);
    const auto number = member == nullptr ? std::nullopt : member->find_integer();
    if (!number || *number < 0) return std::nullopt;
    position.*row.value = *number;
  }
  const io::JsonValue* best = value->find("best_accuracy");
  const io::JsonValue* worse = value->find("num_without_better");
  if (best == nullptr || !best->find_number() || worse == nullptr || !worse->find_integer()) {
    return std::nullopt;
  }
  position.best_accuracy = *best->find_number();
  position.num_without_better = static_cast<int>(*worse->find_integer());
  return position;
}

// Nothing when it is no checkpoint.json of ours.
std::optional<CheckpointIndex> parse_index(const io::JsonValue& json) {
  const io::JsonValue* format = json.find("format");
  const io::JsonValue* settings = json.find("settings");
  const io::JsonValue* shards = json.find("shards");
  const auto position = parse_position(json.find("position"));
  if (format == nullptr || format->find_string() == nullptr || *format->find_string() != kFormat ||
      settings == nullptr || !settings->is_object() || shards == nullptr || !shards->is_array() ||
      !position) {
    return std::nullopt;
  }
  CheckpointIndex index{.position = *position, .settings = {}, .shards = {}};
  for (const auto& [name, value] : *settings->find_object()) {
    if (!value.is_string()) return std::nullopt;
    index.settings.emplace_back(name, *value.find_string());
  }
  for (const io::JsonValue& value : *shards->find_array()) {
    const io::JsonValue* file = value.find("file");
    const io::JsonValue* bytes = value.find("bytes");
    if (file == nullptr || !file->is_string() || bytes == nullptr || !bytes->find_integer()) {
      return std::nullopt;
    }
    index.shards.push_back({.file = *file->find_string(),
                            .num_bytes = static_cast<std::uint64_t>(*bytes->find_integer())});
  }
  return index;
}

const std::string* find_setting(const TrainingSettings& settings, const std::string& name) {
  const auto at = std::find_if(settings.begin(), settings.end(),
                               [&](const auto& setting) { return setting.first == name; });
  return at == settings.end() ? nullptr : &at->second;
}

}  // namespace

void write_index(const fs::path& checkpoint, const CheckpointIndex& index) {
  io::write_file_atomically(checkpoint / kCheckpointIndexName, to_json(index));
}

CheckpointIndex read_index(const fs::path& checkpoint) {
  const fs::path path = checkpoint / kCheckpointIndexName;
  if (!fs::exists(path)) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("{}: no checkpoint of a training: there is no {}{}", checkpoint.string(),
                    kCheckpointIndexName,
                    fs::is_directory(checkpoint) ? "; its saving was interrupted" : ""));
  }
  const auto json = io::parse_json(io::read_file(path, kMaxIndexBytes), path.string());
  if (!json) throw Exception(ErrorCode::kDataLoss, json.error().message);
  auto index = parse_index(*json);
  if (!index) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: not what this program writes; damaged, or of another version",
                                path.string()));
  }
  return *std::move(index);
}

std::optional<std::string> find_damage(const fs::path& checkpoint, const CheckpointIndex& index) {
  for (const ShardSize& shard : index.shards) {
    const fs::path path = checkpoint / shard.file;
    std::error_code error;
    const std::uint64_t size = fs::file_size(path, error);
    if (error) return fmt::format("{}: {}", path.string(), error.message());
    if (size != shard.num_bytes) {
      return fmt::format("{}: has {} bytes, {} were written; truncated copy?", path.string(), size,
                         shard.num_bytes);
    }
  }
  return std::nullopt;
}

std::vector<std::string> setting_differences(const TrainingSettings& saved,
                                             const TrainingSettings& now) {
  std::vector<std::string> words;
  for (const auto& [name, value] : saved) {
    const std::string* other = find_setting(now, name);
    if (other == nullptr) {
      words.push_back(
          fmt::format("{} was {}, is not there", io::shown_name(name), io::shown_name(value)));
    } else if (*other != value) {
      words.push_back(fmt::format("{} was {}, is {}", io::shown_name(name), io::shown_name(value),
                                  io::shown_name(*other)));
    }
  }
  for (const auto& [name, value] : now) {
    if (find_setting(saved, name) != nullptr) continue;
    words.push_back(
        fmt::format("{} was not there, is {}", io::shown_name(name), io::shown_name(value)));
  }
  return words;
}

}  // namespace contra4::train
