// What is in a data set, in numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

using Counts = std::map<std::string, std::uint64_t>;

// What a set shares with another one. Media are the same when source and id text are; questions
// when their text is equal to the byte (letter case counts: of the published validation and test
// set 102 questions are equal, 104 without regard to case).
struct Overlap {
  std::string name;                    // of the other set
  std::uint64_t media = 0;             // distinct ones in both
  std::uint64_t other_media = 0;       // distinct ones in the other set
  std::uint64_t questions = 0;         // distinct texts in both
  std::uint64_t items_with_media = 0;  // items of this set with at least one of those media
  std::uint64_t items_with_question = 0;
};

struct DatasetSummary {
  std::string name;
  std::uint64_t items = 0;
  std::uint64_t wrong_rows = 0;  // malformed, in no other count; dataset_check.h names them
  Counts cells;                  // "mc_2/random"; without q_type by the number of scenes
  Counts scenes_by_modality;     // "audio"
  Counts combinations;           // "audio+image", each modality once, in the order of kModalities
  Counts answer_positions;       // "A"
  Counts correct_modalities;     // of the scene that is the answer
  Counts scenes_by_source;       // "coco_val"
  Counts categories;             // only items that have one
  Counts schemas;                // "released-test"
  std::uint64_t scenes = 0;
  std::uint64_t distinct_media = 0;      // (source, id)
  std::uint64_t distinct_questions = 0;  // exact text
  std::uint64_t repeated_modality = 0;   // items in which a modality occurs twice
  std::uint64_t without_answer = 0;      // items
  std::uint64_t without_caption = 0;     // scenes
  bool was_interrupted = false;
  std::optional<Overlap> overlap;
};

// Reads both files row by row; memory holds each distinct medium and question once. Malformed
// rows are counted and left out. Throws kNotFound, kInvalidArgument as open_items.
DatasetSummary summarize_dataset(const std::filesystem::path& path,
                                 const std::optional<std::filesystem::path>& against = {},
                                 const ReadLimits& limits = {}, const std::stop_token& stop = {});

// One JSON object, members named as the fields above, indented by two.
std::string summary_to_json(const DatasetSummary& summary);

}  // namespace contra4::data
