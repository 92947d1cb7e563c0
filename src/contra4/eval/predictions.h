// predictions.json: written from a journal, read from a run's folder or from a file of others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/eval/input.h"
#include "contra4/eval/orders.h"
#include "contra4/eval/request_plan.h"

namespace contra4::eval {

// Writes the final answers of the journal in the order of the plan, whatever their order of
// arrival:
//   {"id", "gt_answer": "Scene B" as shown or null, "pred_ans": raw text, "choice": "B" or null,
//    "permutation": "BA"}, with "status": "blocked" where the content was refused.
// Requests without a final answer have no row. The choice is the answerer's own, else read from the
// text with the scenes as `scenes` shows them. Returns the number of rows.
std::int64_t write_predictions(const RequestPlan& plan, const SceneSource& scenes,
                               const std::filesystem::path& journal_path,
                               const std::filesystem::path& output);

struct Prediction {
  std::size_t item = 0;  // index into the items of the set
  SceneOrder order;
  std::string text;
  std::optional<int> choice;  // by place shown; empty: no single scene was named
  bool is_blocked = false;
};

// What a file says of a set. Rows that cannot be used are told, never dropped silently.
struct PredictionSet {
  std::vector<Prediction> rows;       // by item, then by order; one per item and order
  std::int64_t unknown_ids = 0;       // rows of items that the set does not have
  std::int64_t duplicates = 0;        // rows of a request that had one already: the first counts
  std::int64_t wrong_rows = 0;        // no id, no answer, a permutation that fits no item
  std::vector<std::string> warnings;  // a line for each kind of trouble, with the first cases
};

// .json (a list) or .jsonl with id | question_id | sample_id, pred_ans | answer | pred_answer,
// optionally choice and permutation; gt_answer is not believed. Throws kNotFound, kDataLoss with
// file and line, kInvalidArgument when not one row is of this set.
PredictionSet read_predictions(const std::filesystem::path& path, std::span<const Item> items);

}  // namespace contra4::eval
