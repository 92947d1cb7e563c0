#include "contra4/inference/training_checkpoints.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_env.h"

namespace contra4 {
namespace {

using ::contra4::testing::TempDir;
using ::testing::ElementsAre;

TEST(TrainingCheckpoints, AreNamedSoThatTheyAreFoundAgain) {
  EXPECT_EQ(checkpoint_name(2, 500), "epoch_002_iter_000000500");
  EXPECT_EQ(checkpoint_name(1234, 0), "epoch_1234_iter_000000000");
}

TEST(TrainingCheckpoints, ComeByNumberTheNewestFirst) {
  const TempDir folder;
  for (const char* name :
       {"epoch_002_iter_000000100", "epoch_010_iter_000000002", "epoch_9_iter_000000100",
        "epoch_012_iter_000000000x", "epoch_-1_iter_000000001", "epoch_3", "runs"}) {
    std::filesystem::create_directory(folder / name);
  }
  std::ofstream(folder / "epoch_020_iter_000000001") << "a file";
  std::ofstream(folder / "epoch_9_iter_000000100" / kCheckpointIndexName) << "{}";
  std::vector<std::string> names;
  std::vector<bool> committed;
  for (const TrainingCheckpoint& found : find_checkpoints(folder.path())) {
    names.push_back(found.folder.filename().string());
    committed.push_back(found.is_committed);
  }
  EXPECT_THAT(names, ElementsAre("epoch_010_iter_000000002", "epoch_9_iter_000000100",
                                 "epoch_002_iter_000000100"));
  EXPECT_THAT(committed, ElementsAre(false, true, false));
}

TEST(TrainingCheckpoints, AreNoneWhereThereIsNoFolder) {
  EXPECT_TRUE(find_checkpoints("/nowhere/at/all").empty());
}

}  // namespace
}  // namespace contra4
