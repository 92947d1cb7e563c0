#include "contra4/pipeline/verify.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/log.h"
#include "contra4/base/random.h"
#include "contra4/io/json.h"
#include "tests/pipeline/verify_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;
using contra4::testing::TempDir;
using testing::answer_of;
using testing::count_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_items;
using testing::no_reply;
using testing::noisy_model;
using testing::noisy_reply;
using testing::options_in;
using testing::run_verify;
using testing::say;
using testing::ScriptedModel;

VerifyOptions prepared(const fs::path& folder, int num_items) {
  VerifyOptions options = options_in(folder);
  testing::write_questions(options.questions, make_items(num_items));
  return options;
}

std::string answers(const VerifyOptions& options, const std::string& model) {
  return io::read_file(options.files.answers_of(model));
}

// Entries of an item, "null" where it was not asked.
std::vector<std::string> entries(const VerifyOptions& options, const std::string& model,
                                 std::size_t item) {
  const auto rows = io::read_json_file(options.files.answers_of(model));
  std::vector<std::string> texts;
  const auto* list = rows.find_array()->at(item).find("answer_" + model);
  for (const auto& entry : *list->find_array()) {
    texts.push_back(entry.is_null() ? "null" : *entry.find_string());
  }
  return texts;
}

// What is asked by the rule as the header tells it, computed item by item.
struct Expected {
  std::vector<std::set<std::string>> asked;  // by model
  std::int64_t num_majority = 0;
  std::int64_t num_unanimous = 0;
};
Expected expect_asked(int num_items, const std::vector<std::string>& models, std::uint64_t right,
                      AskUntil until) {
  Expected expected;
  const std::size_t num_models = models.size();
  expected.asked.resize(num_models);
  for (const Item& item : make_items(num_items)) {
    std::vector<bool> has_failed(num_models);
    const auto num_failed = [&] {
      return static_cast<std::size_t>(std::count(has_failed.begin(), has_failed.end(), true));
    };
    const auto hash = static_cast<std::uint32_t>(stable_hash64(item.id.text));
    for (const auto& order : scoring::all_orders(item.num_scenes())) {
      for (std::size_t turn = 0; turn < num_models; ++turn) {
        const std::size_t model = (hash + num_models * 4 - turn) % num_models;
        const bool is_over = until == AskUntil::kUnanimous ? num_failed() > 0
                             : until == AskUntil::kMajority
                                 ? 2 * num_failed() >= num_models || has_failed[model]
                                 : false;
        if (is_over) continue;
        Question question;
        question.item_id = item.id.text;
        question.order = scoring::order_name(order);
        question.scenes.resize(item.scenes.size());
        expected.asked[model].insert(testing::key_of(question));
        const Answer reply = noisy_reply(models[model], question, *item.answer, right);
        const auto wanted =
            fmt::format("Scene {}", scene_letter(testing::place_of(question, *item.answer)));
        if (!reply.text.starts_with(wanted)) has_failed[model] = true;
      }
    }
    expected.num_majority += 2 * (num_models - num_failed()) > num_models ? 1 : 0;
    expected.num_unanimous += num_failed() == 0 ? 1 : 0;
  }
  return expected;
}

class VerifyUntil : public ::testing::TestWithParam<AskUntil> {};

TEST_P(VerifyUntil, AsksWhatTheRuleSaysAndJudgesAsAllOrdersWould) {
  constexpr int kItems = 40;
  const std::vector<std::string> names = {"llama", "mistral", "phi"};
  for (const std::uint64_t right : {500U, 950U, 1000U}) {
    const TempDir folder;
    VerifyOptions options = prepared(folder.path(), kItems);
    options.until = GetParam();
    std::vector<ScriptedModel> scripts;
    for (const std::string& name : names) scripts.push_back(noisy_model(name, right));
    std::vector<VerifyModel> models;
    for (std::size_t i = 0; i < names.size(); ++i) models.push_back({names[i], &scripts[i]});
    const StepOutcome outcome = run_verify(options, models);
    EXPECT_TRUE(outcome.is_complete());

    const Expected expected = expect_asked(kItems, names, right, GetParam());
    const Expected all = expect_asked(kItems, names, right, AskUntil::kAllOrders);
    std::int64_t asked = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& keys = scripts[i].answered;
      EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()), expected.asked[i]);
      EXPECT_EQ(keys.size(), expected.asked[i].size()) << "nothing twice";
      asked += static_cast<std::int64_t>(keys.size());
    }
    EXPECT_EQ(count_of(outcome, "requests asked"), asked);
    EXPECT_EQ(count_of(outcome, "requests asked") + count_of(outcome, "requests saved"),
              count_of(outcome, "requests of all orders"));
    EXPECT_EQ(count_of(outcome, "agreeing: all models"), all.num_unanimous);
    EXPECT_EQ(count_of(outcome, "agreeing: majority"),
              GetParam() == AskUntil::kUnanimous ? -1 : all.num_majority);
    if (right == 1000) {
      EXPECT_EQ(count_of(outcome, "requests saved"), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Verify, VerifyUntil,
                         ::testing::Values(AskUntil::kUnanimous, AskUntil::kMajority,
                                           AskUntil::kAllOrders),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(Verify, AModelThatGoesByPlaceIsFoundOut) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 12);
  ScriptedModel sound([](const Question& question) {
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  ScriptedModel by_place([](const Question&) { return say("Scene A"); });
  EXPECT_EQ(count_of(run_verify(options, {{"sound", &sound}}), "agreeing: sound"), 12);
  const StepOutcome outcome = run_verify(options, {{"place", &by_place}});
  EXPECT_EQ(count_of(outcome, "agreeing: place"), 0);
  EXPECT_EQ(entries(options, "sound", 0), (std::vector<std::string>{"Scene A", "Scene B"}));
  EXPECT_EQ(entries(options, "place", 0), (std::vector<std::string>{"Scene A", "Scene A"}));
  EXPECT_EQ(entries(options, "place", 3), (std::vector<std::string>{"Scene A", "null"}))
      << "its answer is B";
}

TEST(Verify, ScenesStandInTheOrderAsked) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 3);
  std::set<std::uint64_t> seeds;
  ScriptedModel model([&](const Question& question) {
    seeds.insert(question.seed);
    const int item = std::stoi(question.item_id.substr(7));
    EXPECT_EQ(question.text, fmt::format("Which scene is number {}?", item));
    for (int place = 0; place < static_cast<int>(question.scenes.size()); ++place) {
      const int scene = testing::scene_at(question, place);
      const ShownScene& shown = question.scenes[static_cast<std::size_t>(place)];
      EXPECT_EQ(shown.caption, fmt::format("thing {} of {}", scene, item));
      EXPECT_EQ(shown.source, fmt::format("source_{}", scene));
      EXPECT_EQ(shown.id.text, fmt::format("{}", 100 * item + scene));
      EXPECT_EQ(shown.id.is_integer, scene % 2 == 0);
    }
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  run_verify(options, {{"m", &model}});
  EXPECT_EQ(seeds.size(), 2U + 6U + 24U);
}

TEST(Verify, FilesAreThePublishedOnes) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 1);
  ScriptedModel model([](const Question& question) {
    return question.order == "AB" ? say("A") : say("no idea.\nreally");
  });
  run_verify(options, {{"llama", &model}});
  EXPECT_EQ(
      answers(options, "llama"),
      "[\n"
      R"({"id": "random_0", "selection_type": "random", "q_type": "mc_2", "examples": [)"
      R"({"source": "source_0", "id": 0, "caption": "thing 0 of 0", "meta": {}}, )"
      R"({"source": "source_1", "id": "1", "caption": "thing 1 of 0", "meta": {}}], )"
      R"("modalities": ["audio", "pc"], "questions": ["Which scene is number 0?"], )"
      R"("answers": ["Scene A. It is the one."], "answer_llama": ["Scene A", "no idea.\nreally"]})"
      "\n]\n");
}

TEST(Verify, PublishedReadingKeepsTheScriptsWords) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 2);
  options.until = AskUntil::kAllOrders;
  options.reading = ReadingRule::kPublished;
  ScriptedModel model([](const Question& question) {
    if (question.order == "AB") return say(" Scene B. Because of A\nAnswer: A");
    if (question.order == "BA") return say("A or B");
    return say("D");
  });
  const StepOutcome outcome = run_verify(options, {{"phi", &model}});
  EXPECT_EQ(entries(options, "phi", 0), (std::vector<std::string>{"Scene B", "A or B"}));
  EXPECT_EQ(entries(options, "phi", 1)[0], "Scene D") << "whatever the number of scenes";
  EXPECT_EQ(count_of(outcome, "agreeing: phi"), 0);
}

TEST(Verify, NeitherTimingNorWindowsChangeAByte) {
  std::string wanted;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TempDir folder;
    const VerifyOptions options = prepared(folder.path(), 30);
    ScriptedModel a = noisy_model("a");
    ScriptedModel b = noisy_model("b");
    a.shuffle_seed = 100 * seed;
    b.window = seed * 3;
    run_verify(options, {{"a", &a}, {"b", &b}});
    std::string bytes = answers(options, "a") + answers(options, "b");
    for (const auto& entry : fs::directory_iterator(options.files.answers_of("a").parent_path())) {
      if (entry.path().string().ends_with(".manifest.json")) bytes += io::read_file(entry.path());
    }
    if (wanted.empty()) wanted = bytes;
    EXPECT_EQ(bytes, wanted) << seed;
  }
}

TEST(Verify, StoppedAnywhereItGoesOnAndAsksNothingTwice) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const TempDir undisturbed;
  const VerifyOptions whole = prepared(undisturbed.path(), 30);
  {
    ScriptedModel a = noisy_model("a");
    ScriptedModel b = noisy_model("b");
    ScriptedModel c = noisy_model("c");
    run_verify(whole, {{"a", &a}, {"b", &b}, {"c", &c}});
  }
  Random random(7);
  for (int round = 0; round < 3; ++round) {
    const TempDir folder;
    const VerifyOptions options = prepared(folder.path(), 30);
    std::vector<std::set<std::string>> asked(3);
    int num_stops = 0;
    for (bool is_whole = false; !is_whole;) {
      std::stop_source stop;
      std::atomic<int> left = static_cast<int>(random.below(60)) + 1;
      std::vector<ScriptedModel> scripts;
      for (const auto& name : names) scripts.push_back(noisy_model(name));
      std::vector<VerifyModel> models;
      for (std::size_t i = 0; i < 3; ++i) {
        scripts[i].on_answer = [&] {
          if (--left == 0) stop.request_stop();
        };
        models.push_back({names[i], &scripts[i]});
      }
      const StepOutcome outcome = run_verify(options, models, stop.get_token());
      is_whole = !outcome.is_cancelled;
      num_stops += is_whole ? 0 : 1;
      EXPECT_EQ(fs::exists(options.files.answers_of("a")), is_whole);
      for (std::size_t i = 0; i < 3; ++i) {
        for (const std::string& key : scripts[i].answered) {
          EXPECT_TRUE(asked[i].insert(key).second) << key;
        }
      }
    }
    EXPECT_GT(num_stops, 0);
    for (const auto& name : names) EXPECT_EQ(answers(options, name), answers(whole, name));
  }
}

TEST(Verify, ARequestWithoutAReplyIsToldAndAskedAgain) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 9);
  std::atomic<bool> is_down = true;
  const auto script = [&](const Question& question) {
    if (is_down && question.item_id == "random_4") return no_reply("the server said 503");
    return say(scene_name(testing::place_of(question, answer_of(question))));
  };
  ScriptedModel model(script);
  StepOutcome outcome = run_verify(options, {{"m", &model}});
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_EQ(outcome.num_failed, 1) << "the item waits";
  EXPECT_THAT(outcome.notes, ElementsAre("no reply: m, random_4, order ABC: the server said 503"));
  EXPECT_FALSE(fs::exists(options.files.answers_of("m")));
  is_down = false;
  ScriptedModel again(script);
  outcome = run_verify(options, {{"m", &again}});
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(again.answered.size(), 6U);
  EXPECT_EQ(count_of(outcome, "agreeing: m"), 9);
}

TEST(Verify, AcceptedFailuresAgreeWithNothing) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 9);
  options.accepts_failures = true;
  ScriptedModel model([&](const Question& question) {
    if (question.item_id == "random_4") return no_reply("too long for this model");
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  const StepOutcome outcome = run_verify(options, {{"m", &model}});
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(count_of(outcome, "agreeing: m"), 8);
  EXPECT_EQ(count_of(outcome, "requests without a reply"), 1);
  EXPECT_THAT(outcome.notes,
              ElementsAre("no reply: m, random_4, order ABC: too long for this model"));
  EXPECT_TRUE(fs::exists(options.files.answers_of("m")));
  ScriptedModel again([](const Question&) { return say("Scene A"); });
  EXPECT_TRUE(run_verify(options, {{"m", &again}}).is_complete());
  EXPECT_TRUE(again.answered.empty()) << "it is done";
}

TEST(Verify, WhatIsDoneIsDone) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 6);
  ScriptedModel model = noisy_model("m");
  const StepOutcome first = run_verify(options, {{"m", &model}});
  ScriptedModel second = noisy_model("m");
  const StepOutcome again = run_verify(options, {{"m", &second}});
  EXPECT_EQ(second.num_runs, 0);
  EXPECT_EQ(again.counts, first.counts);
}

TEST(Verify, ReplaysUnderOtherRulesWithoutACall) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 30);
  options.until = AskUntil::kAllOrders;
  ScriptedModel a = noisy_model("a");
  ScriptedModel b = noisy_model("b");
  run_verify(options, {{"a", &a}, {"b", &b}});

  const TempDir other;
  VerifyOptions replay = options;
  replay.files.folder = other.path();
  replay.until = AskUntil::kUnanimous;
  std::vector<VerifyModel> models;
  for (const char* name : {"a", "b"}) {
    models.push_back({name, nullptr, find_replies(folder.path(), options.files, name)});
  }
  const StepOutcome replayed = run_verify(replay, models);
  EXPECT_TRUE(replayed.is_complete());
  EXPECT_EQ(count_of(replayed, "requests not in the replay"), -1);

  const TempDir third;
  VerifyOptions asked = prepared(third.path(), 30);
  ScriptedModel a2 = noisy_model("a");
  ScriptedModel b2 = noisy_model("b");
  run_verify(asked, {{"a", &a2}, {"b", &b2}});
  EXPECT_EQ(answers(replay, "a"), answers(asked, "a")) << "as if it had been asked so";
  EXPECT_EQ(answers(replay, "b"), answers(asked, "b"));

  // Of replies that were asked with an early end not all are there.
  const TempDir fourth;
  VerifyOptions more = options;
  more.files.folder = fourth.path();
  const StepOutcome partial =
      run_verify(more, {{"a", nullptr, find_replies(third.path(), options.files, "a")},
                        {"b", nullptr, find_replies(third.path(), options.files, "b")}});
  EXPECT_TRUE(partial.is_complete());
  EXPECT_GT(count_of(partial, "requests not in the replay"), 0);
  EXPECT_EQ(count_of(partial, "agreeing: all models"), count_of(replayed, "agreeing: all models"));
}

TEST(Verify, RepliesOfSeveralRunsAreNotMixed) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 3);
  EXPECT_THAT(
      contra4::testing::error_of([&] { find_replies(folder.path(), options.files, "m"); }).message,
      HasSubstr("no replies of 'm'"));
  fs::create_directories(folder / "step4");
  for (const char* key : {"11111111", "22222222"}) {
    std::ofstream(folder / "step4" / fmt::format("m_random_test.{}.m.journal.jsonl", key));
  }
  EXPECT_THAT(
      contra4::testing::error_of([&] { find_replies(folder.path(), options.files, "m"); }).message,
      HasSubstr("several runs"));
  const fs::path one = folder / "step4" / "m_random_test.22222222.m.journal.jsonl";
  EXPECT_THAT(find_replies(one, options.files, "m"), ElementsAre(one));
}

TEST(Verify, ShardsOneBehindTheOtherAreTheWhole) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 31);
  options.files.suffix = ".jsonl";
  ScriptedModel a = noisy_model("a");
  ScriptedModel b = noisy_model("b");
  run_verify(options, {{"a", &a}, {"b", &b}});
  std::string merged;
  for (int i = 1; i <= 4; ++i) {
    VerifyOptions part = options;
    part.files.shard = {i, 4};
    find_questions(part, folder.path());
    EXPECT_EQ(part.questions, options.questions);
    ScriptedModel a_part = noisy_model("a");
    ScriptedModel b_part = noisy_model("b");
    run_verify(part, {{"a", &a_part}, {"b", &b_part}});
    merged += answers(part, "b");
  }
  EXPECT_EQ(merged, answers(options, "b"));
}

TEST(Verify, AShardOfTheQuestionsServesWhereTheWholeIsNotThere) {
  const TempDir folder;
  VerifyOptions options = options_in(folder.path());
  options.files.shard = {2, 3};
  testing::write_questions(options.files.answered(), make_items(4));
  find_questions(options, folder.path());
  EXPECT_EQ(options.questions, options.files.answered());
  EXPECT_TRUE(options.rows.is_whole());
  EXPECT_EQ(count_verify_requests(options, 2), 2 * (2 + 6 + 24 + 2));
}

TEST(Verify, SaysWhichCommandMakesTheQuestions) {
  const TempDir folder;
  VerifyOptions options = options_in(folder.path());
  const Error error = contra4::testing::error_of([&] { find_questions(options, folder.path()); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("contra4 generate"));
}

TEST(Verify, RefusesNamesThatAreNone) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 1);
  ScriptedModel model = noisy_model("m");
  const auto message_for = [&](const std::vector<VerifyModel>& models) {
    return contra4::testing::error_of([&] { run_verify(options, models); }).message;
  };
  EXPECT_THAT(message_for({}), HasSubstr("no model"));
  EXPECT_THAT(message_for({{"a/b", &model}}), HasSubstr("'a/b'"));
  EXPECT_THAT(message_for({{"", &model}}), HasSubstr("NAME=SPEC"));
  EXPECT_THAT(message_for({{"..", &model}}), HasSubstr("'..'"));
  EXPECT_THAT(message_for({{"m", &model}, {"m", &model}}), HasSubstr("two models are called 'm'"));
  EXPECT_EQ(model.num_runs, 0);
}

TEST(Verify, RefusesRowsThatAreWrong) {
  const TempDir folder;
  const VerifyOptions options = options_in(folder.path());
  auto items = make_items(4);
  items[3].id = items[1].id;
  testing::write_questions(options.questions, items);
  ScriptedModel model = noisy_model("m");
  EXPECT_THAT(contra4::testing::error_of([&] {
                run_verify(options, {{"m", &model}});
              }).message,
              HasSubstr("row 4 (id random_1): the id occurred before"));

  std::string text = io::read_file(options.questions);
  text.replace(text.find("Scene A. It"), 7, "Scene D");
  std::ofstream(options.questions) << text;
  EXPECT_THAT(contra4::testing::error_of([&] {
                run_verify(options, {{"m", &model}});
              }).message,
              HasSubstr("row 1 (id random_0): the answer is Scene D, but there are 2 scenes"));
}

TEST(Verify, ItemsThatCannotBeAskedStayInTheFileWithoutReplies) {
  const TempDir folder;
  VerifyOptions options = options_in(folder.path());
  auto items = make_items(5);
  items[0].scenes[1].captions.clear();
  items[1].answer.reset();
  items[1].answer_text = "It depends.";
  items[2].scenes.push_back(items[2].scenes[0]);  // a fifth
  items[3].answer.reset();
  items[3].answer_text = "The answer is (B)";  // loosely said, and right
  testing::write_questions(options.questions, items);
  ScriptedModel model([](const Question& question) {
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  const StepOutcome outcome = run_verify(options, {{"m", &model}});
  EXPECT_EQ(count_of(outcome, "items without captions"), 1);
  EXPECT_EQ(count_of(outcome, "items without an answer"), 1);
  EXPECT_EQ(count_of(outcome, "items without 2 to 4 scenes"), 1);
  EXPECT_EQ(count_of(outcome, "requests saved"), 6);
  EXPECT_EQ(count_of(outcome, "agreeing: m"), 2);
  EXPECT_THAT(entries(options, "m", 0), ElementsAre());
  EXPECT_THAT(entries(options, "m", 1),
              ElementsAre("null", "null", "null", "null", "null", "null"));
  EXPECT_THAT(entries(options, "m", 2), ElementsAre());
  EXPECT_THAT(entries(options, "m", 3), ElementsAre("Scene B", "Scene A"));
}

TEST(Verify, FilesVerifiedTogetherAreNotMadeAnewApart) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 4);
  ScriptedModel a = noisy_model("a");
  ScriptedModel b = noisy_model("b");
  run_verify(options, {{"a", &a}, {"b", &b}});
  const Error error = contra4::testing::error_of([&] { run_verify(options, {{"b", &b}}); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("b_random_test.json belongs to another run of verify"));
  EXPECT_TRUE(run_verify(options, {{"b", &b}}, {}, WhenChanged::kOverwrite).is_complete());
  ScriptedModel a2 = noisy_model("a");
  EXPECT_TRUE(run_verify(options, {{"a", &a2}}).is_complete()) << "its old manifest is gone";
}

TEST(Verify, AChangedRuleIsNamed) {
  const TempDir folder;
  VerifyOptions options = prepared(folder.path(), 4);
  ScriptedModel a = noisy_model("a");
  run_verify(options, {{"a", &a}});
  options.until = AskUntil::kMajority;
  EXPECT_THAT(contra4::testing::error_of([&] {
                run_verify(options, {{"a", &a}});
              }).message,
              HasSubstr(R"(until: "unanimous" before, "majority" now)"));
}

TEST(Verify, AModelThatThrowsStopsTheOthersAndKeepsWhatWasAnswered) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 30);
  std::atomic<int> left = 10;
  ScriptedModel broken([&](const Question& question) {
    if (--left == 0) throw Exception(ErrorCode::kUnauthenticated, "key refused");
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  ScriptedModel sound([](const Question& question) {
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  EXPECT_EQ(contra4::testing::error_of([&] {
              run_verify(options, {{"x", &broken}, {"y", &sound}});
            }).code,
            ErrorCode::kUnauthenticated);
  ScriptedModel x([](const Question& question) {
    return say(scene_name(testing::place_of(question, answer_of(question))));
  });
  ScriptedModel y = noisy_model("y", 1000);
  EXPECT_TRUE(run_verify(options, {{"x", &x}, {"y", &y}}).is_complete());
  EXPECT_EQ(x.answered.size() + 9, sound.answered.size() + y.answered.size());
}

TEST(Verify, AModelThatEndsEarlyLeavesTheRestOpen) {
  class Lazy final : public Answerer {
   public:
    void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token) override {
      const auto first = source();
      const auto second = source();
      if (!first) return;
      Answer answer = say("A");
      answer.ticket = first->ticket;
      sink(std::move(answer));
    }
    InputNeed input_need() const override { return InputNeed::kCaptions; }
    std::string description_json() const override { return "{}"; }
  };
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 5);
  Lazy lazy;
  const StepOutcome outcome = run_verify(options, {{"lazy", &lazy}});
  EXPECT_EQ(outcome.num_failed, 4);
  EXPECT_THAT(outcome.notes[0], HasSubstr("the model stopped answering"));
}

TEST(Verify, AChoiceBeyondTheScenesIsNoReply) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 1);
  ScriptedModel model([](const Question&) {
    Answer answer = say("C");
    answer.choice = 2;
    return answer;
  });
  const StepOutcome outcome = run_verify(options, {{"m", &model}});
  EXPECT_EQ(outcome.num_failed, 1);
  EXPECT_THAT(outcome.notes[0], HasSubstr("the model chose scene 3 of 2"));
}

TEST(Verify, DamagedJournalLinesAreAskedAgain) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 6);
  fs::path journal;
  {
    ScriptedModel model = noisy_model("m");
    std::stop_source stop;
    int left = 8;
    model.on_answer = [&] {
      if (--left == 0) stop.request_stop();
    };
    run_verify(options, {{"m", &model}}, stop.get_token());
    journal = find_replies(folder.path(), options.files, "m").front();
  }
  std::string text = io::read_file(journal);
  text[text.find('\n') + 3] = '\0';
  std::ofstream(journal, std::ios::binary) << text << R"({"id": "random_0", "part": "A)";
  log::set_level(log::Level::kError);
  ScriptedModel again = noisy_model("m");
  EXPECT_TRUE(run_verify(options, {{"m", &again}}).is_complete());
  log::set_level(log::Level::kInfo);
  const TempDir other;
  const VerifyOptions undisturbed = prepared(other.path(), 6);
  ScriptedModel model = noisy_model("m");
  run_verify(undisturbed, {{"m", &model}});
  EXPECT_EQ(answers(options, "m"), answers(undisturbed, "m"));
}

TEST(Verify, ProgressEndsAtTheTotal) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 10);
  ScriptedModel a = noisy_model("a", 500);
  ScriptedModel b = noisy_model("b", 500);
  StepProgress last;
  run_verify(options, {{"a", &a}, {"b", &b}}, {}, WhenChanged::kRefuse,
             [&](const StepProgress& progress) { last = progress; });
  EXPECT_EQ(last.done, last.total);
  EXPECT_EQ(last.in_flight, 0);
}

TEST(Verify, AnEmptyFileGivesEmptyFiles) {
  const TempDir folder;
  const VerifyOptions options = prepared(folder.path(), 0);
  ScriptedModel model = noisy_model("m");
  EXPECT_TRUE(run_verify(options, {{"m", &model}}).is_complete());
  EXPECT_EQ(model.num_runs, 0);
  EXPECT_TRUE(io::read_json_file(options.files.answers_of("m")).find_array()->empty());
}

}  // namespace
}  // namespace contra4::pipeline
