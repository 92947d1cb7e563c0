// Expected rates were printed by adjust_learning_rate_epoch of csuhan/OneLLM 8587a47.
#include "contra4/train/schedule.h"

#include <gtest/gtest.h>

namespace contra4::train {
namespace {

TEST(Schedule, GoesUpInALineAndDownByHalfACosine) {
  const ScheduleOptions options{.peak = 2e-5, .floor = 1e-6, .warmup_epochs = 0.5, .epochs = 3};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.25), 1e-05);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.5), 2e-05);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1.0), 1.8185661446562e-05);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1.75), 1.0500000000000001e-05);
  EXPECT_DOUBLE_EQ(learning_rate(options, 2.9), 1.0749103375124613e-06);
  EXPECT_DOUBLE_EQ(learning_rate(options, 3), 1e-06);
}

TEST(Schedule, PublishedDefaultsAreARampThatStartsAtZero) {
  const ScheduleOptions options;
  EXPECT_EQ(learning_rate(options, 0), 0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.5), 5e-08);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.999), 9.99e-08);
}

TEST(Schedule, ARampAsLongAsTheTrainingEndsAtThePeakWithoutDividingByZero) {
  EXPECT_EQ(learning_rate({.peak = 1e-4, .warmup_epochs = 2, .epochs = 2}, 2), 1e-4);
  EXPECT_EQ(learning_rate({.peak = 1e-4, .warmup_epochs = 2, .epochs = 2}, 2.5), 1e-4);
  const ScheduleOptions longer{.peak = 1e-4, .warmup_epochs = 4, .epochs = 2};
  EXPECT_DOUBLE_EQ(learning_rate(longer, 2), 5e-5);
  EXPECT_EQ(learning_rate(longer, 4), 1e-4);
}

TEST(Schedule, WithoutAWarmupItStartsAtThePeak) {
  const ScheduleOptions options{.peak = 1e-4, .floor = 0, .warmup_epochs = 0, .epochs = 2};
  EXPECT_EQ(learning_rate(options, 0), 1e-4);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1), 5e-05);
}

TEST(Schedule, StaysAtTheFloorAfterTheLastEpoch) {
  const ScheduleOptions options{.peak = 1e-4, .floor = 1e-6, .warmup_epochs = 1, .epochs = 3};
  EXPECT_DOUBLE_EQ(learning_rate(options, 3), 1e-6);
  EXPECT_DOUBLE_EQ(learning_rate(options, 4), 1e-6);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1e9), 1e-6);
}

}  // namespace
}  // namespace contra4::train
