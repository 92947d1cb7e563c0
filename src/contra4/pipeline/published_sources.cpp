// The five corpora of the published sampler: a row of kCorpora each.
#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/pipeline/sources.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrainingObjects =
    "3d/pointllm/PointLLM_brief_description_660K_filtered.json";
constexpr std::int64_t kTrainingObjectsDrawn = 60'000;

// Files are below --raw-data. Where a name holds a *, all that match are read, in the order of
// their names; of several patterns with | between them, the first that matches anything.
struct PublishedCorpus {
  Modality modality;
  std::string_view train_name;
  std::string_view test_name;
  std::vector<std::string_view> train_files;
  std::vector<std::string_view> test_files;
  SourceShape shape;
  SourceColumns columns;
  std::string_view licence;
  std::int64_t train_limit = 0;
  std::string_view url_file = {};
  std::string_view url_member = {};
};

constexpr std::string_view kSeeSource = "see the source";

// In the order in which the published sampler reads them.
std::vector<PublishedCorpus> published_corpora() {
  return {
      {.modality = Modality::kAudio,
       .train_name = "audiocaps",
       .test_name = "audiocaps",
       .train_files = {"audio/audiocaps/train.csv"},
       .test_files = {"audio/audiocaps/test.csv"},
       .shape = SourceShape::kTable,
       .columns = {.id = "audiocap_id",
                   .captions = {"caption"},
                   .url = "https://www.youtube.com/watch?v={youtube_id}",
                   .media = {},
                   .licence = {},
                   .meta = {{"start_time", "start_time"}, {"end_time", "start_time+10"}}},
       .licence = kSeeSource},
      {.modality = Modality::kAudio,
       .train_name = "clotho",
       .test_name = "clotho",
       .train_files = {"audio/clotho/clotho_captions_development.csv"},
       .test_files = {"audio/clotho/clotho_captions_validation.csv",
                      "audio/clotho/clotho_captions_evaluation.csv"},
       .shape = SourceShape::kTable,
       .columns = {.id = "file_name",
                   .captions = {"caption_1", "caption_2", "caption_3", "caption_4", "caption_5"},
                   .url = {},
                   .media = {},
                   .licence = {},
                   .meta = {}},
       .licence = "captions: Tampere University licence, attribution and no commercial use; "
                  "sounds: the Creative Commons licence of each on Freesound"},
      {.modality = Modality::kPointCloud,
       .train_name = "pointllm",
       .test_name = "pointllm",
       .train_files = {kTrainingObjects},
       .test_files = {"3d/pointllm/PointLLM_brief_description_val_200_GT.json",
                      "3d/pointllm/PointLLM_brief_description_val_3000_GT.json"},
       .shape = SourceShape::kTable,
       .columns = {.id = "object_id",
                   .captions = {"conversations.-1.value"},
                   .url = {},
                   .media = {},
                   .licence = {},
                   .meta = {}},
       .licence = kSeeSource,
       .train_limit = kTrainingObjectsDrawn,
       .url_file = "3d/objaverse/annotations.json",
       .url_member = "embedUrl"},
      {.modality = Modality::kImage,
       .train_name = "coco_train",
       .test_name = "coco_val",
       .train_files = {"image/mscoco/captions_train2017.json"},
       .test_files = {"image/mscoco/captions_val2017.json"},
       .shape = SourceShape::kCoco,
       .columns = {.id = "image_id",
                   .captions = {"caption"},
                   .url = "coco_url",
                   .media = {},
                   .licence = {},
                   .meta = {}},
       .licence = "captions: CC BY 4.0; pictures: Flickr's terms of use"},
      {.modality = Modality::kVideo,
       .train_name = "msrvtt_train",
       .test_name = "msrvtt_test",
       .train_files = {"video/msrvtt/train*.parquet|video/msrvtt/train*.csv"},
       .test_files = {"video/msrvtt/val*.parquet|video/msrvtt/val*.csv"},
       .shape = SourceShape::kTable,
       .columns = {.id = "video_id",
                   .captions = {"caption"},
                   .url = "url",
                   .media = {},
                   .licence = {},
                   .meta = {{"start_time", "start time"}, {"end_time", "end time"}}},
       .licence = kSeeSource},
  };
}

// Relative paths that match one pattern, which may have a * in its file name.
std::vector<std::string> matches_of(const fs::path& raw_data, std::string_view pattern) {
  const auto star = pattern.find('*');
  std::error_code error;
  if (star == std::string_view::npos) {
    for (const std::string& name : {std::string(pattern), std::string(pattern) + ".gz"}) {
      if (fs::exists(raw_data / name, error)) return {name};
    }
    return {};
  }
  const auto slash = pattern.rfind('/') + 1;
  const std::string_view before = pattern.substr(slash, star - slash);
  const std::string_view behind = pattern.substr(star + 1);
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(raw_data / pattern.substr(0, slash), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() >= before.size() + behind.size() && name.starts_with(before) &&
        name.ends_with(behind)) {
      found.push_back(std::string(pattern.substr(0, slash)) + name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> files_of(const fs::path& raw_data, std::string_view patterns) {
  while (true) {
    const auto bar = patterns.find('|');
    std::vector<std::string> found = matches_of(raw_data, patterns.substr(0, bar));
    if (!found.empty() || bar == std::string_view::npos) return found;
    patterns.remove_prefix(bar + 1);
  }
}

}  // namespace

std::filesystem::path published_training_objects(const fs::path& raw_data) {
  const auto found = matches_of(raw_data, kTrainingObjects);
  return raw_data / (found.empty() ? std::string(kTrainingObjects) : found.front());
}

FoundSources find_published_sources(const fs::path& raw_data, std::string_view split) {
  if (std::find(std::begin(kPublishedSplits), std::end(kPublishedSplits), split) ==
      std::end(kPublishedSplits)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("the published corpora have the splits train and test (val is the "
                                "same as test), not '{}'; --sources describes others",
                                split));
  }
  const bool is_train = split == "train";
  FoundSources sources;
  for (const PublishedCorpus& corpus : published_corpora()) {
    for (const std::string_view pattern : is_train ? corpus.train_files : corpus.test_files) {
      const auto files = files_of(raw_data, pattern);
      if (files.empty()) {
        std::string shown(pattern);
        for (auto bar = shown.find('|'); bar != std::string::npos; bar = shown.find('|')) {
          shown.replace(bar, 1, " or ");
        }
        sources.missing.push_back(std::move(shown));
      }
      for (const std::string& file : files) {
        SourceSpec spec;
        spec.modality = corpus.modality;
        spec.name = is_train ? corpus.train_name : corpus.test_name;
        spec.file = raw_data / file;
        spec.shown_file = file;
        spec.shape = corpus.shape;
        spec.columns = corpus.columns;
        spec.licence = corpus.licence;
        spec.limit = is_train ? corpus.train_limit : 0;
        if (!corpus.url_file.empty()) {
          const auto url_file = matches_of(raw_data, corpus.url_file);
          if (url_file.empty()) {
            const std::string name(corpus.url_file);
            if (sources.missing.empty() || sources.missing.back() != name) {
              sources.missing.push_back(name);
            }
          } else {
            spec.url_file = raw_data / url_file.front();
            spec.url_member = corpus.url_member;
          }
        }
        sources.specs.push_back(std::move(spec));
      }
    }
  }
  return sources;
}

}  // namespace contra4::pipeline
