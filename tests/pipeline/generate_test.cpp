#include "contra4/pipeline/generate.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string text_of(const GenerateRequest& request) {
  std::string text;
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.parts) text += part.text;
  }
  return text;
}

bool wants_question(const GenerateRequest& request) {
  return text_of(request).ends_with("Generated Question:");
}

// Replies by a function of the request, in an order that `seed` shuffles, `window` at a time.
class ScriptedGenerator final : public TextGenerator {
 public:
  using Script = std::function<GenerateOutcome(const GenerateRequest&)>;
  ScriptedGenerator(Script script, std::size_t window = 1, std::uint64_t seed = 0)
      : script_(std::move(script)), window_(window), random_(seed) {}

  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token stop) override {
    std::vector<GenerateRequest> pending;
    bool has_more = true;
    while (!stop.stop_requested()) {
      while (has_more && pending.size() < window_) {
        auto request = source();
        has_more = request.has_value();
        if (request) pending.push_back(*std::move(request));
      }
      if (pending.empty()) return;
      const auto at = static_cast<std::ptrdiff_t>(random_.below(pending.size()));
      const GenerateRequest request = pending[static_cast<std::size_t>(at)];
      pending.erase(pending.begin() + at);
      asked.push_back(request);
      GenerateOutcome outcome = script_(request);
      outcome.ticket = request.ticket;
      sink(std::move(outcome));
    }
  }
  std::string description_json() const override { return R"({"model": "scripted"})"; }

  std::vector<GenerateRequest> asked;

 private:
  Script script_;
  std::size_t window_;
  Random random_;
};

GenerateOutcome reply(std::string text) {
  GenerateOutcome outcome;
  outcome.status = OutcomeStatus::kAnswered;
  outcome.text = std::move(text);
  return outcome;
}

GenerateOutcome failure(OutcomeStatus status) {
  GenerateOutcome outcome;
  outcome.status = status;
  outcome.error = {ErrorCode::kUnavailable, "the server is gone"};
  return outcome;
}

// Each seed has its own reply; about every third is malformed, and what is asked of "item 13"
// always.
GenerateOutcome fickle(const GenerateRequest& request) {
  const std::uint64_t seed = request.sampling.seed.value();
  if (!wants_question(request)) {
    return seed % 5 == 0 ? reply("I cannot tell.") : reply("Scene B. It fits.");
  }
  if (request.name == "random_13" || seed % 3 == 0) return reply("Which scene is a video?");
  if (request.name == "random_14") return failure(OutcomeStatus::kBlocked);
  return reply(fmt::format(" Which scene is number {}? ", seed % 1000));
}

class GenerateTest : public ::testing::Test {
 protected:
  void write_tuples(const std::filesystem::path& folder, int count) const {
    std::string json = "[";
    for (int i = 0; i < count; ++i) {
      json += fmt::format(
          R"({}{{"id": "random_{}", "selection_type": "random", "q_type": "mc_2", "examples": [)"
          R"({{"source": "audiocaps", "id": {}, "caption": ["rain on a roof {}", "second"], "url": "u"}},)"
          R"({{"source": "coco_val", "id": {}, "caption": ["a red kite {}"]}}],)"
          R"( "modalities": ["audio", "image"]}})",
          i == 0 ? "" : ", ", i, i, i, i, i);
    }
    std::filesystem::create_directories(folder / "step1");
    io::write_file_atomically(folder / "step1" / "tuples_random_test.json", json + "]\n");
  }
  GenerateOptions options(TextGenerator* generator, const std::string& folder = "a") const {
    const auto prompts = load_generate_prompts({});
    GenerateOptions options;
    options.files.folder = folder_ / folder;
    options.questions = {generator, prompts.question, PromptForm::kCompletion};
    options.answers = {generator, prompts.answer, PromptForm::kCompletion};
    options.seed = 7;
    return options;
  }
  static StepOutcome run(const GenerateOptions& options, std::stop_token stop = {}) {
    return generate(options, {}, stop);
  }
  static std::vector<Item> items_of(const std::filesystem::path& path) {
    std::vector<Item> items;
    const auto reader = data::open_items(path);
    while (auto row = reader->next()) items.push_back(row->value());
    return items;
  }
  static std::map<std::string, std::int64_t> by_name(const Counts& counts) {
    return {counts.begin(), counts.end()};
  }
  TempDir folder_;
};

TEST_F(GenerateTest, WritesQuestionsThenAnswers) {
  write_tuples(folder_ / "a", 3);
  ScriptedGenerator model([](const GenerateRequest& request) {
    return wants_question(request) ? reply("Which scene is wetter?\nGenerated Question: no")
                                   : reply(" Scene A. Rain is wet.\n");
  });
  const auto all = options(&model);
  const auto outcome = run(all);
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(outcome.counts, (Counts{{"tuples", 3}, {"questions", 3}, {"answered", 3}}));
  const auto items = items_of(all.files.answered());
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[2].id.text, "random_2");
  EXPECT_EQ(items[2].question, "Which scene is wetter?");
  EXPECT_EQ(items[2].answer, 0);
  EXPECT_EQ(items[2].answer_text, "Scene A. Rain is wet.");
  EXPECT_EQ(items[2].scenes[0].captions.size(), 2U);  // captions stay as they were
  EXPECT_FALSE(items_of(all.files.questions())[0].answer);
  // Asked as published: sampling, the first caption alone, the question in the second phase.
  ASSERT_EQ(model.asked.size(), 6U);
  EXPECT_EQ(model.asked[0].sampling.temperature, 1.05);
  EXPECT_EQ(model.asked[0].reply_prefix, "Which scene");
  EXPECT_THAT(text_of(model.asked[0]), HasSubstr("Scene A. \"rain on a roof 0\"\nScene B."));
  EXPECT_EQ(text_of(model.asked[0]).find("second\""), std::string::npos);
  EXPECT_EQ(model.asked[3].sampling.temperature, 0.3);
  EXPECT_THAT(text_of(model.asked[3]), HasSubstr("Question: Which scene is wetter?\nAnswer:"));
  // The prompt stands once in the manifest, not in each row.
  const auto manifest = find_manifest(all.files.questions());
  ASSERT_TRUE(manifest);
  EXPECT_NE(manifest->settings.find_path("prompt", "instruction"), nullptr);
  EXPECT_EQ(io::read_file(all.files.answered()).find("step_2_prompt"), std::string::npos);
}

TEST_F(GenerateTest, DependsOnRepliesAndNotOnTheirOrder) {
  std::string questions;
  std::string answered;
  for (const std::size_t window : {1, 7, 40}) {
    const std::string name = fmt::format("w{}", window);
    write_tuples(folder_ / name, 40);
    ScriptedGenerator model(fickle, window, window);
    const auto all = options(&model, name);
    EXPECT_TRUE(run(all).is_complete());
    if (questions.empty()) {
      questions = io::read_file(all.files.questions());
      answered = io::read_file(all.files.answered());
    }
    EXPECT_EQ(io::read_file(all.files.questions()), questions);
    EXPECT_EQ(io::read_file(all.files.answered()), answered);
  }
}

TEST_F(GenerateTest, RetriesWithNewSeedsThenDropsWithAReason) {
  write_tuples(folder_ / "a", 20);
  ScriptedGenerator model(fickle, 4);
  const auto all = options(&model);
  const auto outcome = run(all);
  const auto counts = by_name(outcome.counts);
  EXPECT_GE(counts.at("dropped: modality"), 1);
  EXPECT_EQ(counts.at("dropped: blocked"), 1);
  std::set<std::uint64_t> seeds;
  int of_13 = 0;
  for (const GenerateRequest& request : model.asked) {
    EXPECT_TRUE(seeds.insert(request.sampling.seed.value()).second);
    of_13 += request.name == "random_13" ? 1 : 0;
  }
  EXPECT_EQ(of_13, all.max_attempts);
  const std::string dropped = io::read_file(dropped_path(all.files.questions()));
  EXPECT_THAT(dropped, HasSubstr(R"({"id": "random_13", "reason": "modality", "detail": )"));
  EXPECT_THAT(dropped, HasSubstr(R"({"id": "random_14", "reason": "blocked"})"));
  // All that went in came out or was dropped.
  std::int64_t sum = counts.at("answered");
  for (const auto& [name, count] : counts) sum += name.starts_with("dropped: ") ? count : 0;
  EXPECT_EQ(sum, 20);
}

TEST_F(GenerateTest, ARerunRepeatsNoJournaledCall) {
  write_tuples(folder_ / "undisturbed", 30);
  ScriptedGenerator calm(fickle, 5);
  run(options(&calm, "undisturbed"));

  write_tuples(folder_ / "a", 30);
  std::vector<std::pair<std::string, std::uint64_t>> answered;
  StepOutcome outcome;
  for (int round = 0;; ++round) {
    ASSERT_LT(round, 40);
    std::stop_source stop;
    int left = 6;  // replies until the interruption
    ScriptedGenerator model(
        [&](const GenerateRequest& request) {
          answered.emplace_back(request.name, request.sampling.seed.value());
          if (--left == 0) stop.request_stop();
          return fickle(request);
        },
        5, static_cast<std::uint64_t>(round));
    outcome = run(options(&model), stop.get_token());
    if (outcome.is_complete()) break;
    EXPECT_TRUE(outcome.is_cancelled);
  }
  std::set<std::pair<std::string, std::uint64_t>> distinct(answered.begin(), answered.end());
  EXPECT_EQ(distinct.size(), answered.size());
  EXPECT_EQ(answered.size(), calm.asked.size());
  for (const char* file :
       {"step2/random_test.json", "step2_3/random_test.json", "step2/random_test.dropped.jsonl"}) {
    EXPECT_EQ(io::read_file(folder_ / "a" / file), io::read_file(folder_ / "undisturbed" / file));
  }
  // Done: nothing is asked.
  ScriptedGenerator idle(fickle);
  EXPECT_EQ(run(options(&idle)).counts, outcome.counts);
  EXPECT_TRUE(idle.asked.empty());
}

TEST_F(GenerateTest, RequestsWithoutAReplyStayOpen) {
  write_tuples(folder_ / "a", 6);
  bool is_down = true;
  ScriptedGenerator model([&](const GenerateRequest& request) {
    if (is_down && request.name == "random_4") return failure(OutcomeStatus::kFailed);
    return wants_question(request) ? reply("Which scene is wetter?") : reply("Scene A. Rain.");
  });
  const auto all = options(&model);
  const auto first = run(all);
  EXPECT_EQ(first.num_failed, 1);
  EXPECT_FALSE(first.is_cancelled);
  EXPECT_FALSE(std::filesystem::exists(all.files.questions()));
  model.asked.clear();
  is_down = false;
  EXPECT_TRUE(run(all).is_complete());
  const auto asked_again = std::count_if(model.asked.begin(), model.asked.end(), wants_question);
  EXPECT_EQ(asked_again, 1);
  EXPECT_EQ(items_of(all.files.answered()).size(), 6U);
}

TEST_F(GenerateTest, AnotherPromptForAnswersLeavesTheQuestionsAlone) {
  write_tuples(folder_ / "a", 4);
  ScriptedGenerator model([](const GenerateRequest& request) {
    return wants_question(request) ? reply("Which scene is wetter?") : reply("Scene A. Rain.");
  });
  auto all = options(&model);
  run(all);
  model.asked.clear();
  all.answers.prompt.instruction = "Answer briefly.";
  EXPECT_THAT(error_of([&] { run(all); }).message, HasSubstr("settings.prompt.instruction"));
  all.when_changed = WhenChanged::kRedo;
  EXPECT_TRUE(run(all).is_complete());
  EXPECT_EQ(model.asked.size(), 4U);
}

TEST_F(GenerateTest, ShardsFollowEachOtherToTheWhole) {
  write_tuples(folder_ / "a", 11);
  ScriptedGenerator model(fickle, 3);
  auto whole = options(&model);
  run(whole);
  std::vector<std::string> expected;
  for (const Item& item : items_of(whole.files.answered())) {
    expected.push_back(item.id.text + item.question + item.answer_text);
  }
  std::vector<std::string> merged;
  for (int index = 1; index <= 3; ++index) {
    auto part = options(&model);
    part.files.shard = {index, 3};
    EXPECT_TRUE(run(part).is_complete());
    for (const Item& item : items_of(part.files.answered())) {
      merged.push_back(item.id.text + item.question + item.answer_text);
    }
  }
  EXPECT_EQ(merged, expected);
  // A shard's own tuples come first.
  StepFiles files = whole.files;
  files.shard = {2, 3};
  EXPECT_EQ(find_tuples(files).rows, files.shard);
  io::write_file_atomically(files.tuples(), "[]");
  EXPECT_EQ(find_tuples(files).path, files.tuples());
  EXPECT_TRUE(find_tuples(files).rows.is_whole());
}

TEST_F(GenerateTest, RulesNeedNobody) {
  write_tuples(folder_ / "a", 5);
  const auto all = options(nullptr);
  const auto outcome = run(all);
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_THAT(outcome.notes, Contains(HasSubstr("not for publication")));
  EXPECT_THAT(find_manifest(all.files.answered())->notes, Contains(HasSubstr("written by rules")));
  const auto items = items_of(all.files.answered());
  ASSERT_EQ(items.size(), 5U);
  for (const Item& item : items) {
    EXPECT_TRUE(item.question.starts_with("Which scene")) << item.question;
    EXPECT_TRUE(item.answer.has_value());
  }
  ScriptedGenerator model(fickle);
  auto mixed = options(&model);
  mixed.answers.generator = nullptr;
  EXPECT_THAT(error_of([&] { run(mixed); }).message, HasSubstr("only the questions that rules"));
}

TEST_F(GenerateTest, BadTuplesAreNamed) {
  const auto all = options(nullptr);
  EXPECT_THAT(error_of([&] { run(all); }).message, HasSubstr("contra4 sample"));
  std::filesystem::create_directories(all.files.tuples().parent_path());
  const std::string row =
      R"({"id": "x", "examples": [{"source": "s", "id": 1, "caption": "a kite"}, )"
      R"({"source": "s", "id": 2, "caption": "a cup"}], "modalities": ["image", "image"]})";
  io::write_file_atomically(all.files.tuples(), "[" + row + ", " + row + "]");
  EXPECT_THAT(error_of([&] { run(all); }).message, HasSubstr("'x' occurs twice"));
  io::write_file_atomically(all.files.tuples(), "[" + row + ", {\"id\": \"y\"}]");
  EXPECT_THAT(error_of([&] { run(all); }).message, HasSubstr("row 2"));
  io::write_file_atomically(all.files.tuples(), "[" + row);
  EXPECT_EQ(error_of([&] { run(all); }).code, ErrorCode::kInvalidArgument);
}

TEST_F(GenerateTest, TuplesThatCannotBeAskedAreDropped) {
  const auto all = options(nullptr);
  std::filesystem::create_directories(all.files.tuples().parent_path());
  io::write_file_atomically(
      all.files.tuples(),
      R"([{"id": "one", "examples": [{"source": "s", "id": 1, "caption": "a kite"}],
           "modalities": ["image"]},
          {"id": "mute", "examples": [{"source": "s", "id": 1, "caption": "a kite"},
           {"source": "s", "id": 2, "caption": ""}], "modalities": ["image", "audio"]},
          {"id": "same", "examples": [{"source": "s", "id": 1, "caption": "a kite"},
           {"source": "s", "id": 2, "caption": "a kite"}], "modalities": ["image", "audio"]}])");
  const auto counts = by_name(run(all).counts);
  EXPECT_EQ(counts.at("dropped: fewer than two scenes"), 1);
  EXPECT_EQ(counts.at("dropped: a scene without caption"), 1);
  EXPECT_EQ(counts.at("dropped: nothing tells the scenes apart"), 1);
  EXPECT_EQ(counts.at("answered"), 0);
}

TEST_F(GenerateTest, APreviewAsksNobody) {
  write_tuples(folder_ / "a", 5);
  ScriptedGenerator model(fickle);
  const auto preview = preview_generate(options(&model));
  EXPECT_EQ(preview.num_items, 5);
  EXPECT_EQ(preview.num_requests, 10);
  EXPECT_TRUE(wants_question(preview.question));
  EXPECT_TRUE(model.asked.empty());
  EXPECT_EQ(preview_generate(options(nullptr)).num_requests, 0);
}

}  // namespace
}  // namespace contra4::pipeline
