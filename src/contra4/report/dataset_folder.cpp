#include "contra4/report/dataset_folder.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/version.h"
#include "contra4/data/dataset_check.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/croissant.h"
#include "contra4/report/dataset_card.h"
#include "contra4/report/funnel.h"

namespace contra4::report {

namespace {

namespace fs = std::filesystem;

constexpr int kManifestFormat = 1;
constexpr const char* kCardName = "README.md";
constexpr const char* kPictureName = "funnel.svg";
constexpr const char* kCroissantName = "croissant.json";
constexpr const char* kManifestName = "manifest.json";
// What the files of a split end in, the one for loaders of tables first.
constexpr const char* kTableSuffix = ".parquet";
constexpr const char* kOtherSuffixes[] = {".jsonl", ".json"};

void check(const DatasetFolderOptions& options) {
  check_dataset_info(options.info);
  if (options.splits.empty()) {
    throw Exception(ErrorCode::kInvalidArgument, "[dataset] a folder needs at least one split");
  }
  for (std::size_t i = 0; i < options.splits.size(); ++i) {
    const std::string& name = options.splits[i].name;
    const bool is_word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    if (!is_word) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("[dataset] the split '{}' has to be named by letters, digits and '_'", name));
    }
    for (std::size_t other = 0; other < i; ++other) {
      if (options.splits[other].name == name) {
        throw Exception(ErrorCode::kInvalidArgument,
                        fmt::format("[dataset] the split '{}' is given twice", name));
      }
    }
  }
}

void require_running(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Exception(ErrorCode::kCancelled, "[dataset] interrupted before the folder was whole");
  }
}

// What rules that see nothing go by, and what tells media apart.
Item slim(const Item& item) {
  Item kept;
  kept.answer = item.answer;
  kept.selection_type = item.selection_type;
  kept.q_type = item.q_type;
  for (const Scene& scene : item.scenes) {
    Scene& view = kept.scenes.emplace_back();
    view.modality = scene.modality;
    view.source = scene.source;
    view.id = scene.id;
    if (!scene.captions.empty()) view.captions.push_back(scene.captions.front());
  }
  return kept;
}

std::string example_of(const Item& item) {
  Item bare = item;
  bare.extra.clear();
  for (Scene& scene : bare.scenes) scene.extra.clear();
  const auto tree = io::parse_json(data::item_to_json(bare, data::Schema::kReadme), "the example");
  io::JsonWriter json(2);
  json.value(tree.value());
  return json.take();
}

// Calls `visit(item)` for each row; throws for the first that cannot stand in a finished set.
template <class Visit>
void each_item(const fs::path& path, const std::stop_token& stop, Visit visit) {
  const auto items = data::open_items(path);
  std::unordered_set<std::string> ids;
  while (auto item = items->next()) {
    require_running(stop);
    if (!*item) throw Exception(item->error());
    const auto refuse = [&](const std::string& reason) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: row {} (id {}): {}", path.string(), items->row(),
                                  (*item)->id.text, reason));
    };
    for (const data::ItemProblem& problem : data::find_problems(**item, {.answer = true})) {
      if (!problem.is_warning) refuse(problem.reason);
    }
    if (!ids.insert((*item)->id.text).second) refuse("the id occurred before");
    visit(**item);
  }
}

struct WrittenSplit {
  SplitFacts facts;
  std::vector<Item> items;  // slim
  bool has_table = true;
};

WrittenSplit write_split(const fs::path& folder, const DatasetSplit& split,
                         const std::stop_token& stop) {
  WrittenSplit written;
  written.facts.name = split.name;
  std::vector<fs::path> paths;
  std::vector<std::unique_ptr<data::ItemWriter>> writers;
  const auto create = [&](const char* suffix) {
    const fs::path path = folder / (split.name + suffix);
    writers.push_back(data::create_items(path, data::Schema::kReadme));
    paths.push_back(path);
  };
  try {
    create(kTableSuffix);
  } catch (const Exception& exception) {
    if (exception.code() != ErrorCode::kUnimplemented) throw;
    written.has_table = false;
  }
  for (const char* const suffix : kOtherSuffixes) create(suffix);
  each_item(split.items, stop, [&](const Item& item) {
    if (written.items.empty()) written.facts.example = example_of(item);
    for (const auto& writer : writers) writer->write(item);
    written.items.push_back(slim(item));
  });
  for (const auto& writer : writers) writer->commit();
  for (const fs::path& path : paths) written.facts.files.push_back(describe_file(path));
  written.facts.summary = data::summarize_dataset(paths.back(), {}, {}, stop);
  require_running(stop);
  return written;
}

// Which set the priors of split `scored` are fitted on: another split, or itself.
std::size_t fitting_split(const std::vector<WrittenSplit>& splits, std::size_t scored) {
  for (const std::string_view beginning : {"val", "train", ""}) {
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const bool fits = i != scored && splits[i].facts.name.starts_with(beginning);
      if (fits && !splits[i].items.empty()) return i;
    }
  }
  return scored;
}

void add_blind_figures(std::vector<WrittenSplit>& splits, const std::optional<fs::path>& fit_path,
                       const std::stop_token& stop) {
  std::vector<Item> fit_items;
  if (fit_path) {
    each_item(*fit_path, stop, [&](const Item& item) { fit_items.push_back(slim(item)); });
  }
  for (std::size_t i = 0; i < splits.size(); ++i) {
    SplitFacts& facts = splits[i].facts;
    if (splits[i].items.empty()) continue;
    if (fit_path) {
      facts.fitted_on = fit_path->filename().string();
      facts.blind = blind_figures(splits[i].items, fit_items);
      continue;
    }
    const std::size_t fit = fitting_split(splits, i);
    facts.is_fitted_on_itself = fit == i;
    facts.fitted_on = splits[fit].facts.name;
    facts.blind = blind_figures(splits[i].items, splits[fit].items);
  }
}

// Those that the scenes name and nobody describes, behind the others.
void add_unknown_sources(std::vector<DatasetSource>& sources,
                         const std::vector<WrittenSplit>& splits) {
  std::map<std::string, std::string> unknown;  // source -> modality
  for (const WrittenSplit& split : splits) {
    for (const Item& item : split.items) {
      for (const Scene& scene : item.scenes) {
        unknown.emplace(scene.source, to_string(scene.modality));
      }
    }
  }
  for (const DatasetSource& source : sources) unknown.erase(source.name);
  for (const auto& [name, modality] : unknown) {
    sources.push_back({.name = name, .modality = modality});
  }
}

void write_sources(io::JsonWriter& json, const std::vector<DatasetSource>& sources) {
  json.key("sources").begin_array();
  for (const DatasetSource& source : sources) {
    json.begin_object();
    json.member("name", source.name);
    json.member("modality", source.modality);
    json.member("licence", source.licence);
    json.member("entries", source.entries);
    if (!source.media.empty()) json.member("media", source.media);
    json.key("files").begin_array();
    for (const std::string& file : source.files) json.value(file);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_steps(io::JsonWriter& json, const std::vector<StrategySteps>& strategies) {
  json.key("seeds").begin_array();
  for (const StrategySteps& steps : strategies) {
    const std::vector<std::string> labels = step_labels(steps);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const io::JsonValue* const seed = steps.manifests[i].settings.find("seed");
      if (seed == nullptr) continue;
      json.begin_object();
      json.member("strategy", steps.strategy).member("step", labels[i]).member("seed", *seed);
      json.end_object();
    }
  }
  json.end_array();
  json.key("strategies").begin_array();
  for (const StrategySteps& steps : strategies) {
    json.begin_object();
    json.member("strategy", steps.strategy);
    json.key("steps").begin_array();
    for (const pipeline::Manifest& manifest : steps.manifests) {
      json.begin_object();
      pipeline::write_manifest_members(json, manifest);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

std::string manifest_json(const DatasetFacts& facts, const std::vector<DatasetFile>& files,
                          const std::string& config_json) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("format", kManifestFormat);
  json.member("name", facts.info.name);
  json.member("title", facts.title());
  json.member("data_version", facts.info.data_version);
  json.member("contra4_version", version());
  json.key("licence").begin_object();
  json.member("id", facts.licence.id);
  if (!facts.licence.name.empty()) json.member("name", facts.licence.name);
  json.member("sentence", facts.licence.sentence).end_object();
  json.key("notes").begin_array();
  for (const std::string& note : facts.notes) json.value(note);
  json.end_array();
  json.key("splits").begin_object();
  for (const SplitFacts& split : facts.splits) {
    json.key(split.name).begin_object();
    json.member("questions", split.summary.items);
    json.member("scenes", split.summary.scenes);
    json.member("distinct_media", split.summary.distinct_media);
    json.member("distinct_questions", split.summary.distinct_questions);
    json.end_object();
  }
  json.end_object();
  json.key("files").begin_object();
  for (const DatasetFile& file : files) {
    json.key(file.name).begin_object();
    json.member("bytes", file.bytes).member("sha256", file.sha256).end_object();
  }
  json.end_object();
  write_sources(json, facts.sources);
  if (!config_json.empty()) {
    json.member("config", io::parse_json(config_json, "the configuration").value());
  }
  write_steps(json, facts.steps);
  json.end_object();
  return json.take() + "\n";
}

void remove_manifest(const fs::path& folder) {
  std::error_code error;
  fs::remove(folder / kManifestName, error);
  if (error) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: cannot be replaced: {}", (folder / kManifestName).string(),
                                error.message()));
  }
}

}  // namespace

DatasetFolderOutcome write_dataset_folder(const DatasetFolderOptions& options,
                                          const std::stop_token& stop) {
  check(options);
  require_running(stop);
  fs::create_directories(options.folder);
  remove_manifest(options.folder);

  std::vector<WrittenSplit> splits;
  for (const DatasetSplit& split : options.splits) {
    splits.push_back(write_split(options.folder, split, stop));
  }
  add_blind_figures(splits, options.fit, stop);

  DatasetFacts facts;
  facts.info = options.info;
  facts.steps = options.steps;
  facts.sources = options.sources.empty() ? sources_of(options.steps) : options.sources;
  add_unknown_sources(facts.sources, splits);
  facts.notes = notes_of(options.steps);
  for (const std::string& note : options.notes) {
    if (std::find(facts.notes.begin(), facts.notes.end(), note) == facts.notes.end()) {
      facts.notes.push_back(note);
    }
  }
  if (std::any_of(splits.begin(), splits.end(),
                  [](const WrittenSplit& split) { return !split.has_table; })) {
    facts.notes.emplace_back("this build of contra4 writes no Parquet: the .jsonl is the table");
  }
  DatasetFolderOutcome outcome;
  for (WrittenSplit& split : splits) {
    outcome.files.insert(outcome.files.end(), split.facts.files.begin(), split.facts.files.end());
    facts.splits.push_back(std::move(split.facts));
  }

  // Captions of a source that no scene is from are not in the files.
  std::vector<DatasetSource> used;
  for (const DatasetSource& source : facts.sources) {
    if (facts.scenes_of(source.name) > 0) used.push_back(source);
  }
  facts.licence = licence_of(facts.info, used);

  std::vector<Funnel> funnels;
  for (const StrategySteps& steps : facts.steps) funnels.push_back(funnel_of(steps));
  const auto write = [&](const char* name, const std::string& text) {
    require_running(stop);
    io::write_file_atomically(options.folder / name, text);
    outcome.files.push_back(describe_file(options.folder / name));
  };
  if (!funnels.empty()) write(kPictureName, funnel_svg(facts.title(), funnels));
  write(kCroissantName, croissant_json(facts));
  write(kCardName, dataset_card(facts));
  write(kManifestName, manifest_json(facts, outcome.files, options.config_json));
  outcome.num_items = facts.num_items();
  outcome.notes = facts.notes;
  return outcome;
}

}  // namespace contra4::report
