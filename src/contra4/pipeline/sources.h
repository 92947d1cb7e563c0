// Corpora of captioned media as they lie on disk: the five published ones, and any table that a
// YAML file describes. docs/adding-a-source.md is the page for both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/data/modality.h"
#include "contra4/pipeline/corpus.h"
#include "contra4/pipeline/stage.h"

namespace contra4::pipeline {

enum class SourceShape {
  kTable,  // .csv, .json (a list), .jsonl, .parquet
  kCoco,   // one object with `images` and `annotations`; a row is an annotation with its image's
           // members added
};

// Where each part of an entry stands. A column is a name; a dotted path reaches into nested JSON
// ("conversations.-1.value", negative from the end); "start_time+10" adds a number. Text with
// {column} in it is filled in: "https://example.org/{id}".
struct SourceColumns {
  std::string id = "id";
  std::vector<std::string> captions = {"caption"};        // one may hold a list
  std::string url;                                        // empty: null
  std::string media;                                      // the file of a medium; empty: not said
  std::string licence;                                    // of a medium; empty: that of the source
  std::vector<std::pair<std::string, std::string>> meta;  // member, column
};

struct SourceSpec {
  Modality modality = Modality::kImage;
  std::string name = {};  // `source` of the scenes
  std::filesystem::path file = {};
  std::string shown_file = {};  // in manifests: without the folders of this machine
  SourceShape shape = SourceShape::kTable;
  SourceColumns columns = {};
  std::filesystem::path media_folder = {};  // as stated
  std::string licence = {};                 // as stated
  std::int64_t limit = 0;                   // entries to draw from the file; 0: all
  // An object id -> entry: the URL of a medium is that member of its entry, null without.
  std::filesystem::path url_file = {};
  std::string url_member = {};
};

// In the order in which they are read. What is not there is named in `missing` and left out.
struct FoundSources {
  std::vector<SourceSpec> specs;
  std::vector<std::string> missing;
};

// The published corpora below `raw_data`.
inline constexpr std::string_view kPublishedSplits[] = {"train", "val", "test"};
// Throws kInvalidArgument for a split other than train, val (the same as test) and test.
FoundSources find_published_sources(const std::filesystem::path& raw_data, std::string_view split);
// The 660K file from which the published sampler draws its training objects, whatever the split.
std::filesystem::path published_training_objects(const std::filesystem::path& raw_data);

// Throws kInvalidArgument, with the entry and the nearest name, for what is wrong with a file, and
// kNotFound for a table that is not there. A source without a file for the split is left out and
// named in `missing`.
FoundSources read_sources_file(const std::filesystem::path& path, std::string_view split);

struct LoadOptions {
  // Which entries of so many are kept, and in which order, for a source with a limit.
  std::function<std::vector<std::uint64_t>(const SourceSpec&, std::uint64_t count,
                                           std::uint64_t limit)>
      choose = {};
  const ExcludedMedia* excluded = nullptr;
  bool keep_without_caption = false;  // published
  bool skip_bad_rows = false;         // leave them out instead of giving up
  StepProgressCallback progress = {};
  std::stop_token stop = {};
};

struct LoadedSource {
  SourceSpec spec;
  std::int64_t rows = 0;  // read
  std::int64_t entries = 0;
  std::int64_t bad_rows = 0;
  std::int64_t without_caption = 0;
  std::int64_t excluded = 0;
  std::int64_t not_drawn = 0;  // because of the limit
};

// Adds the entries of one source. Throws kInvalidArgument naming the columns of a table that lacks
// one, or the first ten bad rows; kNotFound; kDataLoss.
LoadedSource load_source(const SourceSpec& spec, const LoadOptions& options, Corpus& corpus);

// How many records a .json list, .jsonl or .csv has.
std::uint64_t count_records(const std::filesystem::path& path, std::stop_token stop = {});

// [{"name", "modality", "licence", "file", "entries", "media_folder"}]: for manifests.
std::string sources_json(std::span<const LoadedSource> sources);

}  // namespace contra4::pipeline
