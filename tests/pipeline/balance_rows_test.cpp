#include "contra4/pipeline/balance_rows.h"

#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/pipeline/filter_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Rows of some 400 bytes: with so many, a file has several blocks.
constexpr std::size_t kManyRows = 6000;

class BalanceRowsOf : public ::testing::Test {
 protected:
  static std::vector<std::string> many_rows() {
    std::vector<std::string> rows;
    for (std::size_t i = 1; i <= kManyRows; ++i) {
      rows.push_back(row_json({.id = "row-" + std::to_string(i)}, "a"));
    }
    return rows;
  }
  static std::string list_of(const std::vector<std::string>& rows) {
    std::string text = "[";
    for (const std::string& row : rows) text += (text.size() > 1 ? ",\n" : "\n") + row;
    return text + "\n]\n";
  }
  Stage open() const {
    return Stage::open({folder / "balanced.json"},
                       {.stage = "balance", .settings_json = "{}", .inputs = {}},
                       WhenChanged::kOverwrite);
  }
  std::unique_ptr<BalanceRows> load(const std::string& text) const {
    Stage stage = open();
    return load(text, stage);
  }
  std::unique_ptr<BalanceRows> load(const std::string& text, Stage& stage) const {
    io::write_file_atomically(path, text);
    auto rows = std::make_unique<BalanceRows>(path, /*compat=*/false);
    EXPECT_TRUE(rows->load(stage, {}));
    return rows;
  }
  std::string message_of(const std::string& text) const {
    return error_of([&] { load(text); }).message;
  }

  TempDir folder;
  std::filesystem::path path = folder / "rows.json";
};

TEST_F(BalanceRowsOf, AFaultOfTheWholeFileNamesNoRow) {
  EXPECT_THAT(message_of("{}"), HasSubstr("rows.json: the top level is an object"));
  EXPECT_THAT(message_of(""), HasSubstr("rows.json: the file is empty"));
}

TEST_F(BalanceRowsOf, AMemberThatIsThereTwiceIsRefused) {
  std::string row = row_json({.id = "row-1"}, "a");
  ASSERT_EQ(row.back(), '}');
  row.pop_back();
  EXPECT_THAT(message_of(list_of({row + R"(, "note": 1, "note": 2})"})),
              AllOf(HasSubstr("rows.json: row 1 (id row-1)"), HasSubstr("there are two 'note'")));
}

TEST_F(BalanceRowsOf, AFileOfSeveralBlocksKeepsItsSequence) {
  const auto texts = many_rows();
  const auto rows = load(list_of(texts));
  EXPECT_EQ(rows->num_read(), kManyRows);
  ASSERT_EQ(rows->rows().size(), kManyRows);
  for (std::size_t i = 0; i < kManyRows; ++i) {
    ASSERT_EQ(rows->rows()[i]->text, texts[i]);
    ASSERT_EQ(rows->rows()[i]->id, "row-" + std::to_string(i + 1));
  }
}

TEST_F(BalanceRowsOf, ARowHasItsScenesAnswersAndMembers) {
  const auto rows = load(
      "[" + row_json({.id = "7", .answer = "Scene B. It is", .replies = R"(["A", "B"])"}, "a") +
      "]");
  ASSERT_EQ(rows->rows().size(), 1U);
  const BalanceRow& row = *rows->rows().front();
  EXPECT_EQ(row.num_scenes, 2);
  EXPECT_EQ(row.answer, 1);
  EXPECT_EQ(row.place, 1);
  EXPECT_EQ(row.scene_modalities[0], Modality::kAudio);
  EXPECT_EQ(row.scene_modalities[1], Modality::kImage);
  EXPECT_EQ(row.caption_lengths[0], std::string("what is there to be told of audio").size());
  EXPECT_EQ(row.modalities, R"(["audio", "image"])");
  EXPECT_EQ(row.answers_list, R"(["Scene B. It is"])");
  EXPECT_THAT(std::vector(row.answers.begin(), row.answers.end()), ElementsAre("Scene B. It is"));
  EXPECT_THAT(std::vector(row.replies.begin(), row.replies.end()), ElementsAre(R"(["A", "B"])"));
}

TEST_F(BalanceRowsOf, CaptionsAreMeasuredInCharacters) {
  std::string row = row_json({.id = "1"}, "a");
  const std::string caption = "what is there to be told of audio";
  row.replace(row.find(caption), caption.size(), "\xC3\xA4\xE2\x82\xAC!");
  const auto rows = load("[" + row + "]");
  EXPECT_EQ(rows->rows().front()->caption_lengths[0], 3U);
}

TEST_F(BalanceRowsOf, PublishedRowsHaveTheSameMembers) {
  io::write_file_atomically(path, "[" + row_json({.id = "1"}, "a") + "]");
  Stage stage = open();
  BalanceRows rows(path, /*compat=*/true);
  ASSERT_TRUE(rows.load(stage, {}));
  const BalanceRow& row = *rows.rows().front();
  EXPECT_EQ(row.modalities, R"(["audio", "image"])");
  EXPECT_THAT(std::string(row.examples), AllOf(HasSubstr("audio"), HasSubstr("image")));
  EXPECT_EQ(row.answers_list, R"(["Scene A"])");
  EXPECT_TRUE(row.replies.empty());
}

TEST_F(BalanceRowsOf, OfFaultsInTwoBlocksTheFirstIsNamed) {
  auto texts = many_rows();
  texts[5900] = R"({"id": "late"})";
  EXPECT_THAT(message_of(list_of(texts)),
              HasSubstr("row 5901 (id late): there is no 'modalities'"));
  texts[2000] = R"({"id": })";
  EXPECT_THAT(message_of(list_of(texts)), HasSubstr("row 2001: not valid JSON"));
  texts[100] = "[1]";
  EXPECT_THAT(message_of(list_of(texts)), HasSubstr("row 101: the row is "));
}

TEST_F(BalanceRowsOf, AFaultComesBeforeTheEndOfACutFile) {
  auto texts = many_rows();
  std::string cut = list_of(texts);
  cut.resize(cut.size() - 20);
  EXPECT_THAT(message_of(cut), HasSubstr("row 6000: the file ends in the middle of a row"));
  texts[5990] = R"({"id": "late"})";
  cut = list_of(texts);
  cut.resize(cut.size() - 20);
  EXPECT_THAT(message_of(cut), HasSubstr("row 5991 (id late)"));
}

TEST_F(BalanceRowsOf, IdsAreComparedOverBlocks) {
  auto texts = many_rows();
  texts[5800] = texts[1];
  EXPECT_THAT(message_of(list_of(texts)),
              HasSubstr("row 5801 (id row-2): the id occurred before, in row 2"));
  // What else is wrong with that row is not looked at, nor is what follows.
  texts[5800] = R"({"id": "row-2"})";
  texts[5900] = "{}";
  EXPECT_THAT(message_of(list_of(texts)), HasSubstr("row 5801 (id row-2): the id occurred before"));
  texts[3000] = R"({"id": "early"})";
  EXPECT_THAT(message_of(list_of(texts)), HasSubstr("row 3001 (id early)"));
}

TEST_F(BalanceRowsOf, UnfitRowsOfEveryBlockAreDroppedInSequence) {
  auto texts = many_rows();
  texts[5000] = row_json({.id = "lone", .modalities = {"audio"}}, "a");
  texts[10] = row_json({.id = "none", .answer = "It depends"}, "a");
  Stage stage = open();
  const auto rows = load(list_of(texts), stage);
  EXPECT_EQ(rows->num_read(), kManyRows);
  EXPECT_EQ(rows->rows().size(), kManyRows - 2);
  EXPECT_EQ(rows->rows()[10]->id, "row-12");
  io::write_file_atomically(stage.output(), "[]");
  stage.finish({});
  const auto dropped = lines_of(dropped_path(stage.output()));
  ASSERT_EQ(dropped.size(), 2U);
  EXPECT_THAT(dropped[0], AllOf(HasSubstr("none"), HasSubstr("no answer")));
  EXPECT_THAT(dropped[1], AllOf(HasSubstr("lone"), HasSubstr("number of scenes")));
}

TEST_F(BalanceRowsOf, RowsOverSeveralLinesComeOnOne) {
  std::string row = row_json({.id = "1"}, "a");
  for (std::size_t at = row.find(", "); at != std::string::npos; at = row.find(", ", at + 2)) {
    row.replace(at, 2, ",\n");
  }
  ASSERT_THAT(row, HasSubstr("\n"));
  const auto rows = load("[\n" + row + ",\n" + row_json({.id = "2"}, "a") + "]");
  ASSERT_EQ(rows->rows().size(), 2U);
  const BalanceRow& first = *rows->rows().front();
  EXPECT_THAT(std::string(first.text), Not(HasSubstr("\n")));
  EXPECT_EQ(first.modalities, R"(["audio","image"])");
  EXPECT_EQ(rows->rows().back()->text, row_json({.id = "2"}, "a"));
}

TEST_F(BalanceRowsOf, ARowMayBeLargerThanABlock) {
  const std::string question(3U << 20, '?');
  const std::string large = row_json({.id = "large", .question = question}, "a");
  const std::string small = row_json({.id = "small"}, "a");
  const auto rows = load("[" + small + "," + large + "]");
  ASSERT_EQ(rows->rows().size(), 2U);
  EXPECT_EQ(rows->rows()[0]->text, small);
  EXPECT_EQ(rows->rows()[1]->text, large);
}

TEST_F(BalanceRowsOf, AnEmptyListHasNone) {
  const auto rows = load("[]");
  EXPECT_TRUE(rows->rows().empty());
  EXPECT_EQ(rows->num_read(), 0);
}

// Through a pipe, so that the stop comes while the rest of the file is still to be read.
TEST_F(BalanceRowsOf, AStopEndsTheReadingOfALargeFile) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const std::string text = list_of(many_rows());
  std::stop_source stop;
  std::jthread writer([&] {
    std::ofstream pipe(path, std::ios::binary);
    pipe << text << std::flush;
    stop.request_stop();
  });
  Stage stage = open();
  BalanceRows rows(path, /*compat=*/false);
  EXPECT_FALSE(rows.load(stage, stop.get_token()));
}

}  // namespace
}  // namespace contra4::pipeline
