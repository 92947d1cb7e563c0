#include "contra4/pipeline/stage.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <system_error>
#include <unordered_set>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/version.h"
#include "contra4/inference/service_settings.h"
#include "contra4/io/descriptor.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/step_files.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr int kManifestFormat = 1;
constexpr std::size_t kKeyDigits = 8;  // of the key, in names of journals
constexpr std::size_t kMaxNamedDifferences = 12;

fs::path beside(const fs::path& output, std::string_view ending) {
  return output.parent_path() / (step_name(output) + std::string(ending));
}

std::string to_json(const Manifest& manifest) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("format", kManifestFormat);
  write_manifest_members(json, manifest);
  json.end_object();
  return json.take() + "\n";
}

[[noreturn]] void damaged(const fs::path& path, std::string_view what) {
  throw Exception(ErrorCode::kDataLoss,
                  fmt::format("{}: no manifest of a step ({}); --overwrite makes the step anew",
                              path.string(), what));
}

const io::JsonValue& require_member(const fs::path& path, const io::JsonValue& json,
                                    std::string_view name) {
  const io::JsonValue* const member = json.find(name);
  if (member == nullptr) damaged(path, fmt::format("'{}' is missing", name));
  return *member;
}

std::string require_text(const fs::path& path, const io::JsonValue& value, std::string_view name) {
  const std::string* const text = value.find_string();
  if (text == nullptr) damaged(path, fmt::format("'{}' is no text", name));
  return *text;
}

const io::JsonValue::Object& require_object(const fs::path& path, const io::JsonValue& json,
                                            std::string_view name) {
  const io::JsonValue::Object* const object = require_member(path, json, name).find_object();
  if (object == nullptr) damaged(path, fmt::format("'{}' is no object", name));
  return *object;
}

std::int64_t require_count(const fs::path& path, const io::JsonValue& value,
                           std::string_view name) {
  const auto count = value.find_integer();
  if (!count) damaged(path, fmt::format("'{}' is no whole number", name));
  return *count;
}

Manifest manifest_of(const fs::path& path, const io::JsonValue& json) {
  Manifest manifest;
  const auto text = [&](std::string_view name) {
    return require_text(path, require_member(path, json, name), name);
  };
  if (require_count(path, require_member(path, json, "format"), "format") != kManifestFormat) {
    damaged(path, "of another format");
  }
  manifest.stage = text("stage");
  manifest.key = text("key");
  manifest.version = text("version");
  if (json.find("shard") != nullptr) {
    const auto shard = parse_shard(text("shard"));
    if (!shard) damaged(path, shard.error().message);
    manifest.shard = *shard;
  }
  manifest.settings = require_member(path, json, "settings");
  for (const auto& [name, value] : require_object(path, json, "inputs")) {
    manifest.inputs.emplace_back(name, require_text(path, value, name));
  }
  for (const auto& [name, value] : require_object(path, json, "outputs")) {
    manifest.outputs.emplace_back(name,
                                  static_cast<std::uint64_t>(require_count(path, value, name)));
  }
  for (const auto& [name, value] : require_object(path, json, "counts")) {
    manifest.counts.emplace_back(name, require_count(path, value, name));
  }
  const io::JsonValue::Array* const notes = require_member(path, json, "notes").find_array();
  if (notes == nullptr) damaged(path, "'notes' is no list");
  for (const io::JsonValue& note : *notes) {
    manifest.notes.push_back(require_text(path, note, "notes"));
  }
  return manifest;
}

std::map<std::string, std::string> leaves_of(const Manifest& manifest) {
  std::map<std::string, std::string> leaves;
  io::each_leaf(manifest.settings, "settings",
                [&](const std::string& name, const io::JsonValue& leaf) {
                  leaves[name] = io::compact_json(leaf);
                });
  leaves["stage"] = manifest.stage;
  leaves["shard"] = to_string(manifest.shard);
  for (const auto& [name, sha256] : manifest.inputs) leaves["input " + name] = sha256.substr(0, 12);
  return leaves;
}

// Held by one process at a time; the empty file stays.
void lock(const fs::path& output, std::optional<io::Descriptor>& descriptor) {
  const fs::path path = beside(output, ".lock");
  descriptor.emplace(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (descriptor->get() < 0) {
    throw Exception(ErrorCode::kUnavailable, fmt::format("cannot write {}: {}", path.string(),
                                                         std::generic_category().message(errno)));
  }
  if (::flock(descriptor->get(), LOCK_EX | LOCK_NB) != 0) {
    throw Exception(
        ErrorCode::kUnavailable,
        fmt::format("another process is making {}; wait for it or end it", output.string()));
  }
}

// Whether all of `paths` are there with the sizes that the manifest knows.
bool are_there(const std::vector<fs::path>& paths, const Manifest& manifest) {
  return std::all_of(paths.begin(), paths.end(), [&](const fs::path& path) {
    std::error_code failed;
    const std::uint64_t bytes = fs::file_size(path, failed);
    const std::pair wanted(path.filename().string(), bytes);
    return !failed && std::find(manifest.outputs.begin(), manifest.outputs.end(), wanted) !=
                          manifest.outputs.end();
  });
}

[[noreturn]] void refuse(const fs::path& output, const Manifest& before, const Manifest& now) {
  std::vector<std::string> differences = manifest_differences(before, now);
  if (differences.size() > kMaxNamedDifferences) {
    const std::size_t more = differences.size() - kMaxNamedDifferences;
    differences.resize(kMaxNamedDifferences);
    differences.push_back(fmt::format("and {} more", more));
  }
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{} was made with other settings or inputs:\n  {}\n"
                              "--overwrite makes it anew, another --output-dir keeps both",
                              output.string(), fmt::join(differences, "\n  ")));
}

}  // namespace

fs::path manifest_path(const fs::path& output) {
  return beside(output, ".manifest.json");
}

fs::path dropped_path(const fs::path& output) {
  return beside(output, ".dropped.jsonl");
}

bool is_beside_output(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".manifest.json") || name.ends_with(".dropped.jsonl") ||
         name.ends_with(".journal.jsonl") || name.ends_with(".lock");
}

std::optional<Manifest> find_manifest(const fs::path& output) {
  const fs::path path = manifest_path(output);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return manifest_of(path, io::read_json_file(path));
}

void write_manifest_members(io::JsonWriter& json, const Manifest& manifest) {
  json.member("stage", manifest.stage);
  json.member("key", manifest.key);
  json.member("version", manifest.version);
  if (!manifest.shard.is_whole()) json.member("shard", to_string(manifest.shard));
  json.member("settings", manifest.settings);
  json.key("inputs").begin_object();
  for (const auto& [name, sha256] : manifest.inputs) json.member(name, sha256);
  json.end_object();
  json.key("outputs").begin_object();
  for (const auto& [name, bytes] : manifest.outputs) json.member(name, bytes);
  json.end_object();
  json.key("counts").begin_object();
  for (const auto& [name, count] : manifest.counts) json.member(name, count);
  json.end_object();
  json.key("notes").begin_array();
  for (const std::string& note : manifest.notes) json.value(note);
  json.end_array();
}

std::string manifest_key(const Manifest& manifest) {
  io::JsonWriter json;
  json.begin_object();
  json.member("stage", manifest.stage);
  json.member("settings", manifest.settings);
  json.member("shard", to_string(manifest.shard));
  json.key("inputs").begin_object();
  for (const auto& [name, sha256] : manifest.inputs) json.member(name, sha256);
  json.end_object().end_object();
  return sha256_hex(json.text());
}

void write_manifest(const fs::path& output, const Manifest& manifest) {
  io::write_file_atomically(manifest_path(output), to_json(manifest));
}

std::vector<std::string> manifest_differences(const Manifest& before, const Manifest& after) {
  const auto old_leaves = leaves_of(before);
  const auto new_leaves = leaves_of(after);
  const auto shown = [](const std::map<std::string, std::string>& leaves, const std::string& name) {
    const auto leaf = leaves.find(name);
    return leaf == leaves.end() ? std::string("not set") : leaf->second.substr(0, 200);
  };
  std::map<std::string, std::string> all = old_leaves;
  all.insert(new_leaves.begin(), new_leaves.end());
  std::vector<std::string> differences;
  for (const auto& [name, unused] : all) {
    const std::string old_text = shown(old_leaves, name);
    const std::string new_text = shown(new_leaves, name);
    if (old_text == new_text) continue;
    differences.push_back(fmt::format("{}: {} before, {} now", name, old_text, new_text));
  }
  return differences;
}

struct Stage::State {
  std::vector<fs::path> outputs;
  Manifest manifest;
  std::optional<io::Descriptor> lock;
  bool is_done = false;
  std::unordered_set<std::string> dropped_ids;
  std::string dropped_lines;
};

Stage::Stage(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stage::Stage(Stage&&) noexcept = default;
Stage& Stage::operator=(Stage&&) noexcept = default;
Stage::~Stage() = default;

Stage Stage::open(std::vector<fs::path> outputs, const StageConfig& config,
                  WhenChanged when_changed) {
  CONTRA4_CHECK(!outputs.empty(), "a step writes a file");
  auto state = std::make_unique<State>();
  state->outputs = std::move(outputs);
  Manifest& manifest = state->manifest;
  manifest.stage = config.stage;
  manifest.version = version();
  manifest.shard = config.shard;
  // Where the servers are and how fast they are asked decides nothing, and is nobody's business.
  manifest.settings = io::without_members(io::parse_json(config.settings_json, "settings").value(),
                                          is_service_setting);
  for (const StageInput& input : config.inputs) {
    manifest.inputs.emplace_back(input.name, sha256_hex_of_file(input.path));
  }
  manifest.key = manifest_key(manifest);

  const fs::path& output = state->outputs.front();
  if (output.has_parent_path()) fs::create_directories(output.parent_path());
  lock(output, state->lock);
  Stage stage(std::move(state));
  if (when_changed == WhenChanged::kOverwrite) {
    fs::remove(manifest_path(output));
    stage.remove_journals();
    return stage;
  }
  const std::optional<Manifest> before = find_manifest(output);
  if (!before) return stage;
  if (before->key == stage.key()) {
    if (are_there(stage.state_->outputs, *before)) {
      stage.state_->manifest = *before;
      stage.state_->is_done = true;
    }
    return stage;
  }
  if (when_changed == WhenChanged::kRefuse) refuse(output, *before, stage.state_->manifest);
  // From here on the outputs are those of nobody until finish().
  fs::remove(manifest_path(output));
  return stage;
}

void Stage::remove_journals() const {
  const fs::path folder = output().has_parent_path() ? output().parent_path() : ".";
  const std::string of_key =
      fmt::format("{}.{}.", step_name(output()), key().substr(0, kKeyDigits));
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(of_key) && name.ends_with("journal.jsonl")) fs::remove(entry.path());
  }
}

bool Stage::is_done() const {
  return state_->is_done;
}

const std::string& Stage::key() const {
  return state_->manifest.key;
}

const fs::path& Stage::output() const {
  return state_->outputs.front();
}

fs::path Stage::journal_path(std::string_view name) const {
  return beside(output(), fmt::format(".{}.{}{}journal.jsonl", key().substr(0, kKeyDigits), name,
                                      name.empty() ? "" : "."));
}

void Stage::drop(std::string_view id, std::string_view reason, std::string_view detail) {
  CONTRA4_CHECK(state_->dropped_ids.emplace(id).second, fmt::format("'{}' was dropped before", id));
  io::JsonWriter json;
  json.begin_object().member("id", id).member("reason", reason);
  if (!detail.empty()) json.member("detail", detail);
  json.end_object();
  state_->dropped_lines += json.text();
  state_->dropped_lines += '\n';
}

void Stage::finish(const Counts& counts, const std::vector<std::string>& notes) {
  Manifest& manifest = state_->manifest;
  manifest.counts = counts;
  manifest.notes = notes;
  manifest.outputs.clear();
  for (const fs::path& path : state_->outputs) {
    manifest.outputs.emplace_back(path.filename().string(), fs::file_size(path));
  }
  if (state_->dropped_lines.empty()) {
    fs::remove(dropped_path(output()));
  } else {
    io::write_file_atomically(dropped_path(output()), state_->dropped_lines);
  }
  write_manifest(output(), manifest);
  state_->is_done = true;
}

const Manifest& Stage::manifest() const {
  CONTRA4_CHECK(state_->is_done, "the manifest of a step that is not done");
  return state_->manifest;
}

}  // namespace contra4::pipeline
