#include "contra4/train/training_log.h"

#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

using testing::TempDir;

EpochRecord record_of(std::int64_t epoch, std::optional<double> accuracy = std::nullopt) {
  return {.epoch = epoch,
          .loss = 0.5 + static_cast<double>(epoch),
          .learning_rate = 2e-5,
          .gradient_norm = 1.25,
          .accuracy = accuracy};
}

std::string line_of(int epoch, const std::string& end = "}") {
  const std::string loss = std::to_string(epoch) + ".5";
  const auto means = [&](const std::string& prefix) {
    return "\"" + prefix + "_lr\": 2e-05, \"" + prefix + "_grad_norm\": 1.25, \"" + prefix +
           "_loss\": " + loss + ", \"" + prefix + "_iloss\": " + loss;
  };
  return "{" + means("train") + ", \"epoch\": " + std::to_string(epoch) + ", " + means("val") +
         end + "\n";
}

TEST(TrainingLog, HasThePublishedMembersAndTheAccuracyBehindThem) {
  const TempDir folder;
  write_epoch(folder / "deep/log.txt", record_of(0));
  write_epoch(folder / "deep/log.txt", record_of(1, 0.75));
  EXPECT_EQ(io::read_file(folder / "deep/log.txt"),
            line_of(0) + line_of(1, ", \"val_accuracy\": 0.75}"));
}

TEST(TrainingLog, EpochsThatAreDoneAgainAreThereOnce) {
  const TempDir folder;
  const auto path = folder / "log.txt";
  for (const int epoch : {0, 1, 2, 3}) write_epoch(path, record_of(epoch, 0.1));
  write_epoch(path, record_of(1));
  EXPECT_EQ(io::read_file(path), line_of(0, ", \"val_accuracy\": 0.1}") + line_of(1));
  write_epoch(path, record_of(2));
  EXPECT_EQ(io::read_file(path), line_of(0, ", \"val_accuracy\": 0.1}") + line_of(1) + line_of(2));
}

TEST(TrainingLog, WhatIsNoLineOfOursStays) {
  const TempDir folder;
  const auto path = folder / "log.txt";
  io::write_file_atomically(path, "a note\n\n{\"epoch\": \"7\"}\n{\"epoch\": 5}\n[1]\n{\"train");
  write_epoch(path, record_of(0));
  EXPECT_EQ(io::read_file(path), "a note\n\n{\"epoch\": \"7\"}\n[1]\n{\"train\n" + line_of(0));
}

}  // namespace
}  // namespace contra4::train
