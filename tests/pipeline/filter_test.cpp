#include "contra4/pipeline/filter.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "contra4/io/json.h"
#include "contra4/scoring/scene_orders.h"
#include "tests/pipeline/filter_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRight = R"(["Scene A", "Scene B"])";
constexpr const char* kWrongFirst = R"(["Scene B", "Scene B"])";
constexpr const char* kWrongLater = R"(["A.", "A."])";

class Filter : public ::testing::Test {
 protected:
  std::vector<std::string> kept(std::string_view filter) const {
    return ids_of(files.filtered(filter));
  }
  std::string dropped() const { return io::read_file(dropped_path(filter_stage_output(files))); }

  TempDir folder;
  StepFiles files{.folder = folder.path()};
};

TEST_F(Filter, EachFilterKeepsWhatItsModelsAgreeOn) {
  write_answers(files, "a",
                {{.id = "all", .replies = kRight},
                 {.id = "later", .replies = kWrongLater},
                 {.id = "first", .replies = kWrongFirst},
                 {.id = "word", .question = "Which video is long?", .replies = kRight},
                 {.id = "twice", .modalities = {"audio", "audio"}, .replies = kRight}});
  write_answers(files, "b",
                {{.id = "all", .replies = kRight},
                 {.id = "later", .replies = kRight},
                 {.id = "first", .replies = kRight},
                 {.id = "word", .question = "Which video is long?", .replies = kRight},
                 {.id = "twice", .modalities = {"audio", "audio"}, .replies = kRight}});
  const StepOutcome outcome = filter(files, filter_options({"a", "b"}));
  EXPECT_THAT(kept("word_filtering"), ElementsAre("all", "later", "first"));
  EXPECT_THAT(kept("a_filter"), ElementsAre("all", "later"));
  EXPECT_THAT(kept("b_filter"), ElementsAre("all", "later", "first"));
  EXPECT_THAT(kept("majority_filter"), ElementsAre("all", "later")) << "two of two";
  EXPECT_THAT(kept("unanimous_filter"), ElementsAre("all", "later"));
  EXPECT_THAT(kept("a_permute_filter"), ElementsAre("all"));
  EXPECT_THAT(kept("b_permute_filter"), ElementsAre("all", "later", "first"));
  EXPECT_THAT(kept("majority_permute_filter"), ElementsAre("all"));
  EXPECT_THAT(kept("unanimous_permute"), ElementsAre("all"));
  EXPECT_EQ(outcome.counts.front(), std::pair(std::string("rows"), std::int64_t{5}));
  EXPECT_EQ(outcome.counts.back(), std::pair(std::string("unanimous_permute"), std::int64_t{1}));
  EXPECT_EQ(
      dropped(),
      R"({"id": "later", "reason": "orders", "detail": "a in order 1 (BA) names Scene B, the answer is Scene A"})"
      "\n"
      R"({"id": "first", "reason": "order 0", "detail": "a names Scene B, the answer is Scene A"})"
      "\n"
      R"({"id": "word", "reason": "word list", "detail": "video"})"
      "\n"
      R"({"id": "twice", "reason": "repeated modality"})"
      "\n");
}

TEST_F(Filter, ARowGetsTheOtherModelsRepliesAndHowTheyWereRead) {
  write_answers(files, "a", {{.id = "x", .replies = kRight, .more = R"(, "permutations": 7)"}});
  write_answers(files, "b", {{.id = "x", .replies = R"(["no idea \"q\"", null])"}});
  filter(files, filter_options({"a", "b"}));
  const std::string text = io::read_file(files.filtered("word_filtering"));
  const auto row = io::parse_json(text, "row").value();
  const auto json_of = [&](const char* member) {
    io::JsonWriter json;
    json.value(*row.find_path(0, member));
    return json.take();
  };
  EXPECT_EQ(json_of("answer_a"), kRight);
  EXPECT_EQ(json_of("answer_b"), R"(["no idea \"q\"", null])");
  EXPECT_EQ(json_of("permutations"), "[[0, 1], [1, 0]]");
  EXPECT_EQ(json_of("answers_formatted"), R"(["Scene A"])");
  EXPECT_EQ(json_of("answer_a_formatted"), kRight);
  EXPECT_EQ(json_of("answer_b_formatted"), "[null, null]");
  EXPECT_EQ(text.find("\"permutations\": 7"), std::string::npos) << "said once";
}

TEST_F(Filter, AnOrderThatWasNotAskedIsNoAgreement) {
  write_answers(files, "a",
                {{.id = "decided", .replies = R"(["A", null])"},
                 {.id = "wrong", .replies = R"([null, "A"])"}});
  filter(files, filter_options({"a"}));
  EXPECT_THAT(kept("a_filter"), ElementsAre("decided"));
  EXPECT_THAT(kept("a_permute_filter"), IsEmpty());
  EXPECT_EQ(io::read_file(files.filtered("unanimous_permute")), "[]\n");
  EXPECT_THAT(dropped(), HasSubstr(R"("reason": "not asked", "detail": "a in order 1")"));
  EXPECT_THAT(dropped(), HasSubstr(R"("id": "wrong", "reason": "orders")"))
      << "a disagreement says more than what was not asked because of it";
}

TEST_F(Filter, MostModelsAreMoreThanHalf) {
  EXPECT_EQ(majority_of(1, false), 1U);
  EXPECT_EQ(majority_of(2, false), 2U);
  EXPECT_EQ(majority_of(3, false), 2U);
  EXPECT_EQ(majority_of(4, false), 3U);
  EXPECT_EQ(majority_of(5, true), 2U) << "as published";
}

TEST_F(Filter, TheChoiceRuleReadsWhatThePublishedRuleDoesNot) {
  const std::vector<AnsweredRow> rows = {{.id = "x", .replies = R"j(["scene a", "It's (b)"])j"}};
  write_answers(files, "a", rows);
  filter(files, filter_options({"a"}));
  EXPECT_THAT(kept("unanimous_permute"), ElementsAre("x"));
  FilterOptions compat = filter_options({"a"}, true);
  compat.when_changed = WhenChanged::kOverwrite;
  filter(files, compat);
  EXPECT_THAT(kept("unanimous_permute"), IsEmpty());
}

TEST_F(Filter, AnyLineFormatIsReadAndWritten) {
  StepFiles lines = files;
  lines.suffix = ".jsonl.gz";
  write_answers(files, "a", {{.id = "x", .replies = kRight}, {.id = "y", .replies = kRight}});
  filter(lines, filter_options({"a"}));
  const std::string text = contra4::testing::read_gz(lines.filtered("unanimous_permute"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.front(), '{');
}

TEST_F(Filter, FilesOfDifferentRunsAreRefusedByName) {
  write_answers(files, "a", {{.id = "x", .replies = kRight}, {.id = "y", .replies = kRight}});
  write_answers(files, "b", {{.id = "x", .replies = kRight}, {.id = "z", .replies = kRight}});
  write_answers(files, "c", {{.id = "x", .replies = kRight}});
  const auto refusal = [&](const char* other) {
    return error_of([&] { filter(files, filter_options({"a", other})); });
  };
  EXPECT_EQ(refusal("b").code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refusal("b").message, HasSubstr("files of different runs"));
  EXPECT_THAT(refusal("b").message, HasSubstr("a_random_test.json"));
  EXPECT_THAT(refusal("b").message, HasSubstr("b_random_test.json"));
  EXPECT_THAT(refusal("b").message, HasSubstr("row 2 has the id y in one, z in the other"));
  EXPECT_THAT(refusal("c").message, HasSubstr("ends after 1 rows"));
  EXPECT_FALSE(std::filesystem::exists(files.filtered("word_filtering")));
}

TEST_F(Filter, FilesMadeFromDifferentQuestionsAreRefused) {
  for (const char* model : {"a", "b"}) {
    const auto questions = folder / (std::string("questions of ") + model);
    io::write_file_atomically(questions, model);
    Stage stage = Stage::open(
        {files.answers_of(model)},
        {.stage = "verify", .settings_json = "{}", .inputs = {{"questions", questions}}},
        WhenChanged::kRefuse);
    write_answers(files, model, {{.id = "x", .replies = kRight}});
    stage.finish({});
  }
  EXPECT_THAT(error_of([&] {
                filter(files, filter_options({"a", "b"}));
              }).message,
              HasSubstr("step2_3"));
}

TEST_F(Filter, AWrongRowIsNamedWithFileRowAndId) {
  const auto message = [&](const AnsweredRow& row) {
    write_answers(files, "a", {{.id = "fine", .replies = kRight}, row});
    return error_of([&] { filter(files, filter_options({"a"})); }).message;
  };
  EXPECT_THAT(message({.id = "q", .replies = R"(["A"])"}),
              HasSubstr("a_random_test.json: row 2 (id q): 'answer_a' has 1 entries, but 2 scenes "
                        "have 2 orders"));
  EXPECT_THAT(message({.id = "q", .replies = R"(["A", 7])"}),
              HasSubstr("entry 2 of 'answer_a' is a number"));
  EXPECT_THAT(message({.id = "q", .replies = "null"}), HasSubstr("'answer_a' is null"));
  EXPECT_THAT(message({.id = "q", .modalities = {"audio", "smell"}, .replies = kRight}),
              HasSubstr("unknown modality 'smell'"));
  EXPECT_THAT(message({.id = "fine", .replies = kRight}), HasSubstr("occurred before, in row 1"));
  io::write_file_atomically(files.answers_of("a"), "[{\"id\": \"x\"");
  EXPECT_THAT(error_of([&] { filter(files, filter_options({"a"})); }).message,
              HasSubstr("cut file?"));
}

TEST_F(Filter, AMissingModelNamesTheCommandThatMakesIt) {
  write_answers(files, "a", {{.id = "x", .replies = kRight}});
  const Error error = error_of([&] { filter(files, filter_options({"a", "b"})); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("contra4 verify --model b="));
  io::write_file_atomically(files.answers_of("b"),
                            "[" + row_json({.id = "x", .replies = kRight}, "other") + "]");
  EXPECT_THAT(error_of([&] {
                filter(files, filter_options({"a", "b"}));
              }).message,
              HasSubstr("there is no 'answer_b'"));
}

TEST_F(Filter, IsNotDoneTwice) {
  write_answers(files, "a", {{.id = "x", .replies = kRight}});
  filter(files, filter_options({"a"}));
  EXPECT_TRUE(open_filter(files, filter_options({"a"})).is_done());
  FilterOptions other = filter_options({"a"});
  other.match = WordMatch::kWholeWords;
  EXPECT_THAT(error_of([&] { open_filter(files, other); }).message, HasSubstr("whole_words"));
}

TEST_F(Filter, AStopLeavesNoOutput) {
  write_answers(files, "a", {{.id = "x", .replies = kRight}});
  std::stop_source source;
  source.request_stop();
  const auto options = filter_options({"a"});
  Stage stage = open_filter(files, options);
  EXPECT_TRUE(run_filter(stage, files, options, {}, source.get_token()).is_cancelled);
  EXPECT_FALSE(std::filesystem::exists(files.filtered("word_filtering")));
}

TEST_F(Filter, ExplainsAnItem) {
  write_answers(files, "a", {{.id = "y", .replies = kRight}, {.id = "x", .replies = kWrongLater}});
  write_answers(files, "b",
                {{.id = "y", .replies = kRight}, {.id = "x", .replies = R"(["Scene A", null])"}});
  const auto options = filter_options({"a", "b"});
  const std::string text = explain_item(files, options, "x");
  EXPECT_THAT(text, HasSubstr("Which scene is louder?"));
  EXPECT_THAT(text, HasSubstr("1  BA     Scene A    Scene B    no      \"A.\""));
  EXPECT_THAT(text, HasSubstr("not asked"));
  EXPECT_THAT(text, HasSubstr("dropped    orders: a in order 1 (BA) names Scene B"));
  EXPECT_THAT(explain_item(files, options, "y"), HasSubstr("kept"));
  EXPECT_EQ(error_of([&] { explain_item(files, options, "z"); }).code, ErrorCode::kNotFound);
}

// The same item with its scenes, its answer and the showings renamed: no filter may notice.
TEST_F(Filter, PermutingScenesAndAnswersTogetherChangesNoVerdict) {
  const std::vector<std::string> modalities = {"audio", "image", "pc"};
  const auto orders = scoring::all_orders(3);
  Random random(5);
  std::vector<AnsweredRow> rows;
  std::vector<AnsweredRow> permuted;
  for (int i = 0; i < 200; ++i) {
    const auto answer = static_cast<int>(random.below(3));
    std::vector<int> said;  // the scene, or one that is not there, by order
    for (std::size_t k = 0; k < orders.size(); ++k) {
      said.push_back(random.below(12) == 0 ? static_cast<int>(random.below(4)) : answer);
    }
    const auto& moved = orders[random.below(orders.size())];  // new place k holds scene moved[k]
    const auto new_name = [&](int scene) {
      return static_cast<int>(std::find(moved.begin(), moved.end(), scene) - moved.begin());
    };
    const auto replies_of = [&](bool is_moved) {
      io::JsonWriter json;
      json.begin_array();
      for (const auto& shown : orders) {
        scoring::SceneOrder old_shown = shown;
        if (is_moved) {
          for (int& scene : old_shown) scene = moved[static_cast<std::size_t>(scene)];
        }
        const auto k = static_cast<std::size_t>(std::find(orders.begin(), orders.end(), old_shown) -
                                                orders.begin());
        const auto place = std::find(old_shown.begin(), old_shown.end(), said[k]);
        json.value(place == old_shown.end()
                       ? std::string("none of them")
                       : scene_name(static_cast<int>(place - old_shown.begin())) + ".");
      }
      return json.end_array().take();
    };
    AnsweredRow row{.id = std::to_string(i),
                    .modalities = modalities,
                    .answer = scene_name(answer),
                    .replies = replies_of(false)};
    AnsweredRow other = row;
    for (std::size_t k = 0; k < 3; ++k) {
      other.modalities[k] = modalities[static_cast<std::size_t>(moved[k])];
    }
    other.answer = scene_name(new_name(answer));
    other.replies = replies_of(true);
    rows.push_back(std::move(row));
    permuted.push_back(std::move(other));
  }
  for (const bool compat : {false, true}) {
    const TempDir second;
    const StepFiles other_files{.folder = second.path()};
    const TempDir first;
    const StepFiles these_files{.folder = first.path()};
    for (const char* model : {"a", "b"}) {  // two: the published majority
      write_answers(these_files, model, rows);
      write_answers(other_files, model, permuted);
    }
    filter(these_files, filter_options({"a", "b"}, compat));
    filter(other_files, filter_options({"a", "b"}, compat));
    for (const char* name : {"a_permute_filter", "unanimous_permute", "majority_permute_filter"}) {
      const auto ids = ids_of(these_files.filtered(name));
      EXPECT_EQ(ids, ids_of(other_files.filtered(name))) << name;
      EXPECT_GT(ids.size(), 50U);
    }
  }
}

}  // namespace
}  // namespace contra4::pipeline
