#include "contra4/apps/workers.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::optional<Worker> found(const Variables& variables) {
  return find_worker([&](const std::string& name) -> std::optional<std::string> {
    const auto place = variables.find(name);
    if (place == variables.end()) return std::nullopt;
    return place->second;
  });
}

TEST(FindWorker, ReadsTheThreeLaunchers) {
  const auto torchrun =
      found({{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "4"}});
  ASSERT_TRUE(torchrun);
  EXPECT_EQ(torchrun->rank, 5);
  EXPECT_EQ(torchrun->count, 8);
  EXPECT_EQ(torchrun->local_rank, 1);
  EXPECT_EQ(torchrun->local_size, 4);
  const auto srun = found({{"SLURM_PROCID", "2"},
                           {"SLURM_NTASKS", "4"},
                           {"SLURM_LOCALID", "0"},
                           {"SLURM_JOB_ID", "7"},
                           {"SLURM_STEP_ID", "0"},
                           {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"}});
  ASSERT_TRUE(srun);
  EXPECT_EQ(srun->rank, 2);
  EXPECT_EQ(srun->local_size, 2);
  const auto mpirun = found({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}});
  ASSERT_TRUE(mpirun);
  EXPECT_EQ(mpirun->count, 2);
}

TEST(FindWorker, IsNoneAloneAndInABatchScript) {
  EXPECT_FALSE(found({}));
  EXPECT_FALSE(found({{"RANK", "0"}, {"WORLD_SIZE", "1"}}));
  EXPECT_FALSE(found({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_JOB_ID", "7"}}));
}

TEST(FindWorker, RefusesWhatIsNoRank) {
  EXPECT_THROW(found({{"RANK", "8"}, {"WORLD_SIZE", "8"}}), UsageError);
  EXPECT_THROW(found({{"RANK", "zero"}, {"WORLD_SIZE", "8"}}), UsageError);
}

TEST(ShareOf, SharesALimitAsItSharesItems) {
  const eval::PlanOptions whole{.limit = 7};
  const auto limit_of = [&](int rank) {
    return *share_of(whole, {.rank = rank, .count = 3}).limit;
  };
  EXPECT_EQ(limit_of(0), 3);
  EXPECT_EQ(limit_of(1), 2);
  EXPECT_EQ(limit_of(2), 2);
  const eval::PlanOptions one{.limit = 1};
  EXPECT_EQ(share_of(one, {.rank = 2, .count = 3}).limit, 0);
  EXPECT_FALSE(share_of({}, {.rank = 1, .count = 3}).limit);
}

TEST(WaitForWorkers, GivesUpThoseThatAreSilent) {
  const TempDir folder;
  const auto done = worker_folder(folder.path(), 1, 3);
  std::filesystem::create_directories(done);
  std::ofstream(done / "predictions.json") << "[]";
  contra4::testing::FakeClock clock;
  int last_told = -1;
  const auto silent = wait_for_workers({.run = folder.path(),
                                        .worker = {.rank = 0, .count = 3},
                                        .patience = std::chrono::seconds(60),
                                        .tell =
                                            [&](int num_done) {
                                              last_told = num_done;
                                              clock.advance(std::chrono::seconds(30));
                                            }},
                                       clock, {});
  EXPECT_THAT(silent, ElementsAre(2));
  EXPECT_EQ(last_told, 2);
}

class EvaluateByWorkers : public ::testing::Test {
 protected:
  Outcome worker(int rank, int count, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"evaluate",
                                          "--dataset",
                                          mini_,
                                          "--model",
                                          "lexical/bm25",
                                          "--input",
                                          "oracle-captions",
                                          "--permutations",
                                          "circular",
                                          "--output",
                                          (folder_ / "run").string(),
                                          "--worker-timeout-s",
                                          "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, {{"RANK", std::to_string(rank)}, {"WORLD_SIZE", std::to_string(count)}});
  }
  std::string predictions(const std::string& run_folder) {
    return io::read_file(folder_ / run_folder / "predictions.json");
  }
  std::size_t journal_lines() {
    const std::string journal = io::read_file(folder_ / "run" / "journal.jsonl");
    return static_cast<std::size_t>(std::count(journal.begin(), journal.end(), '\n'));
  }
  const std::string mini_ = (contra4::testing::mini_dir() / "test.json").string();
  TempDir folder_;
};

TEST_F(EvaluateByWorkers, EndsWithTheBytesOfOneProcess) {
  ASSERT_EQ(
      run({"evaluate", "--dataset", mini_, "--model", "lexical/bm25", "--input", "oracle-captions",
           "--permutations", "circular", "--output", (folder_ / "alone").string()})
          .code,
      kExitDone);
  for (const int rank : {2, 1}) {
    const auto outcome = worker(rank, 3);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
  }
  const auto first = worker(0, 3);
  EXPECT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.out, HasSubstr("lexical/bm25"));
  EXPECT_EQ(predictions("run"), predictions("alone"));
  const std::size_t lines = journal_lines();

  EXPECT_EQ(worker(0, 3).code, kExitDone) << "all is there";
  EXPECT_EQ(worker(1, 2).code, kExitDone) << "another number of workers finds it, too";
  EXPECT_EQ(worker(0, 2).code, kExitDone);
  EXPECT_EQ(journal_lines(), lines) << "nothing was asked twice";
  EXPECT_EQ(predictions("run"), predictions("alone"));
}

TEST_F(EvaluateByWorkers, TheFirstTakesOverFromOneThatDied) {
  ASSERT_EQ(worker(1, 3).code, kExitDone);
  const auto first = worker(0, 3);
  EXPECT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.err, HasSubstr("worker 3 of 3 has answered nothing for 1 s"));
  const auto rows = io::parse_json(predictions("run"), "predictions").value();
  ASSERT_NE(rows.find_array(), nullptr);
  EXPECT_EQ(rows.find_array()->size(), journal_lines());
}

TEST_F(EvaluateByWorkers, NamesAChangedSettingBeforeAnythingIsAsked) {
  ASSERT_EQ(worker(1, 2).code, kExitDone);
  ASSERT_EQ(worker(0, 2).code, kExitDone);
  const auto changed = worker(0, 2, {"--seed", "9"});
  EXPECT_EQ(changed.code, kExitFailed);
  EXPECT_THAT(changed.err, HasSubstr("seed"));
}

}  // namespace
}  // namespace contra4::apps
