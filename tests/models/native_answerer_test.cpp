#include "contra4/models/native_answerer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/models/fake_scene_model.h"
#include "tests/support/test_env.h"

namespace contra4::models {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class NativeAnswererTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& content) {
    const auto path = folder_ / name;
    io::write_file_atomically(path, content);
    return path;
  }

  static ShownScene scene(Modality modality, const std::filesystem::path& path) {
    ShownScene scene;
    scene.modality = modality;
    scene.media = path;
    return scene;
  }

  // Adds a question with the next ticket.
  void ask(const std::string& text, std::vector<ShownScene> scenes) {
    Question question;
    question.ticket = questions_.size();
    question.text = text;
    question.scenes = std::move(scenes);
    questions_.push_back(std::move(question));
  }

  // Two-scene questions over `num_media` pictures, each picture in several of them.
  void ask_many(std::size_t num_questions, std::size_t num_media) {
    std::vector<std::filesystem::path> paths;
    for (std::size_t i = 0; i < num_media; ++i) {
      paths.push_back(file(fmt::format("m{}", i), fmt::format("picture {}", i)));
    }
    for (std::size_t i = 0; i < num_questions; ++i) {
      ask(fmt::format("q{}", i), {scene(Modality::kImage, paths[i % num_media]),
                                  scene(Modality::kImage, paths[(i + 1) % num_media])});
    }
  }

  NativeAnswerer answerer(std::uint64_t max_feature_bytes = 1U << 20) {
    return {std::make_unique<FakeSceneModel>(state_), options_, max_feature_bytes};
  }

  std::map<std::uint64_t, Answer> answers(std::uint64_t max_feature_bytes = 1U << 20) {
    std::map<std::uint64_t, Answer> given;
    std::size_t next = 0;
    answerer(max_feature_bytes)
        .run(
            [&]() -> std::optional<Question> {
              if (next == questions_.size()) return std::nullopt;
              return questions_[next++];
            },
            [&](Answer answer) {
              const auto ticket = answer.ticket;
              EXPECT_TRUE(given.emplace(ticket, std::move(answer)).second) << "answered twice";
            },
            {});
    EXPECT_EQ(given.size(), questions_.size());
    return given;
  }

  testing::TempDir folder_;
  FakeSceneModelState state_;
  NativeModelOptions options_ = [] {
    NativeModelOptions options;
    options.num_threads = 1;
    options.num_decoders = 3;
    return options;
  }();
  std::vector<Question> questions_;
};

TEST_F(NativeAnswererTest, ShowsEachSceneWithItsModality) {
  ask("louder?", {scene(Modality::kAudio, file("a.wav", "bark")),
                  scene(Modality::kPointCloud, file("c.npz", "chair"))});
  const auto given = answers();
  const Answer& answer = given.at(0);
  EXPECT_EQ(answer.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(answer.text, "louder?|audio=bark|pc=chair");
  EXPECT_EQ(answer.choice, 1);
  EXPECT_THAT(answer.scores, ElementsAre(-2, -1));
  EXPECT_EQ(answer.usage.prompt_tokens, 77);
  EXPECT_EQ(answer.usage.completion_tokens, 2);
  EXPECT_GE(answer.latency_s, 0);
  ASSERT_TRUE(answer.trace);
  EXPECT_EQ(answer.trace->decoded, answer.text + "\n##");
  EXPECT_EQ(answer.trace->prompt, "prompt");
  EXPECT_THAT(answer.trace->prompt_token_ids, ElementsAre(1, 2, 3));
  EXPECT_THAT(answer.trace->token_ids, ElementsAre(7, 8));
  EXPECT_EQ(answer.trace->sequence_length, 77);
}

TEST_F(NativeAnswererTest, PreparesAndEncodesEachMediumOnce) {
  ask_many(300, 40);
  const auto given = answers();
  EXPECT_EQ(given.at(41).text, "q41|image=picture 1|image=picture 2");
  EXPECT_EQ(state_.num_prepared.size(), 40U);
  EXPECT_THAT(state_.num_prepared, Each(Pair(::testing::_, 1)));
  EXPECT_THAT(state_.num_encoded, Each(Pair(::testing::_, 1)));
}

TEST_F(NativeAnswererTest, KnowsAMediumByItsContentWhateverItsPath) {
  const auto one = file("one.png", "same");
  const auto other = file("other.png", "same");
  ask("q", {scene(Modality::kImage, one), scene(Modality::kImage, other)});
  EXPECT_EQ(answers().at(0).text, "q|image=same|image=same");
  EXPECT_THAT(state_.num_encoded, ElementsAre(Pair("same", 1)));
}

TEST_F(NativeAnswererTest, EncodesTheSameBytesApartForEachModality) {
  const auto path = file("clip.mp4", "clip");
  ask("q", {scene(Modality::kVideo, path), scene(Modality::kAudio, path)});
  EXPECT_EQ(answers().at(0).text, "q|video=clip|audio=clip");
  EXPECT_EQ(state_.num_encoded["clip"], 2);
}

TEST_F(NativeAnswererTest, FillsItsBatchesAndKeepsWithinThem) {
  ask_many(60, 60);
  answers();
  EXPECT_LE(state_.largest_encode_batch, 3U);
  EXPECT_LE(state_.largest_answer_batch, 4U);
  // Many questions over each pair of media: all are ready at once, however slow the threads are.
  questions_.clear();
  ask_many(60, 3);
  state_.largest_answer_batch = 0;
  answers();
  EXPECT_EQ(state_.largest_answer_batch, 4U);
  options_.batch_size = 7;
  state_.largest_answer_batch = 0;
  answers();
  EXPECT_EQ(state_.largest_answer_batch, 7U);
}

TEST_F(NativeAnswererTest, AMediumThatFailsFailsOnlyItsQuestions) {
  const auto good = file("good.png", "good");
  const auto bad = file("bad.png", "broken bytes");
  ask("q0", {scene(Modality::kImage, good), scene(Modality::kImage, bad)});
  ask("q1", {scene(Modality::kImage, good), scene(Modality::kImage, good)});
  ask("q2", {scene(Modality::kImage, bad), scene(Modality::kImage, good)});
  ask("q3", {scene(Modality::kImage, folder_ / "absent.png"), scene(Modality::kImage, good)});
  const auto given = answers();
  EXPECT_EQ(given.at(1).status, OutcomeStatus::kAnswered);
  for (const std::uint64_t ticket : {0, 2}) {
    EXPECT_EQ(given.at(ticket).status, OutcomeStatus::kFailed);
    EXPECT_EQ(given.at(ticket).error.code, ErrorCode::kDataLoss);
    EXPECT_THAT(given.at(ticket).error.message,
                AllOf(HasSubstr("bad.png"), HasSubstr("cut short")));
  }
  EXPECT_EQ(given.at(3).error.code, ErrorCode::kNotFound);
  EXPECT_THAT(given.at(3).error.message, HasSubstr("absent.png"));
  EXPECT_EQ(state_.num_prepared["broken bytes"], 1);
}

TEST_F(NativeAnswererTest, AQuestionThatTheModelRefusesFailsAlone) {
  const auto picture = file("p.png", "p");
  ask("too long", {scene(Modality::kImage, picture), scene(Modality::kImage, picture)});
  ask("short", {scene(Modality::kImage, picture), scene(Modality::kImage, picture)});
  const auto given = answers();
  EXPECT_EQ(given.at(0).status, OutcomeStatus::kFailed);
  EXPECT_EQ(given.at(0).error.message, "the question is too long");
  EXPECT_EQ(given.at(1).status, OutcomeStatus::kAnswered);
}

TEST_F(NativeAnswererTest, ASceneWithoutAFileFailsItsQuestion) {
  ShownScene words;
  words.caption = "a dog";
  ask("q", {scene(Modality::kImage, file("p.png", "p")), words});
  const auto given = answers();
  EXPECT_EQ(given.at(0).error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(given.at(0).error.message, HasSubstr("Scene B has no file"));
}

TEST_F(NativeAnswererTest, AnswersTheSameWithMemoryForNothing) {
  ask_many(400, 150);  // more media than the questions in flight show
  const auto expected = answers();
  state_.num_encoded.clear();
  const auto given = answers(0);
  for (const auto& [ticket, answer] : given) EXPECT_EQ(answer.text, expected.at(ticket).text);
  // Nothing is kept beyond the questions that wait, so that media come back.
  EXPECT_GT(state_.num_encoded["picture 3"], 1);
}

TEST_F(NativeAnswererTest, TakesFeaturesFromTheStoreOfAnEarlierRun) {
  options_.feature_store = folder_ / "features";
  ask_many(20, 6);
  const auto expected = answers();
  state_.num_prepared.clear();
  state_.num_encoded.clear();
  const auto given = answers();
  for (const auto& [ticket, answer] : given) EXPECT_EQ(answer.text, expected.at(ticket).text);
  EXPECT_TRUE(state_.num_prepared.empty());
  EXPECT_TRUE(state_.num_encoded.empty());
  EXPECT_EQ(state_.num_placed, 6U);
  state_.key = "fake 2";
  answers();
  EXPECT_EQ(state_.num_encoded.size(), 6U) << "features of another model were taken";
}

TEST_F(NativeAnswererTest, WithAStoreEachMediumIsEncodedOnceWhateverTheMemory) {
  options_.feature_store = folder_ / "features";
  ask_many(200, 12);
  answers();
  state_.num_encoded.clear();
  answers(0);
  EXPECT_TRUE(state_.num_encoded.empty());
}

TEST_F(NativeAnswererTest, GoesOnWithAStoreThatCannotBeWritten) {
  options_.feature_store = file("no_folder", "a file");
  ask_many(8, 4);
  const auto given = answers();
  for (const auto& [ticket, answer] : given) EXPECT_EQ(answer.status, OutcomeStatus::kAnswered);
}

TEST_F(NativeAnswererTest, AStopEndsItBetweenBatches) {
  ask_many(100, 10);
  std::stop_source stop;
  int num_batches = 0;
  state_.before_answer = [&] {
    if (++num_batches == 2) stop.request_stop();
  };
  std::size_t next = 0;
  std::size_t num_answers = 0;
  answerer().run(
      [&]() -> std::optional<Question> {
        if (next == questions_.size()) return std::nullopt;
        return questions_[next++];
      },
      [&](const Answer&) { ++num_answers; }, stop.get_token());
  EXPECT_EQ(num_batches, 2);
  EXPECT_GT(num_answers, 0U);
  EXPECT_LE(num_answers, 8U);
}

TEST_F(NativeAnswererTest, AStopAskedForBeforeAsksNothing) {
  ask_many(4, 4);
  std::stop_source stop;
  stop.request_stop();
  answerer().run([]() -> std::optional<Question> { throw std::logic_error("asked"); },
                 [](const Answer&) { FAIL(); }, stop.get_token());
}

TEST_F(NativeAnswererTest, AnEmptySourceEndsAtOnce) {
  EXPECT_TRUE(answers().empty());
}

TEST_F(NativeAnswererTest, WhatPreparingThrowsEndsTheRun) {
  ask_many(20, 5);
  ask("q",
      {scene(Modality::kImage, file("b.png", "bug")), scene(Modality::kImage, folder_ / "m0")});
  try {
    answers();
    FAIL() << "not thrown";
  } catch (const Exception& error) {
    EXPECT_STREQ(error.what(), "a mistake in preparing");
  }
}

TEST_F(NativeAnswererTest, WhatTheSinkThrowsEndsTheRun) {
  ask_many(50, 20);
  std::size_t next = 0;
  EXPECT_THROW(answerer().run(
                   [&]() -> std::optional<Question> {
                     if (next == questions_.size()) return std::nullopt;
                     return questions_[next++];
                   },
                   [](const Answer&) { throw std::runtime_error("the disk is full"); }, {}),
               std::runtime_error);
}

TEST_F(NativeAnswererTest, AnswersTheSameWithAnyNumberOfDecoders) {
  ask_many(120, 30);
  options_.num_decoders = 1;
  const auto expected = answers();
  options_.num_decoders = 8;
  const auto given = answers();
  for (const auto& [ticket, answer] : given) EXPECT_EQ(answer.text, expected.at(ticket).text);
}

TEST_F(NativeAnswererTest, RefusesNegativeNumbers) {
  options_.batch_size = -1;
  EXPECT_THROW(answerer(), Exception);
  options_.batch_size = 0;
  options_.num_decoders = -2;
  EXPECT_THROW(answerer(), Exception);
}

}  // namespace
}  // namespace contra4::models
