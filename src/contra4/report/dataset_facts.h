// What is known of a finished data set: what its card, its picture, its Croissant file and its
// manifest are written from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/dataset_summary.h"
#include "contra4/data/item.h"
#include "contra4/io/json.h"
#include "contra4/pipeline/stage.h"
#include "contra4/scoring/accuracy.h"

namespace contra4::report {

// What only its maker can say: the section `dataset` of a pipeline's configuration.
struct DatasetInfo {
  std::string name = "contra4-set";  // letters, digits, '.', '-' and '_', as a hub wants it
  std::string title;                 // empty: the name
  std::string description;           // Markdown; empty: a sentence on what such a set is
  std::vector<std::string> languages = {"en"};  // ISO 639
  std::string licence;                // of the questions; empty: that of the sources if they agree
  std::string licence_url;            // of the text of the licence; empty: none
  std::string citation;               // BibTeX, or a sentence; empty: the paper of the method alone
  std::string homepage;               // empty: none
  std::vector<std::string> creators;  // names
  std::string data_version = "1.0.0";  // of the data: MAJOR.MINOR.PATCH
  std::string date_published;          // "2025-06-01"; empty: not said, as no output has a time
};

// The members are named as the fields; `license`, `license_url` and `version` are understood too.
// Throws kInvalidArgument, with the nearest name, for a member that is none, for one of another
// type, and as check_dataset_info does. `what` names the configuration in messages.
DatasetInfo parse_dataset_info(const io::JsonValue& section, std::string_view what);
// Throws kInvalidArgument for a name that no folder of a hub may have and for a version that is no
// MAJOR.MINOR.PATCH.
void check_dataset_info(const DatasetInfo& info);

// A corpus that scenes come from.
struct DatasetSource {
  std::string name;           // as in the items' examples
  std::string modality = {};  // "audio"; empty: not said
  std::string licence = {};   // as stated; empty: not stated
  std::int64_t entries = 0;   // captioned media that could be drawn
  std::vector<std::string> files = {};
  std::string media = {};  // where the media lie; empty: not said
  bool operator==(const DatasetSource&) const = default;
};

// The steps that one strategy's items went through, in their order.
struct StrategySteps {
  std::string strategy;
  std::vector<pipeline::Manifest> manifests;
};

// A name for each manifest: its stage, and where several share one, what their settings call the
// model, or what came out ("generate: answered"), or a number.
std::vector<std::string> step_labels(const StrategySteps& steps);

// The sources that the manifests name in their settings (`sources`), each once: the files of one
// are put together.
std::vector<DatasetSource> sources_of(std::span<const StrategySteps> steps);
// What the manifests want a reader of the data to know, each sentence once, in their order.
std::vector<std::string> notes_of(std::span<const StrategySteps> steps);

// The licence in the words of the Hugging Face hub.
struct DatasetLicence {
  std::string id;        // "cc-by-4.0"; "other": several, or none that the hub knows; "unknown"
  std::string name;      // of an "other", in small letters and hyphens
  std::string sentence;  // for people: why it is this one
};
// The questions' licence, or that of the sources when all agree, holds for the set if each source
// has the same or is in the public domain: the captions are part of the files.
DatasetLicence licence_of(const DatasetInfo& info, std::span<const DatasetSource> sources);

struct DatasetFile {
  std::string name;  // in the folder
  std::uint64_t bytes = 0;
  std::string sha256;
};
// Of a file that is there.
DatasetFile describe_file(const std::filesystem::path& path);

// What a rule that sees no medium gets.
struct BlindFigure {
  std::string rule;
  std::string note;                           // what was fitted
  std::vector<scoring::NamedAccuracy> cells;  // of scoring::kCells; empty: not available
};

struct SplitFacts {
  std::string name;  // "test"
  data::DatasetSummary summary;
  std::vector<BlindFigure> blind;  // of the labelled items; empty when there are none
  std::string fitted_on;           // the set that the priors are of: "val", "these questions"
  bool is_fitted_on_itself = false;
  std::string example;             // the first question, as JSON; empty when there is none
  std::vector<DatasetFile> files;  // .parquet (where it can be written), .jsonl, .json
  // The one that loaders of tables should take.
  const DatasetFile& table() const { return files.front(); }
};

// `fit_items` may be the same as `items`: then the priors are fitted on what they are scored on.
std::vector<BlindFigure> blind_figures(std::span<const Item> items,
                                       std::span<const Item> fit_items);

struct DatasetFacts {
  DatasetInfo info;
  DatasetLicence licence;
  std::vector<SplitFacts> splits;
  std::vector<StrategySteps> steps;
  std::vector<DatasetSource> sources;  // all that occur in the scenes, and perhaps more
  std::vector<std::string> notes;      // of the manifests, and of this writing
  std::string title() const { return info.title.empty() ? info.name : info.title; }
  std::uint64_t num_items() const;                           // of all splits
  std::uint64_t scenes_of(const std::string& source) const;  // of all splits
};

// The maker's words, or a sentence on what the set is.
std::string plain_description(const DatasetFacts& facts);
// BibTeX of the paper that describes how such sets are made.
std::string_view method_citation();
// Words that people search for: the modalities that occur, and what the questions are.
std::vector<std::string> tags_of(const DatasetFacts& facts);

}  // namespace contra4::report
