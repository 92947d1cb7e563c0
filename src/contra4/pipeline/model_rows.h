// The rows of one model's step 4 file, read ahead of who joins them with other models' rows: what
// each reply says, and the pieces of text that the filtered rows are put together from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/pipeline/word_list.h"
#include "contra4/scoring/scene_orders.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::pipeline {

enum class ReplyRule {
  kChoice,     // scoring/choice_rule.h, with captions and modalities as last resort
  kPublished,  // LetterRule::kFilter
};

// Instead of one of the item's scenes.
inline constexpr std::int8_t kNoScene = -1;   // words that name none, several, or one not shown
inline constexpr std::int8_t kNotAsked = -2;  // null in the file: the order was not asked
inline constexpr std::size_t kMaxOrders = 24;

struct TextSlice {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};

// Slices are of the batch's text.
struct ModelRow {
  TextSlice id;
  std::uint8_t num_scenes = 0;
  std::uint8_t num_orders = 0;  // num_scenes!; 0 when a modality repeats: nothing else is read
  std::array<std::int8_t, kMaxOrders> scenes{};  // per order the item's own scene, or a constant
  TextSlice replies;                             // JSON lists
  TextSlice formatted;
  TextSlice first_formatted;  // JSON

  // Of the first model's file alone.
  TextSlice open_row;             // the row without its closing bracket and without what is added
  TextSlice answers_formatted;    // a JSON list
  TextSlice first_answer;         // JSON
  std::int8_t answer = kNoScene;  // the right scene
  bool repeats_modality = false;
  bool has_word = false;  // of the word list
  TextSlice question;
};

struct ModelRows {
  std::uint64_t first_row = 1;
  std::string text;
  std::vector<ModelRow> rows;

  std::string_view at(TextSlice slice) const {
    return std::string_view(text).substr(slice.begin, slice.size);
  }
};

struct ModelRowOptions {
  std::string model;
  ReplyRule rule = ReplyRule::kChoice;
  // Set for the first model's file. Both outlive the reader.
  const WordList* words = nullptr;
  std::span<const std::string> added_members;  // that the filter writes anew
};

class ModelRowReader {
 public:
  // Throws as io::open_bytes.
  ModelRowReader(std::filesystem::path path, ModelRowOptions options);
  ~ModelRowReader();
  ModelRowReader(const ModelRowReader&) = delete;
  ModelRowReader& operator=(const ModelRowReader&) = delete;

  // The next rows, always the same number of them until the last ones; none at the end. Throws
  // kInvalidArgument or kDataLoss with file, row and id for a row that cannot be used.
  ModelRows next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a reply says, as a place shown; empty for no scene.
std::optional<int> read_reply(std::string_view reply, ReplyRule rule,
                              std::span<const scoring::SceneView> shown);
// The right scene of an item as its own words say it, by the same rule.
std::optional<int> read_answer(std::string_view answer, ReplyRule rule,
                               std::span<const scoring::SceneView> scenes);
// What stands for the reply in `answer_{model}_formatted`, as JSON: "Scene B"; for words that name
// no scene null, or with kPublished the words.
std::string formatted_json(std::string_view reply, std::optional<int> place, ReplyRule rule);

}  // namespace contra4::pipeline
