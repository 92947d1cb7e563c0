// Which files a verification reads, and which may be written.
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/verify.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStage = "verify";
constexpr std::string_view kJournalEnding = ".journal.jsonl";
constexpr std::string_view kManifestEnding = ".manifest.json";
constexpr std::size_t kMaxModels = 32;

void check_names(std::span<const VerifyModel> models) {
  if (models.empty()) throw Exception(ErrorCode::kInvalidArgument, "--model: no model given");
  if (models.size() > kMaxModels) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("--model: {} models, at most {}", models.size(), kMaxModels));
  }
  std::set<std::string> seen;
  for (const VerifyModel& model : models) {
    const auto is_plain = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    };
    if (model.name.empty() || model.name[0] == '.' ||
        !std::all_of(model.name.begin(), model.name.end(), is_plain)) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("--model: '{}' is to name a model in names of files: letters, digits, '-', "
                      "'_' and '.'; give another as NAME=SPEC",
                      model.name));
    }
    if (!seen.insert(model.name).second) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("--model: two models are called '{}'; tell them apart by "
                                  "NAME=SPEC",
                                  model.name));
    }
  }
}

std::string settings_json(const VerifyOptions& options, std::span<const VerifyModel> models) {
  io::JsonWriter json;
  json.begin_object();
  json.member("until", to_string(options.until));
  json.member("reading", to_string(options.reading));
  json.member("seed", options.seed);
  json.key("models").begin_object();
  for (const VerifyModel& model : models) {
    json.key(model.name);
    if (model.answerer == nullptr) {
      json.value("replayed");
    } else {
      json.raw(model.answerer->description_json());
    }
  }
  json.end_object();
  // Turns go by the order of the models, which an object's members do not have for a reader.
  json.key("turns").begin_array();
  for (const VerifyModel& model : models) json.value(model.name);
  json.end_array().end_object();
  return json.take();
}

// Files of models verified together belong together: one of them made anew alone would leave the
// others' manifest wrong.
void check_claims(const std::vector<fs::path>& outputs, WhenChanged when_changed) {
  const fs::path folder = outputs.front().parent_path();
  std::error_code absent;
  if (!fs::is_directory(folder, absent)) return;
  const fs::path own = manifest_path(outputs.front());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    const std::string name = path.filename().string();
    if (path == own || !name.ends_with(kManifestEnding)) continue;
    const std::string stem = name.substr(0, name.size() - kManifestEnding.size());
    const auto manifest = find_manifest(folder / (stem + ".json"));
    if (!manifest) continue;
    for (const auto& [written, unused] : manifest->outputs) {
      const auto is_ours = [&](const fs::path& output) { return output.filename() == written; };
      if (std::none_of(outputs.begin(), outputs.end(), is_ours)) continue;
      if (when_changed != WhenChanged::kRefuse) {
        fs::remove(path);
        break;
      }
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("{} belongs to another run of verify, {}; name the same models in "
                      "the same order, or --overwrite, or another --output-dir",
                      (folder / written).string(), path.string()));
    }
  }
}

}  // namespace

void find_questions(VerifyOptions& options, const fs::path& folder) {
  StepFiles files = options.files;
  files.folder = folder;
  const Shard shard = files.shard;
  files.shard = {};
  options.rows = shard;
  try {
    options.questions = find_step_file(files.answered(), "contra4 generate");
  } catch (const Exception& whole) {
    if (whole.code() != ErrorCode::kNotFound || shard.is_whole()) throw;
    files.shard = shard;
    options.questions = find_step_file(files.answered(), "contra4 generate");
    options.rows = {};
  }
}

std::vector<fs::path> find_replies(const fs::path& where, const StepFiles& files,
                                   std::string_view model) {
  std::error_code absent;
  if (fs::is_regular_file(where, absent)) return {where};
  const fs::path folder = fs::is_directory(where / "step4", absent) ? where / "step4" : where;
  // STEM.KEY.MODEL.journal.jsonl, where STEM names a model, strategy and split, perhaps a shard.
  const std::string ending = fmt::format(".{}{}", model, kJournalEnding);
  const std::string middle = fmt::format("_{}_{}", files.strategy, files.split);
  std::map<std::string, std::map<std::string, fs::path>> found;  // stem, key
  if (fs::is_directory(folder, absent)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      std::string name = entry.path().filename().string();
      if (!name.ends_with(ending)) continue;
      name.resize(name.size() - ending.size());
      const std::size_t dot = name.rfind('.');
      if (dot == std::string::npos) continue;
      const std::string stem = name.substr(0, dot);
      const bool is_wanted =
          stem.ends_with(middle) || stem.find(middle + ".shard-") != std::string::npos;
      if (is_wanted) found[stem][name.substr(dot + 1)] = entry.path();
    }
  }
  std::vector<fs::path> journals;
  for (const auto& [stem, by_key] : found) {
    const auto manifest = find_manifest(folder / (stem + ".json"));
    const auto current = std::find_if(by_key.begin(), by_key.end(), [&](const auto& key_and_path) {
      return manifest && manifest->key.starts_with(key_and_path.first);
    });
    if (current == by_key.end() && by_key.size() > 1) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("several runs left replies of '{}' in {}; --replay the one meant: {}", model,
                      folder.string(), by_key.begin()->second.string()));
    }
    journals.push_back(current == by_key.end() ? by_key.begin()->second : current->second);
  }
  if (journals.empty()) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("--replay {}: no replies of '{}' (files *{}{})", where.string(),
                                model, middle, ending));
  }
  return journals;
}

Stage open_verify(const VerifyOptions& options, std::span<const VerifyModel> models,
                  WhenChanged when_changed) {
  check_names(models);
  StageConfig config;
  config.stage = kStage;
  config.settings_json = settings_json(options, models);
  config.inputs.push_back({"questions", options.questions});
  config.shard = options.files.shard;
  std::vector<fs::path> outputs;
  for (const VerifyModel& model : models) {
    outputs.push_back(options.files.answers_of(model.name));
    for (std::size_t i = 0; i < model.replayed.size(); ++i) {
      config.inputs.push_back(
          {fmt::format("replies of {}, {}", model.name, i + 1), model.replayed[i]});
    }
  }
  check_claims(outputs, when_changed);
  return Stage::open(std::move(outputs), config, when_changed);
}

}  // namespace contra4::pipeline
