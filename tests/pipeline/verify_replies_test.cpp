#include "contra4/pipeline/verify_replies.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/log.h"
#include "tests/pipeline/verify_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::TempDir;
using ::testing::ElementsAre;

ReplyRecord reply(std::string text, RequestState state = RequestState::kAnswered) {
  ReplyRecord record;
  record.item_id = "random_0";
  record.part = "BA";
  record.state = state;
  record.text = std::move(text);
  return record;
}

class Replies : public ::testing::Test {
 protected:
  Replies() {
    testing::write_questions(folder_ / "q.json", testing::make_items(2));
    items_.emplace(AskedItems::load(folder_ / "q.json", {}));
  }
  int says(const ReplyRecord& record, ReadingRule rule) const {
    return what_it_says(record, items_->at(0), {1, 0}, rule);
  }
  TempDir folder_;
  std::optional<AskedItems> items_;
};

TEST_F(Replies, AreReadByEitherRule) {
  EXPECT_EQ(says(reply("Scene B, because A is not."), ReadingRule::kChoice), 1);
  EXPECT_EQ(says(reply("Scene B, because A is not."), ReadingRule::kPublished), kNamesNone);
  EXPECT_EQ(says(reply("D. No."), ReadingRule::kChoice), kNamesNone);
  EXPECT_EQ(says(reply("D. No."), ReadingRule::kPublished), 3);
  EXPECT_EQ(says(reply("thing 1 of 0"), ReadingRule::kChoice), 0) << "the caption shown first";
  EXPECT_EQ(says(reply("", RequestState::kBlocked), ReadingRule::kChoice), kRefused);
  ReplyRecord decided = reply("Scene A");
  decided.choice = 1;
  EXPECT_EQ(says(decided, ReadingRule::kPublished), 1) << "the model's own choice goes before";
}

TEST_F(Replies, EntriesAreScenesOrWords) {
  EXPECT_EQ(entry_of(reply("the second"), 1, ReadingRule::kChoice), "Scene B");
  EXPECT_EQ(entry_of(reply("A or B.\nWell"), kNamesNone, ReadingRule::kChoice), "A or B.\nWell");
  EXPECT_EQ(entry_of(reply(" A or B. Well\nno"), kNamesNone, ReadingRule::kPublished), "A or B");
  EXPECT_EQ(entry_of(reply(""), kRefused, ReadingRule::kChoice), "");
}

TEST_F(Replies, JournalsGiveFinalRepliesOfTheseItemsAlone) {
  const auto journal = folder_ / "j.jsonl";
  {
    std::ofstream file(journal);
    file << "no json\n";
    ReplyRecord other = reply("A");
    other.item_id = "random_9";
    file << to_json_line(other) << "\n";
    other = reply("A");
    other.part = "ABC";
    file << to_json_line(other) << "\n" << to_json_line(reply("", RequestState::kFailed)) << "\n";
    other = reply("C");
    other.choice = 2;
    file << to_json_line(other) << "\n" << to_json_line(reply("B")) << "\n";
    file << R"({"id": "random_0", "part": "AB", "status": "answered", "text": "torn)";
  }
  std::vector<std::string> texts;
  WordsOnDisk words({journal});
  log::set_level(log::Level::kError);
  ReplyJournals(*items_).read(journal,
                              [&](const ReplyJournals::Found& found, const ReplyRecord& record) {
                                EXPECT_EQ(found.item, 0U);
                                EXPECT_EQ(found.order, 1U);
                                texts.push_back(record.text);
                                words.add(77, 0, found.offset);
                              });
  log::set_level(log::Level::kInfo);
  EXPECT_THAT(texts, ElementsAre("B"));
  words.sort();
  EXPECT_EQ(words.at(77).text, "B");
  EXPECT_EQ(words.at(77).text, "B") << "as often as it is asked";
}

TEST_F(Replies, RulesHaveNames) {
  for (const ReadingRule rule : {ReadingRule::kChoice, ReadingRule::kPublished}) {
    EXPECT_EQ(parse_reading_rule(to_string(rule)), rule);
  }
  EXPECT_EQ(parse_reading_rule("both"), std::nullopt);
}

}  // namespace
}  // namespace contra4::pipeline
