#include "contra4/data/prediction_rows.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Pair;

// Number and id of each row.
std::vector<std::pair<std::uint64_t, std::string>> ids(std::string_view text,
                                                       const std::string& name = "p.json") {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  read_prediction_rows(text, name, [&](const io::JsonValue& row, std::uint64_t number) {
    found.emplace_back(number, find_text_or_integer(find_prediction_id(row)).value_or("?"));
  });
  return found;
}

io::JsonValue json(std::string_view text) {
  return io::parse_json(text, "row").value();
}

TEST(PredictionRows, AreAListOrLinesWhateverTheName) {
  EXPECT_THAT(ids(" [{\"id\": \"a\"},\n {\"id\": 7}, 3]"),
              ElementsAre(Pair(1, "a"), Pair(2, "7"), Pair(3, "?")));
  const std::string lines = "{\"id\": \"a\"}\r\n\n{\"id\": \"b\"}";
  EXPECT_THAT(ids(lines), ElementsAre(Pair(1, "a"), Pair(3, "b")));
  EXPECT_THAT(ids(lines, "p.jsonl"), ElementsAre(Pair(1, "a"), Pair(3, "b")));
  EXPECT_THAT(ids("{\"id\": \"a\"}\n", "p.jsonl"), ElementsAre(Pair(1, "a")));
  EXPECT_THAT(ids("[]"), ElementsAre());
}

TEST(PredictionRows, AFileThatIsNeitherSaysWhy) {
  EXPECT_THAT(error_of([] { ids("{\"accuracy\": 1}", "results.json"); }).message,
              HasSubstr("results.json: wanted a list of predictions"));
  const Error cut = error_of([] { ids("{\"id\": 1}\n{\"id\"", "p.jsonl"); });
  EXPECT_EQ(cut.code, ErrorCode::kDataLoss);
  EXPECT_THAT(cut.message, HasSubstr("p.jsonl, line 2"));
  EXPECT_EQ(error_of([] { ids("[{\"id\": 1"); }).code, ErrorCode::kDataLoss);
}

TEST(PredictionRows, KnowsTheNamesOfOthers) {
  EXPECT_EQ(find_prediction_id(json(R"({"x": 1})")), nullptr);
  const auto row = json(R"({"question_id": null, "id": 12, "answer": "A"})");
  EXPECT_EQ(find_text_or_integer(find_prediction_id(row)), "12");
  EXPECT_EQ(*find_prediction_answer(row)->find_string(), "A");
  const auto ours = json(R"({"pred_ans": null, "answer": "A"})");
  EXPECT_TRUE(find_prediction_answer(ours)->is_null()) << "no answer is one, too";
  EXPECT_EQ(find_prediction_answer(json("{}")), nullptr);
  EXPECT_EQ(find_text_or_integer(nullptr), std::nullopt);
}

TEST(PredictionRows, OnlyTheWordBlockedBlocks) {
  EXPECT_TRUE(is_blocked_prediction(json(R"({"status": "blocked"})")));
  EXPECT_FALSE(is_blocked_prediction(json(R"({"status": true})")));
  EXPECT_FALSE(is_blocked_prediction(json("{}")));
}

}  // namespace
}  // namespace contra4::data
