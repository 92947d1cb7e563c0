// What the filters make of one item once its replies are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contra4/pipeline/model_rows.h"

namespace contra4::pipeline {

// One model's replies about the item.
struct ModelVerdict {
  bool agrees_first = false;   // in the file's order
  bool agrees_always = false;  // in every order
  // The first order with a scene that is not the answer, and the first that was not asked.
  std::optional<std::size_t> disagrees_in;
  std::optional<std::size_t> not_asked_in;
};

// `first_answer` and the row's first_formatted as text: published filters compare those.
ModelVerdict judge(const ModelRow& row, std::int8_t answer, bool same_first_text);

struct DropReason {
  std::string reason;  // "word list", "order 0", "orders", "not asked", ...
  std::string detail;
};

// Why an item that passed the word list is not unanimous in every order: the first disagreement in
// the file's order, else the first in another order, else the first order that was not asked.
// Empty when it is unanimous.
std::optional<DropReason> reason_of(std::span<const ModelVerdict> verdicts,
                                    std::span<const ModelRow* const> rows,
                                    std::span<const std::string> models, std::int8_t answer);

}  // namespace contra4::pipeline
