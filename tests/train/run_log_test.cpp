#include "contra4/train/run_log.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::contra4::testing::TempDir;

StepRecord record(std::int64_t step, double loss) {
  return {.epoch = (step - 1) / 2,
          .step = step,
          .loss = loss,
          .learning_rate = 0.1 * static_cast<double>(step),
          .gradient_norm = 1};
}

TEST(RunLog, GoesOnAfterAStepAndDropsWhatCameLater) {
  const TempDir folder;
  {
    RunLog log(folder.path(), {}, 0);
    for (std::int64_t step = 1; step <= 4; ++step) log.add(record(step, 1));
  }
  {
    RunLog log(folder.path(), {}, 2);
    log.add(record(3, 5));
  }
  RunLog whole(folder / "other", {}, 0);
  whole.add(record(1, 1));
  whole.add(record(2, 1));
  whole.add(record(3, 5));
  EXPECT_EQ(io::read_file(folder / "steps.jsonl"), io::read_file(folder / "other/steps.jsonl"));
}

TEST(RunLog, MeansOverAnEpochCountTheStepsOfEarlierStarts) {
  const TempDir folder;
  {
    RunLog log(folder.path(), {}, 0);
    log.add(record(1, 9));
    log.add(record(2, 9));
    log.add(record(3, 2));
  }
  RunLog log(folder.path(), {}, 3);
  log.add(record(4, 4));
  log.end_epoch(1, 0.5);
  const auto line = io::parse_json(io::read_file(folder / "log.txt"), "log.txt");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->find("train_loss")->find_number(), 3);
  EXPECT_EQ(line->find("epoch")->find_integer(), 1);
}

TEST(RunLog, RefusesASecondTrainingInTheFolder) {
  const TempDir folder;
  const RunLog log(folder.path(), {}, 0);
  const Error error = testing::error_of([&] { RunLog(folder.path(), {}, 0); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
}

TEST(RunLog, SurvivesATornLine) {
  const TempDir folder;
  {
    RunLog log(folder.path(), {}, 0);
    log.add(record(1, 1));
  }
  const std::string whole = io::read_file(folder / "steps.jsonl");
  io::write_file_atomically(folder / "steps.jsonl", whole + "{\"step\": 2, \"ep");
  { const RunLog log(folder.path(), {}, 1); }
  EXPECT_EQ(io::read_file(folder / "steps.jsonl"), whole);
}

}  // namespace
}  // namespace contra4::train
