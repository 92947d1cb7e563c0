#include "contra4/apps/progress.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::apps {
namespace {

using ::testing::HasSubstr;

eval::EvaluateProgress some_progress() {
  eval::EvaluateProgress progress;
  progress.total = 2335;
  progress.done = 1200;
  progress.resumed = 200;
  progress.failed = 2;
  progress.in_flight = 16;
  progress.scored = 1000;
  progress.right = 671;
  return progress;
}

TEST(ProgressText, TellsAllThatCounts) {
  const auto text = progress_text(some_progress(), 10);
  EXPECT_THAT(text, HasSubstr("1,202 of 2,335 (51.5%)"));
  EXPECT_THAT(text, HasSubstr("100 a second"));
  EXPECT_THAT(text, HasSubstr("right 67.1%"));
  EXPECT_THAT(text, HasSubstr("16 in flight"));
  EXPECT_THAT(text, HasSubstr("2 failed"));
  EXPECT_THAT(text, HasSubstr("0:11 left"));
}

TEST(ProgressText, AFirstLateAnswerForetellsNothing) {
  eval::EvaluateProgress progress;
  progress.total = 2335;
  progress.done = 1;
  progress.in_flight = 2334;
  EXPECT_EQ(progress_text(progress, 120), "1 of 2,335 (0.0%), 2,334 in flight");
}

TEST(ProgressText, AnEmptyRunDividesByNothing) {
  EXPECT_EQ(progress_text(eval::EvaluateProgress{}, 0), "0 of 0 (0.0%)");
}

TEST(ProgressText, TellsHowATrainingGoes) {
  FinetuneProgress progress;
  progress.epoch = 1;
  progress.step = 120;
  progress.total_steps = 5000;
  progress.loss = 1.23456;
  progress.learning_rate = 1.2e-5;
  progress.gradient_norm = 0.5234;
  progress.tokens_per_s = 1234.4;
  progress.memory_bytes = 12'340'000'000;
  progress.seconds_left = 182;
  EXPECT_EQ(progress_text(progress),
            "epoch 2, step 120 of 5,000 (2.4%), loss 1.2346, lr 1.2e-05, gradient norm 0.523, "
            "1,234 tokens/s, 12.3 GB, 3:02 left");
  EXPECT_EQ(progress_text(FinetuneProgress{}),
            "epoch 1, step 0 of 0 (0.0%), loss 0.0000, lr 0, gradient norm 0");
}

std::string shown(bool is_terminal, bool quiet) {
  std::ostringstream out;
  std::ostringstream err;
  Context context{.out = out,
                  .err = err,
                  .environment = [](const std::string&) { return std::nullopt; },
                  .err_is_terminal = is_terminal};
  context.quiet = quiet;
  const SystemClock clock;
  ProgressLine line(context, clock);
  line.update(some_progress());
  return err.str();
}

TEST(ProgressLine, IsRedrawnOnATerminalAlone) {
  EXPECT_THAT(shown(true, false), HasSubstr("\r\x1b[K1,202 of"));
  EXPECT_EQ(shown(false, false), "");  // a line every half minute
  EXPECT_EQ(shown(true, true), "");
}

}  // namespace
}  // namespace contra4::apps
