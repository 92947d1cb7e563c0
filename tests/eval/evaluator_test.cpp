#include "contra4/eval/evaluator.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/base/random.h"
#include "contra4/eval/predictions.h"
#include "contra4/io/file.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::TempDir;
using testing::fail_with;
using ::testing::HasSubstr;
using testing::Killed;
using testing::make_dataset;
using testing::say;
using testing::ScriptedAnswerer;

// A reply that is a function of the question alone: most name a scene, some ramble, some are
// blocked by the server, and some fail on the first two tries.
Answer scripted_reply(const Question& question, int times_asked) {
  const std::uint64_t hash = stable_hash64(ScriptedAnswerer::key_of(question));
  if (hash % 5 == 0 && times_asked <= 2) {
    return fail_with(OutcomeStatus::kFailed, ErrorCode::kUnavailable, "the server said 503");
  }
  if (hash % 11 == 0) {
    return fail_with(OutcomeStatus::kBlocked, ErrorCode::kInvalidArgument, "blocked for safety");
  }
  if (hash % 7 == 0) return say("I cannot tell.\nReally \"not\" \x01 ü");
  return say(
      fmt::format("Scene {}", scene_letter(static_cast<int>(hash / 100 % question.scenes.size()))));
}

EvaluateOutcome run_once(const RequestPlan& plan, ScriptedAnswerer& answerer,
                         const std::filesystem::path& journal, std::stop_token stop = {}) {
  return evaluate(plan, answerer, *show_gold_captions(), journal, {.seed = 3}, {}, stop);
}

std::string predictions_of(const RequestPlan& plan, const TempDir& folder) {
  write_predictions(plan, *show_gold_captions(), folder / "journal.jsonl", folder / "p.json");
  return io::read_file(folder / "p.json");
}

// Keys of the questions whose final answer stands in a journal.
std::set<std::string> final_keys(const RequestPlan& plan, const std::filesystem::path& journal) {
  JournalIndex index(plan);
  index.read(journal);
  std::set<std::string> keys;
  for (std::size_t i = 0; i < plan.num_requests(); ++i) {
    if (!is_final(index.state(i))) continue;
    const PlannedRequest request = plan.request(i);
    const Item& item = plan.items()[request.item];
    std::string key = item.id.text;
    for (const int scene : request.order) {
      key += " " + item.scenes[static_cast<std::size_t>(scene)].id.text;
    }
    keys.insert(key);
  }
  return keys;
}

TEST(Evaluator, AsksEveryRequestOnceAndCounts) {
  const TempDir folder;
  const auto dataset = make_dataset(9);
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kCircular});
  ScriptedAnswerer answerer([](const Question&, int) { return say("Scene A"); });
  std::vector<EvaluateProgress> seen;
  const auto outcome =
      evaluate(plan, answerer, *show_gold_captions(), folder / "journal.jsonl", {},
               [&](const EvaluateProgress& progress) { seen.push_back(progress); }, {});
  EXPECT_EQ(answerer.asked.size(), 27U);
  EXPECT_EQ(std::set<std::string>(answerer.asked.begin(), answerer.asked.end()).size(), 27U);
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_FALSE(outcome.is_cancelled);
  EXPECT_EQ(outcome.summary.answered, 27);
  EXPECT_EQ(outcome.progress.scored, 27);
  EXPECT_EQ(outcome.progress.right, 9) << "every scene is in place A once";
  ASSERT_EQ(seen.size(), 28U);
  EXPECT_EQ(seen.front().total, 27);
  EXPECT_EQ(seen.front().done, 0);
  EXPECT_EQ(seen.back().done, 27);
  EXPECT_EQ(seen.back().in_flight, 0);
}

TEST(Evaluator, ScenesStandInTheOrderAskedWithASeedOfTheirOwn) {
  const TempDir folder;
  const auto dataset = make_dataset(2);
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kAll});
  std::set<std::uint64_t> seeds;
  ScriptedAnswerer answerer([&](const Question& question, int) {
    seeds.insert(question.seed);
    const PlannedRequest request = plan.request(question.ticket);
    const Item& item = dataset.items[request.item];
    EXPECT_EQ(question.item_id, item.id.text);
    EXPECT_EQ(question.text, item.question);
    EXPECT_EQ(question.order, order_name(request.order));
    for (std::size_t place = 0; place < question.scenes.size(); ++place) {
      EXPECT_EQ(question.scenes[place].caption,
                item.scenes[static_cast<std::size_t>(request.order[place])].caption());
    }
    return say("A");
  });
  run_once(plan, answerer, folder / "journal.jsonl");
  EXPECT_EQ(seeds.size(), 8U);
  const std::set<std::uint64_t> first = seeds;
  run_once(plan, answerer, folder / "another.jsonl");
  EXPECT_EQ(seeds, first) << "a rerun asks the same";
}

TEST(Evaluator, SecondRunAsksNothingAndSaysTheSame) {
  const TempDir folder;
  const auto dataset = make_dataset(12);
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer answerer([](const Question&, int) { return say("Scene B"); });
  run_once(plan, answerer, folder / "journal.jsonl");
  const std::string journal = io::read_file(folder / "journal.jsonl");
  ScriptedAnswerer second([](const Question&, int) { return say("Scene A"); });
  const auto outcome = run_once(plan, second, folder / "journal.jsonl");
  EXPECT_TRUE(second.asked.empty());
  EXPECT_EQ(outcome.progress.resumed, 12);
  EXPECT_EQ(io::read_file(folder / "journal.jsonl"), journal);
}

TEST(Evaluator, FailuresAreListedAndAskedAgain) {
  const TempDir folder;
  const auto dataset = make_dataset(6);
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer flaky([](const Question& question, int) {
    return question.item_id == "item_2" || question.item_id == "item_4"
               ? fail_with(OutcomeStatus::kFailed, ErrorCode::kDeadlineExceeded, "no reply in 5 s")
               : say("A");
  });
  auto outcome = run_once(plan, flaky, folder / "journal.jsonl");
  EXPECT_EQ(outcome.summary.failed, 2);
  ASSERT_EQ(outcome.summary.missed.size(), 2U);
  EXPECT_EQ(outcome.summary.missed[0].item_id, "item_2");
  EXPECT_EQ(outcome.summary.missed[0].error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(outcome.summary.missed[0].error.message, "no reply in 5 s");
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(
      write_predictions(plan, *show_gold_captions(), folder / "journal.jsonl", folder / "p.json"),
      4);
  ScriptedAnswerer sound([](const Question&, int) { return say("A"); });
  outcome = run_once(plan, sound, folder / "journal.jsonl");
  EXPECT_THAT(sound.asked, ::testing::SizeIs(2));
  EXPECT_EQ(outcome.summary.failed, 0);
  EXPECT_EQ(outcome.summary.answered, 6);
}

TEST(Evaluator, BlockedIsFinalAndUnsupportedIsApart) {
  const TempDir folder;
  const auto dataset = make_dataset(6);
  const RequestPlan plan(dataset.items, {});
  const auto script = [](const Question& question, int) {
    if (question.item_id == "item_0") {
      return fail_with(OutcomeStatus::kBlocked, ErrorCode::kInvalidArgument, "SAFETY");
    }
    if (question.item_id == "item_3") {
      return fail_with(OutcomeStatus::kUnsupported, ErrorCode::kUnimplemented, "no video");
    }
    return say("A");
  };
  ScriptedAnswerer answerer(script);
  auto outcome = run_once(plan, answerer, folder / "journal.jsonl");
  EXPECT_EQ(outcome.summary.blocked, 1);
  EXPECT_EQ(outcome.summary.unsupported, 1);
  EXPECT_EQ(outcome.summary.unsupported_by_modalities,
            (std::map<std::string, std::int64_t>{{"audio+video", 1}}));
  const std::string journal = io::read_file(folder / "journal.jsonl");
  ScriptedAnswerer again(script);
  outcome = run_once(plan, again, folder / "journal.jsonl");
  EXPECT_THAT(again.asked, ::testing::SizeIs(1)) << "only the unsupported one";
  EXPECT_EQ(io::read_file(folder / "journal.jsonl"), journal) << "no second line for the same";
  EXPECT_EQ(outcome.summary.unsupported, 1);
}

TEST(Evaluator, WhatCannotBeShownIsNotAsked) {
  const TempDir folder;
  auto dataset = make_dataset(4);
  dataset.items[1].scenes[0].captions.clear();
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kCircular});
  ScriptedAnswerer answerer([](const Question&, int) { return say("A"); });
  const auto outcome = run_once(plan, answerer, folder / "journal.jsonl");
  EXPECT_EQ(outcome.summary.not_shown, 3) << "in each of its orders";
  EXPECT_EQ(outcome.summary.answered, 8);
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_THAT(outcome.summary.missed[0].error.message, HasSubstr("has no caption"));
}

TEST(Evaluator, InterruptionKeepsWhatWasAnswered) {
  const TempDir folder;
  const auto dataset = make_dataset(50);
  const RequestPlan plan(dataset.items, {});
  std::stop_source stop;
  ScriptedAnswerer answerer([](const Question&, int) { return say("A"); });
  answerer.on_answer = [&](int answered) {
    if (answered == 17) stop.request_stop();
  };
  auto outcome = run_once(plan, answerer, folder / "journal.jsonl", stop.get_token());
  EXPECT_TRUE(outcome.is_cancelled);
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_EQ(outcome.summary.answered, 17);
  EXPECT_EQ(outcome.summary.open, 33);
  ScriptedAnswerer rest([](const Question&, int) { return say("A"); });
  outcome = run_once(plan, rest, folder / "journal.jsonl");
  EXPECT_FALSE(outcome.is_cancelled);
  EXPECT_THAT(rest.asked, ::testing::SizeIs(33));
}

TEST(Evaluator, StopAfterTheLastAnswerIsNoInterruption) {
  const TempDir folder;
  const auto dataset = make_dataset(3);
  const RequestPlan plan(dataset.items, {});
  std::stop_source stop;
  ScriptedAnswerer answerer([](const Question&, int) { return say("A"); });
  answerer.on_answer = [&](int answered) {
    if (answered == 3) stop.request_stop();
  };
  EXPECT_FALSE(run_once(plan, answerer, folder / "journal.jsonl", stop.get_token()).is_cancelled);
}

TEST(Evaluator, ExceptionOfTheModelPassesAndKeepsWhatWasAnswered) {
  const TempDir folder;
  const auto dataset = make_dataset(10);
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer answerer([](const Question& question, int) -> Answer {
    if (question.item_id == "item_7") throw Exception(ErrorCode::kUnauthenticated, "key refused");
    return say("A");
  });
  EXPECT_THROW(run_once(plan, answerer, folder / "journal.jsonl"), Exception);
  EXPECT_EQ(final_keys(plan, folder / "journal.jsonl").size(),
            static_cast<std::size_t>(answerer.answered));
}

TEST(Evaluator, ChoiceBeyondTheScenesIsAFailure) {
  const TempDir folder;
  const auto dataset = make_dataset(1);
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer answerer([](const Question&, int) {
    Answer answer = say("C");
    answer.choice = 2;
    return answer;
  });
  const auto outcome = run_once(plan, answerer, folder / "journal.jsonl");
  ASSERT_EQ(outcome.summary.failed, 1);
  EXPECT_EQ(outcome.summary.missed[0].error.message, "the model chose scene 3 of 2");
}

TEST(Evaluator, UnlabelledItemsAreAskedAndNotScored) {
  const TempDir folder;
  auto dataset = make_dataset(5);
  for (Item& item : dataset.items) item.answer.reset();
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer answerer([](const Question&, int) { return say("A"); });
  const auto outcome = run_once(plan, answerer, folder / "journal.jsonl");
  EXPECT_EQ(outcome.progress.done, 5);
  EXPECT_EQ(outcome.progress.scored, 0);
  EXPECT_THAT(predictions_of(plan, folder), HasSubstr(R"("gt_answer": null)"));
}

TEST(Evaluator, DamagedLinesAreAskedAgain) {
  const TempDir folder;
  const auto dataset = make_dataset(8);
  const RequestPlan plan(dataset.items, {});
  ScriptedAnswerer answerer([](const Question&, int) { return say("Scene A"); });
  run_once(plan, answerer, folder / "journal.jsonl");
  const std::string wanted = predictions_of(plan, folder);
  std::string journal = io::read_file(folder / "journal.jsonl");
  journal[journal.find('\n') + 3] = '\0';  // in the second line
  std::ofstream(folder / "journal.jsonl", std::ios::binary) << journal;
  log::set_level(log::Level::kError);
  ScriptedAnswerer rest([](const Question&, int) { return say("Scene A"); });
  const auto outcome = run_once(plan, rest, folder / "journal.jsonl");
  log::set_level(log::Level::kInfo);
  EXPECT_THAT(rest.asked, ::testing::SizeIs(1));
  EXPECT_EQ(outcome.summary.damaged_lines, 1U);
  EXPECT_EQ(predictions_of(plan, folder), wanted);
}

TEST(Evaluator, FirstFinalAnswerOfARequestWins) {
  const TempDir folder;
  const auto dataset = make_dataset(1);
  const RequestPlan plan(dataset.items, {});
  std::ofstream(folder / "journal.jsonl")
      << R"({"id": "item_0", "part": "AB", "status": "failed", "error": {"code": "unavailable", "message": "x"}})"
      << "\n"
      << R"({"id": "item_0", "part": "AB", "status": "answered", "text": "Scene A"})"
      << "\n"
      << R"({"id": "item_0", "part": "AB", "status": "answered", "text": "Scene B"})"
      << "\n"
      << R"({"id": "item_0", "part": "AB", "status": "failed", "error": {"code": "unavailable", "message": "x"}})"
      << "\n";
  EXPECT_THAT(predictions_of(plan, folder), HasSubstr(R"("pred_ans": "Scene A", "choice": "A")"));
}

// The property that all else is for: wherever a run is killed, and wherever its journal is torn,
// the next runs end with the very bytes of a run that nobody disturbed, and ask nothing twice that
// the journal holds.
TEST(EvaluatorProperty, KillsAndCutsLeaveNoTrace) {
  const auto dataset = make_dataset(30);
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kCircular});
  std::string wanted;
  {
    const TempDir folder;
    ScriptedAnswerer answerer(scripted_reply);
    for (int run = 0; run < 3; ++run) run_once(plan, answerer, folder / "journal.jsonl");
    wanted = predictions_of(plan, folder);
    ASSERT_EQ(final_keys(plan, folder / "journal.jsonl").size(), plan.num_requests());
  }
  Random random(20260101);
  for (int trial = 0; trial < 20; ++trial) {
    SCOPED_TRACE(trial);
    const TempDir folder;
    const auto journal = folder / "journal.jsonl";
    bool is_done = false;
    for (int life = 0; life < 100 && !is_done; ++life) {
      const std::set<std::string> known = final_keys(plan, journal);
      ScriptedAnswerer answerer([&](const Question& question, int) {
        return scripted_reply(question, life < 5 ? life : 3);
      });
      answerer.window = 1 + random.below(20);
      answerer.shuffle_seed = random.next();
      if (life < 8) answerer.kill_after = 1 + static_cast<int>(random.below(25));
      try {
        is_done = run_once(plan, answerer, journal).summary.failed == 0;
      } catch (const Killed&) {
        // A power cut may take any number of unsynced bytes, a kill none.
        const auto size = std::filesystem::file_size(journal);
        if (random.below(2) == 0) {
          std::filesystem::resize_file(
              journal, size - random.below(std::min<std::uint64_t>(size, 3000) + 1));
        }
      }
      for (const std::string& key : answerer.asked) {
        ASSERT_FALSE(known.contains(key)) << key << " was answered before";
      }
    }
    ASSERT_TRUE(is_done);
    ASSERT_EQ(predictions_of(plan, folder), wanted);
  }
}

// A cut at every byte of a short journal.
TEST(EvaluatorProperty, AnyCutContinues) {
  const auto dataset = make_dataset(3);
  const RequestPlan plan(dataset.items, {});
  const TempDir folder;
  const auto reply = [](const Question& question, int) {
    Answer answer = say("Scene " + std::string(1, question.item_id.back() == '1' ? 'B' : 'A'));
    answer.raw_reply = "{}";
    return answer;
  };
  ScriptedAnswerer answerer(reply);
  run_once(plan, answerer, folder / "journal.jsonl");
  const std::string whole = io::read_file(folder / "journal.jsonl");
  const std::string wanted = predictions_of(plan, folder);
  for (std::size_t size = 0; size <= whole.size(); size += 5) {
    std::ofstream(folder / "journal.jsonl", std::ios::binary) << whole.substr(0, size);
    ScriptedAnswerer rest(reply);
    run_once(plan, rest, folder / "journal.jsonl");
    const auto lines = static_cast<std::size_t>(
        std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
    ASSERT_EQ(rest.asked.size(), 3 - lines) << size;
    ASSERT_EQ(predictions_of(plan, folder), wanted) << size;
  }
}

}  // namespace
}  // namespace contra4::eval
