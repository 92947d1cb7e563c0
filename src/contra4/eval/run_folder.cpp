#include "contra4/eval/run_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/version.h"
#include "contra4/inference/service_settings.h"
#include "contra4/io/file.h"
#include "contra4/io/journal.h"
#include "contra4/io/json_writer.h"

namespace contra4::eval {

namespace {

constexpr std::array<std::string_view, 5> kRunFiles = {
    "config.json", "journal.jsonl", "predictions.json", "results.json", "report.md"};

// Members that do not change an answer, by their whole dotted name. Nor does any within
// `dataset_file`, or that is_service_setting().
constexpr std::array<std::string_view, 3> kIndifferentNames = {"contra4", "scoring",
                                                               "dataset.name"};

bool is_decisive_name(std::string_view name) {
  if (std::find(kIndifferentNames.begin(), kIndifferentNames.end(), name) !=
      kIndifferentNames.end()) {
    return false;
  }
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    if (part == "dataset_file" || is_service_setting(part)) return false;
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  return true;
}

using Members = std::vector<std::pair<std::string, std::string>>;

// As dotted names in their order, with their JSON text.
Members members_of(const io::JsonValue& value) {
  Members members;
  io::each_leaf(value, {}, [&](const std::string& name, const io::JsonValue& leaf) {
    members.emplace_back(name, io::compact_json(leaf));
  });
  return members;
}

std::string shortened(const std::string& json) {
  if (json.empty()) return "(not set)";
  constexpr std::size_t kMaxBytes = 80;
  if (json.size() <= kMaxBytes) return json;
  std::size_t end = kMaxBytes;
  while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xC0) == 0x80) --end;
  return json.substr(0, end) + "...";
}

std::string file_name_of(std::string_view text) {
  constexpr std::size_t kMaxBytes = 60;
  std::string name;
  for (const char c : text.substr(0, kMaxBytes)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (is_plain) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  // A name that begins with a point would be hidden, or "..".
  while (!name.empty() && (name.front() == '-' || name.front() == '.')) name.erase(0, 1);
  return name.empty() ? "unnamed" : name;
}

void member_or_null(io::JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

std::string string_at(const io::JsonValue* value) {
  const std::string* const text = value == nullptr ? nullptr : value->find_string();
  return text == nullptr ? std::string() : *text;
}

template <class T>
T require(const std::filesystem::path& path, std::string_view name, std::optional<T> value) {
  if (!value) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: '{}' is missing or unknown", path.string(), name));
  }
  return *value;
}

// Removes what an earlier run left, unless one is still at work.
void remove_run(const std::filesystem::path& folder) {
  const auto journal = folder / kRunFiles[1];
  if (std::filesystem::exists(journal)) const io::JournalWriter lock(journal);
  for (const std::string_view name : kRunFiles) std::filesystem::remove(folder / name);
}

}  // namespace

std::string to_json(const RunConfig& config) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("contra4", version());
  json.key("dataset").begin_object();
  json.member("name", config.dataset);
  json.member("sha256", config.dataset_sha256);
  json.member("items", config.num_items);
  json.end_object();
  json.member("model", config.model);
  json.key("model_description");
  if (config.model_json.empty()) {
    json.null();
  } else {
    json.value(io::parse_json(config.model_json, "model description").value());
  }
  json.member("input", to_string(config.input));
  member_or_null(json, "captions_sha256", config.captions_sha256);
  member_or_null(json, "fit_sha256", config.fit_sha256);
  json.member("permutations", to_string(config.plan.permutations));
  json.key("limit");
  if (config.plan.limit) {
    json.value(*config.plan.limit);
  } else {
    json.null();
  }
  json.member("shard", to_string(config.plan.shard));
  json.member("seed", config.seed);
  json.key("settings").begin_object();
  for (const auto& [name, value] : config.settings) {
    json.key(name).value(io::parse_json(value, name).value());
  }
  json.end_object();
  json.member("scoring", scoring::to_string(config.scoring));
  json.end_object();
  return json.take() + "\n";
}

StoredConfig read_config(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  StoredConfig config;
  config.json = io::read_json_file(path);
  config.dataset = string_at(config.json.find_path("dataset", "name"));
  config.dataset_sha256 = string_at(config.json.find_path("dataset", "sha256"));
  config.model = string_at(config.json.find("model"));
  config.input = require(path, "input", parse_input_kind(string_at(config.json.find("input"))));
  config.plan.permutations = require(
      path, "permutations", parse_permutations(string_at(config.json.find("permutations"))));
  const auto shard = parse_shard(string_at(config.json.find("shard")));
  config.plan.shard = require(path, "shard", shard ? std::optional(*shard) : std::nullopt);
  if (const auto* limit = config.json.find("limit")) config.plan.limit = limit->find_integer();
  config.scoring =
      require(path, "scoring", scoring::parse_scoring_rule(string_at(config.json.find("scoring"))));
  return config;
}

std::vector<ConfigDifference> config_differences(const io::JsonValue& before,
                                                 const io::JsonValue& after) {
  const Members old_members = members_of(before);
  const Members new_members = members_of(after);
  const std::map<std::string, std::string> old_values(old_members.begin(), old_members.end());
  std::map<std::string, std::string> new_values(new_members.begin(), new_members.end());
  std::vector<ConfigDifference> differences;
  for (const auto& [name, value] : new_members) {
    const auto old = old_values.find(name);
    if (old != old_values.end() && old->second == value) continue;
    differences.push_back({name, old == old_values.end() ? std::string() : old->second, value,
                           is_decisive_name(name)});
  }
  for (const auto& [name, value] : old_members) {
    if (!new_values.contains(name))
      differences.push_back({name, value, {}, is_decisive_name(name)});
  }
  return differences;
}

std::filesystem::path default_run_folder(const RunConfig& config,
                                         const std::filesystem::path& parent) {
  std::string decisive;
  for (const auto& [name, value] :
       members_of(io::parse_json(to_json(config), "configuration").value())) {
    if (is_decisive_name(name)) decisive += fmt::format("{}\x1f{}\x1e", name, value);
  }
  return parent / fmt::format("{}-{}-{}", file_name_of(config.dataset), file_name_of(config.model),
                              sha256_hex(decisive).substr(0, 8));
}

RunFolder RunFolder::open(const std::filesystem::path& folder, const RunConfig& config,
                          bool overwrite) {
  RunFolder run(folder);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: cannot make this folder: {}", folder.string(),
                                error ? error.message() : "a file of that name is in the way"));
  }
  if (overwrite) remove_run(folder);
  const std::string text = to_json(config);
  if (std::filesystem::exists(run.config_path())) {
    std::string differences;
    const io::JsonValue stored = io::read_json_file(run.config_path());
    for (ConfigDifference& difference :
         config_differences(stored, io::parse_json(text, "configuration").value())) {
      if (difference.is_decisive) {
        differences += fmt::format("\n  {}: {} -> {}", difference.name,
                                   shortened(difference.before), shortened(difference.after));
      } else {
        run.changes_.push_back(std::move(difference));
      }
    }
    if (!differences.empty()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: holds a run with other settings:{}\n"
                                  "name another --output, or start anew with --overwrite",
                                  folder.string(), differences));
    }
    run.is_continued_ = true;
    if (run.changes_.empty()) return run;
  } else {
    for (const std::string_view name : kRunFiles) {
      if (!std::filesystem::exists(folder / name)) continue;
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: holds {} but no config.json, so nobody can tell what made it; "
                      "name another --output, or start anew with --overwrite",
                      folder.string(), name));
    }
  }
  io::write_file_atomically(run.config_path(), text);
  return run;
}

}  // namespace contra4::eval
