// Accuracy by what the items are, and which modality is taken for which.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/trial.h"

namespace contra4::scoring {

enum class Grouping {
  kModalitySet,      // "audio+image+pc": each modality once, sorted by name
  kCorrectModality,  // of the gold scene
  kCategory,         // "(none)" where the file has none
  kAnswerPosition,   // the place at which the gold scene was shown: "A"
};

// "modality_set", "correct_modality", "category", "answer_position".
std::string_view to_string(Grouping grouping);

std::string modality_set_name(const Item& item);

// Groups that occur, sorted by name. Items must be labelled.
std::vector<NamedAccuracy> breakdown(Grouping grouping, std::span<const Item> items,
                                     std::span<const Trial> trials, const SharedMedia& media);

// Rows: modality of the gold scene; columns: of the chosen one, then unanswered. Both in the order
// of kModalities.
struct Confusion {
  struct Row {
    std::array<std::int64_t, kModalities.size()> chosen{};
    std::int64_t unanswered = 0;
    std::int64_t total = 0;
    // Of `total`, how often the scenes shown include each modality: what could have been chosen.
    std::array<std::int64_t, kModalities.size()> offered{};
  };
  std::array<Row, kModalities.size()> rows{};
  // A wrong scene of the gold's own modality stands on the diagonal; how many those are.
  std::int64_t wrong_scene_of_right_modality = 0;
};

Confusion confusion(std::span<const Item> items, std::span<const Trial> trials);

}  // namespace contra4::scoring
