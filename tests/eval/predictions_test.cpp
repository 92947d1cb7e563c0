#include "contra4/eval/predictions.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/eval/run_journal.h"
#include "contra4/io/file.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_dataset;

std::filesystem::path write(const TempDir& folder, const std::string& name,
                            const std::string& text) {
  std::ofstream(folder / name, std::ios::binary) << text;
  return folder / name;
}

void journal(const std::filesystem::path& path, std::string id, std::string order, std::string text,
             std::optional<int> choice = {}, RequestState state = RequestState::kAnswered) {
  ReplyRecord entry;
  entry.item_id = std::move(id);
  entry.part = std::move(order);
  entry.text = std::move(text);
  entry.choice = choice;
  entry.state = state;
  std::ofstream(path, std::ios::app) << to_json_line(entry) << "\n";
}

TEST(WritePredictions, GoldAndChoiceStandAsShown) {
  const TempDir folder;
  auto dataset = make_dataset(3);  // gold: A of 2, B of 3, C of 4
  dataset.items[0].id = {"7", true};
  dataset.items[2].answer.reset();
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kCircular});
  const auto path = folder / "journal.jsonl";
  journal(path, "item_2", "ABCD", "no idea");
  journal(path, "item_1", "BCA", "Scene A");
  journal(path, "item_1", "CAB", "", {}, RequestState::kBlocked);
  journal(path, "7", "BA", "", 1);
  journal(path, "7", "AB", "<think>B?</think>A", {});
  journal(path, "item_1", "ABC", "", {}, RequestState::kFailed);
  EXPECT_EQ(write_predictions(plan, *show_gold_captions(), path, folder / "p.json"), 5);
  EXPECT_EQ(io::read_file(folder / "p.json"), R"([
  {"id": 7, "gt_answer": "Scene A", "pred_ans": "<think>B?</think>A", "choice": "A", "permutation": "AB"},
  {"id": 7, "gt_answer": "Scene B", "pred_ans": "Scene B", "choice": "B", "permutation": "BA"},
  {"id": "item_1", "gt_answer": "Scene A", "pred_ans": "Scene A", "choice": "A", "permutation": "BCA"},
  {"id": "item_1", "gt_answer": "Scene C", "pred_ans": "", "choice": null, "permutation": "CAB", "status": "blocked"},
  {"id": "item_2", "gt_answer": null, "pred_ans": "no idea", "choice": null, "permutation": "ABCD"}
]
)");
}

TEST(WritePredictions, OfNothingIsAnEmptyList) {
  const TempDir folder;
  const auto dataset = make_dataset(2);
  EXPECT_EQ(write_predictions(RequestPlan(dataset.items, {}), *show_nothing(),
                              folder / "journal.jsonl", folder / "p.json"),
            0);
  EXPECT_EQ(io::read_file(folder / "p.json"), "[]\n");
}

TEST(WritePredictions, WordsOfAChoiceAreThoseThatWereShown) {
  const TempDir folder;
  const auto dataset = make_dataset(40);
  const auto random = show_random_captions(dataset.items, 1);
  const std::string caption = random->scenes_of(dataset.items[0]).value()[1].caption;
  const RequestPlan plan(dataset.items, {});
  journal(folder / "journal.jsonl", "item_0", "AB", caption);
  write_predictions(plan, *random, folder / "journal.jsonl", folder / "p.json");
  EXPECT_THAT(io::read_file(folder / "p.json"), HasSubstr(R"("choice": "B")"));
}

TEST(ReadPredictions, WhatWasWrittenIsReadBack) {
  const TempDir folder;
  const auto dataset = make_dataset(3);
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kCircular});
  const auto path = folder / "journal.jsonl";
  journal(path, "item_1", "BCA", "Scene A");
  journal(path, "item_0", "AB", "nothing at all");
  journal(path, "item_1", "ABC", "", {}, RequestState::kBlocked);
  write_predictions(plan, *show_gold_captions(), path, folder / "p.json");
  const PredictionSet set = read_predictions(folder / "p.json", dataset.items);
  ASSERT_EQ(set.rows.size(), 3U);
  EXPECT_EQ(set.rows[0].item, 0U);
  EXPECT_FALSE(set.rows[0].choice);
  EXPECT_EQ(set.rows[0].text, "nothing at all");
  EXPECT_TRUE(set.rows[1].is_blocked);
  EXPECT_EQ(set.rows[2].order, (SceneOrder{1, 2, 0}));
  EXPECT_EQ(set.rows[2].choice, 0);
  EXPECT_TRUE(set.warnings.empty());
}

TEST(ReadPredictions, PublishedNamesOfMembers) {
  const TempDir folder;
  const auto dataset = make_dataset(4);
  const auto path = write(folder, "theirs.json", R"([
    {"question_id": "item_0", "gt_answer": "Scene B", "pred_ans": "Scene A."},
    {"sample_id": "item_1", "answer": "Option B"},
    {"id": "item_2", "pred_answer": "I would say D.", "other": [1, {"a": null}]
},
    {"id": "item_3", "pred_ans": null}])");
  const PredictionSet set = read_predictions(path, dataset.items);
  ASSERT_EQ(set.rows.size(), 4U);
  EXPECT_EQ(set.rows[0].choice, 0);
  EXPECT_EQ(set.rows[1].choice, 1);
  EXPECT_EQ(set.rows[2].choice, 3);
  EXPECT_FALSE(set.rows[3].choice);
  EXPECT_EQ(set.rows[3].text, "");
}

TEST(ReadPredictions, JsonLinesWithEmptyLines) {
  const TempDir folder;
  const auto dataset = make_dataset(2);
  const auto path = write(folder, "p.jsonl",
                          "{\"id\": \"item_1\", \"pred_ans\": \"C\"}\r\n\n"
                          "{\"id\": \"item_0\", \"pred_ans\": \"B\"}");
  const PredictionSet set = read_predictions(path, dataset.items);
  ASSERT_EQ(set.rows.size(), 2U);
  EXPECT_EQ(set.rows[0].item, 0U);
  EXPECT_EQ(set.rows[1].choice, 2);
}

TEST(ReadPredictions, IntegerIdsMeetTheirItems) {
  const TempDir folder;
  auto dataset = make_dataset(1);
  dataset.items[0].id = {"42", true};
  const auto path = write(folder, "p.json", R"([{"id": 42, "pred_ans": "A"}])");
  EXPECT_EQ(read_predictions(path, dataset.items).rows.size(), 1U);
  const auto text = write(folder, "q.json", R"([{"id": "42", "pred_ans": "A"}])");
  EXPECT_EQ(read_predictions(text, dataset.items).rows.size(), 1U);
}

TEST(ReadPredictions, TroublesAreToldWithTheirRows) {
  const TempDir folder;
  const auto dataset = make_dataset(3);
  const auto path = write(folder, "p.json", R"([
    {"id": "item_0", "pred_ans": "A"},
    {"id": "item_0", "pred_ans": "B"},
    {"id": "stranger", "pred_ans": "B"},
    {"pred_ans": "B"},
    {"id": "item_1"},
    {"id": "item_1", "pred_ans": "A", "permutation": "AB"},
    {"id": "item_1", "pred_ans": ["A"]},
    {"id": "item_2", "pred_ans": "B", "choice": "F"},
    "text"])");
  const PredictionSet set = read_predictions(path, dataset.items);
  EXPECT_EQ(set.rows.size(), 2U);
  EXPECT_EQ(set.rows[0].choice, 0) << "the first counts";
  EXPECT_EQ(set.rows[1].choice, 1) << "read from the words";
  EXPECT_EQ(set.duplicates, 1);
  EXPECT_EQ(set.unknown_ids, 1);
  EXPECT_EQ(set.wrong_rows, 5);
  EXPECT_THAT(
      set.warnings,
      ::testing::UnorderedElementsAre(
          "p.json: 1 row of questions that have one already (the first counts): item_0 (row 2)",
          "p.json: 1 row of items that the set does not have: stranger (row 3)",
          "p.json: 2 rows without an id: row 4, row 9",
          "p.json: 1 row without pred_ans or answer: row 5 (item_1)",
          "p.json: 1 row with a permutation that does not fit the item's scenes: row 6 (item_1)",
          "p.json: 1 row whose answer is no text: row 7 (item_1)",
          "p.json: 1 row whose choice is no scene of the item (read from the words instead): "
          "row 8 (item_2)"));
}

TEST(ReadPredictions, NullChoiceOfTheFileIsBelieved) {
  const TempDir folder;
  const auto dataset = make_dataset(1);
  const auto path =
      write(folder, "p.json", R"([{"id": "item_0", "pred_ans": "Scene A", "choice": null}])");
  EXPECT_FALSE(read_predictions(path, dataset.items).rows[0].choice);
}

TEST(ReadPredictions, RefusesWhatIsNoneOfThem) {
  const TempDir folder;
  const auto dataset = make_dataset(1);
  const auto refused = [&](const std::string& name, const std::string& text) {
    return error_of([&] { read_predictions(write(folder, name, text), dataset.items); });
  };
  EXPECT_THAT(refused("a.json", R"([{"id": "x", "pred_ans": "A"}])").message,
              ::testing::AllOf(HasSubstr("not one of 1 rows"), HasSubstr("x (row 1)")));
  EXPECT_THAT(refused("b.json", R"({"id": "item_0"})").message, HasSubstr("wanted a list"));
  EXPECT_EQ(refused("c.json", R"([{"id": "item_0")").code, ErrorCode::kDataLoss);
  EXPECT_EQ(refused("d.jsonl", "{\"id\": \"item_0\", \"pred_ans\": \"A\"}\n{\"id\"").code,
            ErrorCode::kDataLoss);
  EXPECT_THAT(refused("e.json", R"([{"id": "item_0", "answer": "A", "examples": []}])").message,
              HasSubstr("gold answer"));
  EXPECT_EQ(error_of([&] { read_predictions(folder / "absent.json", dataset.items); }).code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace contra4::eval
