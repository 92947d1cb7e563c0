// The family replay/FILE: answers from a file of predictions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "contra4/inference/answerer.h"
#include "contra4/io/json.h"

namespace contra4::clients {

class ReplayAnswerer final : public Answerer {
 public:
  // The rows of a file as data/prediction_rows.h reads it. A row holds the item's id and its text,
  // and optionally "choice" ("B" or "Scene B": as shown, and decided; null leaves it to the text),
  // "permutation" (the order it was asked in, "BA"; without it the order of the file) and "status"
  // ("blocked"). Throws kNotFound, kDataLoss, and kInvalidArgument
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
  void add(const io::JsonValue& value, std::uint64_t number);

  std::filesystem::path path_;
  std::string sha256_;
  std::unordered_map<std::string, Row> rows_;  // key: id, 0x1f, permutation
};

}  // namespace contra4::clients
