// Whole trainings of a tiny checkpoint over the real files of data/mini, in one process.
#include "contra4/train/finetune.h"

#include <cmath>
#include <stop_token>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/media/codecs/codecs.h"
#include "contra4/models/registry.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"
#include "tests/train/training_items.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::contra4::testing::TempDir;
using ::testing::Contains;
using ::testing::HasSubstr;

// Four steps an epoch over seven questions.
FinetuneOptions small_training(const fs::path& output) {
  FinetuneOptions options;
  options.checkpoint = CONTRA4_TINY_ONELLM;
  options.items = picture_items(6);
  options.items.push_back(mixed_item());
  options.output = output;
  options.epochs = 2;
  options.batch_size = 2;
  options.learning_rate = 1e-3;
  options.warmup_epochs = 0;
  options.num_threads = 1;
  options.device = "cpu";
  options.writes_safetensors = false;
  options.decoder = &media::linked_decoder();
  return options;
}

struct Watched {
  std::vector<FinetuneProgress> steps;
  std::vector<std::string> words;
  std::stop_source stop;
  std::int64_t stop_after = -1;

  FinetuneObserver observer() {
    return {.progress =
                [this](const FinetuneProgress& progress) {
                  steps.push_back(progress);
                  if (progress.step == stop_after) stop.request_stop();
                },
            .tell = [this](const std::string& line) { words.push_back(line); }};
  }
};

FinetuneOutcome run(const FinetuneOptions& options, Watched& watched) {
  return finetune(options, watched.observer(), watched.stop.get_token());
}

std::string steps_of(const fs::path& output) {
  return io::read_file(output / "steps.jsonl");
}

TEST(Finetune, LosesLossAndLeavesAModelThatIsEvaluated) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  options.log_folder = folder / "events";
  Watched watched;
  const FinetuneOutcome outcome = run(options, watched);
  ASSERT_TRUE(outcome.is_complete);
  ASSERT_EQ(outcome.steps, std::ssize(watched.steps));
  EXPECT_EQ(outcome.steps, 10);
  EXPECT_LT(watched.steps.back().loss, watched.steps.front().loss);
  EXPECT_GT(watched.steps.front().gradient_norm, 0);
  EXPECT_EQ(watched.steps.back().total_steps, outcome.steps);
  EXPECT_FALSE(fs::is_empty(folder / "events"));

  NativeModelOptions native;
  native.checkpoint = outcome.model;
  native.devices = {"cpu"};
  native.decoder = &media::linked_decoder();
  EXPECT_NE(models::make_scene_model("onellm", native), nullptr);
}

TEST(Finetune, GivesTheSameStepsHoweverMuchOfABatchIsComputedAtOnce) {
  const TempDir folder;
  const auto steps_with = [&](std::int64_t micro_batch_size) {
    FinetuneOptions options = small_training(folder / fmt::format("{}", micro_batch_size));
    options.type = TrainingType::kFloat64;
    options.items = picture_items(6);
    options.batch_size = 4;
    options.micro_batch_size = micro_batch_size;
    Watched watched;
    run(options, watched);
    return watched.steps;
  };
  const auto whole = steps_with(0);
  ASSERT_EQ(whole.size(), 4U) << "of four questions and of two, in each of two epochs";
  for (const std::int64_t micro_batch_size : {1, 2}) {
    const auto parts = steps_with(micro_batch_size);
    ASSERT_EQ(parts.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_NEAR(parts[i].loss, whole[i].loss, 1e-9) << micro_batch_size << " at once, " << i;
      EXPECT_NEAR(parts[i].gradient_norm, whole[i].gradient_norm, 1e-8);
    }
  }
}

TEST(Finetune, GoesOnAfterAStopAsIfThereHadBeenNone) {
  const TempDir folder;
  Watched undisturbed;
  run(small_training(folder / "whole"), undisturbed);

  for (const std::int64_t stop_after : {1, 4}) {
    const fs::path output = folder / ("cut" + std::to_string(stop_after));
    Watched cut;
    cut.stop_after = stop_after;
    const FinetuneOutcome first = run(small_training(output), cut);
    EXPECT_FALSE(first.is_complete);
    EXPECT_EQ(first.steps, stop_after);
    Watched rest;
    const FinetuneOutcome second = run(small_training(output), rest);
    ASSERT_TRUE(second.is_complete);
    EXPECT_EQ(rest.steps.front().step, stop_after + 1);
    EXPECT_EQ(steps_of(output), steps_of(folder / "whole"));
    EXPECT_EQ(io::read_file(output / "consolidated.00-of-01.pth"),
              io::read_file(folder / "whole/consolidated.00-of-01.pth"));
  }
}

TEST(Finetune, ASecondRunFindsAllDone) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  options.max_steps = 2;
  Watched first;
  ASSERT_TRUE(run(options, first).is_complete);
  const auto written = fs::last_write_time(folder / "out/consolidated.00-of-01.pth");
  Watched second;
  const FinetuneOutcome outcome = run(options, second);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_EQ(outcome.model, folder / "out");
  EXPECT_TRUE(second.steps.empty());
  EXPECT_THAT(second.words, Contains(HasSubstr("nothing to do")));
  EXPECT_EQ(fs::last_write_time(folder / "out/consolidated.00-of-01.pth"), written);
  // A kill between the last checkpoint and the model: only that is made up for.
  fs::remove(folder / "out/consolidated.00-of-01.pth");
  Watched third;
  ASSERT_TRUE(run(options, third).is_complete);
  EXPECT_TRUE(third.steps.empty());
  EXPECT_TRUE(fs::exists(folder / "out/consolidated.00-of-01.pth"));
}

TEST(Finetune, SaysWhatDiffersFromTheTrainingItIsToGoOnWith) {
  const TempDir folder;
  Watched cut;
  cut.stop_after = 1;
  run(small_training(folder / "out"), cut);
  FinetuneOptions other = small_training(folder / "out");
  other.learning_rate = 2e-3;
  Watched watched;
  const Error error = testing::error_of([&] { run(other, watched); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("lr"));
}

TEST(Finetune, NamesStepAndItemsOfALossThatIsNoNumber) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  options.learning_rate = 1e30;
  options.save_steps = 1;
  Watched watched;
  const Error error = testing::error_of([&] { run(options, watched); });
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("step 2"));
  EXPECT_THAT(error.message, HasSubstr("item"));
  EXPECT_EQ(watched.steps.size(), 1U);
}

TEST(Finetune, LeavesOutWhatCannotBeLearntFrom) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  options.epochs = 1;
  options.items[0].item.answer.reset();
  io::write_file_atomically(folder / "broken.wav", "no sound");
  for (std::size_t scene = 0; scene < options.items[6].media.size(); ++scene) {
    if (options.items[6].item.scenes[scene].modality == Modality::kAudio) {
      options.items[6].media[scene] = folder / "broken.wav";
    }
  }
  Watched watched;
  const FinetuneOutcome outcome = run(options, watched);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_EQ(outcome.num_left_out, 2);
  EXPECT_THAT(watched.words, Contains(HasSubstr("item_0")));
  EXPECT_THAT(watched.words, Contains(HasSubstr("broken.wav")));
}

TEST(Finetune, RefusesASetWithoutAnswers) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  for (TrainingItem& item : options.items) item.item.answer.reset();
  Watched watched;
  const Error error = testing::error_of([&] { run(options, watched); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("none of 7 items"));
}

TEST(Finetune, ValidatesAndStopsWhenNothingGetsBetter) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "out");
  options.epochs = 50;
  options.learning_rate = 0;
  options.min_learning_rate = 0;
  options.validation = picture_items(4);
  options.early_stop = 2;
  Watched watched;
  const FinetuneOutcome outcome = run(options, watched);
  EXPECT_TRUE(outcome.is_complete);
  ASSERT_TRUE(outcome.validation_accuracy.has_value());
  EXPECT_LT(outcome.steps, 50);
  EXPECT_THAT(watched.words, Contains(HasSubstr("of 4 validation items right")));
}

TEST(Finetune, TrainsLowRankUpdatesAndTheProjectorAlone) {
  for (const TrainedPart part : {TrainedPart::kLora, TrainedPart::kProjector}) {
    const TempDir folder;
    FinetuneOptions options = small_training(folder / "out");
    options.trained = part;
    Watched watched;
    const FinetuneOutcome outcome = run(options, watched);
    ASSERT_TRUE(outcome.is_complete);
    EXPECT_LT(watched.steps.back().loss, watched.steps.front().loss);
  }
}

TEST(Finetune, ComputingAnewChangesNoLoss) {
  const TempDir folder;
  FinetuneOptions options = small_training(folder / "plain");
  options.epochs = 1;
  Watched plain;
  run(options, plain);
  options.output = folder / "anew";
  options.recomputes = true;
  Watched anew;
  run(options, anew);
  ASSERT_EQ(plain.steps.size(), anew.steps.size());
  for (std::size_t i = 0; i < plain.steps.size(); ++i) {
    EXPECT_NEAR(plain.steps[i].loss, anew.steps[i].loss, 1e-5 * std::abs(plain.steps[i].loss));
  }
}

}  // namespace
}  // namespace contra4::train
