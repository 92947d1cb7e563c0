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
  // A list of rows in JSON, or a row a line. A row holds the item's id under "id", "question_id" or
  // "sample_id", its text under "pred_ans" or "answer", and optionally "choice" ("B", "Scene B" or
  // null: as shown, and decided), "permutation" (the order it was asked in, "BA"; without it the
  // order of the file) and "status" ("blocked"). Throws kNotFound, kDataLoss, and kInvalidArgument
  // with file, row and id, also for two rows of one item and order.
  explicit ReplayAnswerer(const std::filesystem::path& path);

  // An item, or an order of one, that the file lacks fails.
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
