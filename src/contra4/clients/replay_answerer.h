// The family replay/FILE: answers from a file of predictions.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "contra4/inference/answerer.h"

namespace contra4::clients {

class ReplayAnswerer final : public Answerer {
 public:
  // .json (a list) or .jsonl, by content: rows with the item's id under "id", "question_id" or
  // "sample_id", the text under "pred_ans" or "answer", and optionally "choice" ("B" or null) and
  // "status". A row's "permutation" ("BA") is matched against nothing but the order asked; rows
  // without one serve the order of the file. Throws kNotFound, kDataLoss, and kInvalidArgument with
  // file, row and id, also for an item that has two rows of one order.
  explicit ReplayAnswerer(const std::filesystem::path& path);

  // An item that the file lacks fails.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kNothing; }
  std::string description_json() const override;

  std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::string text;
    std::optional<int> choice;
    bool is_blocked = false;
  };
  std::filesystem::path path_;
  std::string sha256_;
  std::unordered_map<std::string, Row> rows_;  // key: id, 0x1f, permutation
};

}  // namespace contra4::clients
