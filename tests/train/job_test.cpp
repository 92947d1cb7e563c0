// Trainings of several processes: the same losses as one, whatever lies where, and what becomes of
// a job of which one is killed.
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/journal.h"
#include "contra4/io/json.h"
#include "contra4/media/codecs/codecs.h"
#include "contra4/train/finetune.h"
#include "contra4/train/training.h"
#include "tests/support/test_env.h"
#include "tests/train/processes.h"
#include "tests/train/training_items.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::contra4::testing::expect_processes;
using ::contra4::testing::ProcessEnd;
using ::contra4::testing::run_processes;
using ::contra4::testing::TempDir;

constexpr std::int64_t kSteps = 20;
constexpr std::int64_t kQuestionsAStep = 4;

// Tests that start themselves anew need a folder that all of them know.
fs::path shared_folder(const std::string& name) {
  const char* given = std::getenv("CONTRA4_JOB_TEST_FOLDER");  // NOLINT(concurrency-mt-unsafe)
  return fs::path(given == nullptr ? "" : given) / name;
}

bool is_child() {
  return std::getenv("CONTRA4_TEST_RANK") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

class Folder {
 public:
  Folder() {
    if (is_child()) return;
    folder_.emplace();
    setenv("CONTRA4_JOB_TEST_FOLDER", folder_->path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }

 private:
  std::optional<TempDir> folder_;
};

FinetuneOptions options_of(const JobRank& job, TrainingType type, DataParallel way,
                           const fs::path& output) {
  FinetuneOptions options;
  options.checkpoint = CONTRA4_TINY_ONELLM;
  options.items = picture_items(18);
  options.output = output;
  options.epochs = 4;
  options.max_steps = kSteps;
  options.batch_size = kQuestionsAStep / job.count;
  // Adam divides small gradients by themselves: rounding grows with the rate.
  options.learning_rate = type == TrainingType::kFloat64 ? 1e-3 : 2e-4;
  options.warmup_epochs = 0.5;
  options.num_threads = 1;
  options.device = "cpu";
  options.type = type;
  options.data_parallel = way;
  options.job = job;
  options.writes_safetensors = false;
  options.writes_torch_file = false;
  options.decoder = &media::linked_decoder();
  return options;
}

std::vector<double> losses_in(const fs::path& output) {
  std::vector<double> losses;
  io::read_journal(output / "steps.jsonl", [&](std::uint64_t /*number*/, std::string_view line) {
    losses.push_back(
        io::parse_json(line, "steps.jsonl").value().find("loss")->find_number().value());
  });
  return losses;
}

std::vector<double> train_alone(TrainingType type, const fs::path& output) {
  const FinetuneOutcome outcome =
      finetune(options_of({}, type, DataParallel::kReplicated, output), {}, {});
  EXPECT_TRUE(outcome.is_complete);
  return losses_in(output);
}

struct Way {
  const char* name;
  DataParallel kind;
};
constexpr Way kWays[] = {{"ddp", DataParallel::kReplicated},
                         {"sdp", DataParallel::kShardGradients},
                         {"fsdp", DataParallel::kShardAll}};

FinetuneOutcome train_in(ProcessGroup& group, const JobRank& job, TrainingType type,
                         const Way& way) {
  const FinetuneOptions options = options_of(job, type, way.kind, shared_folder(way.name));
  const FinetuneObserver observer;
  return Training(options, observer, group).run({});
}

void compare_with_one_process(TrainingType type, int count, double tolerance) {
  const Folder folder;
  std::vector<double> alone;
  if (!is_child()) {
    alone = train_alone(type, shared_folder("alone"));
    ASSERT_EQ(std::ssize(alone), kSteps);
  }
  expect_processes(count, [type](const JobRank& job) {
    const auto group = join_processes({.job = job});
    for (const Way& way : kWays) EXPECT_TRUE(train_in(*group, job, type, way).is_complete);
  });
  for (const Way& way : kWays) {
    const std::vector<double> together = losses_in(shared_folder(way.name));
    ASSERT_EQ(together.size(), alone.size()) << way.name;
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_NEAR(together[i], alone[i], tolerance * std::abs(alone[i]))
          << way.name << ", step " << i + 1;
    }
  }
}

TEST(Job, OfTwoProcessesHasTheLossesOfOneInFloat64) {
  compare_with_one_process(TrainingType::kFloat64, 2, 1e-9);
}

TEST(Job, OfFourProcessesHasTheLossesOfOneInFloat64) {
  compare_with_one_process(TrainingType::kFloat64, 4, 1e-9);
}

TEST(Job, OfTwoProcessesHasTheLossesOfOneInFloat32) {
  compare_with_one_process(TrainingType::kFloat32, 2, 1e-4);
}

TEST(Job, OfFourProcessesHasTheLossesOfOneInFloat32) {
  compare_with_one_process(TrainingType::kFloat32, 4, 1e-4);
}

// Kills itself in the middle of a step; the checkpoint of the fourth is there then.
void run_until_killed(const JobRank& job, int victim) {
  FinetuneOptions options =
      options_of(job, TrainingType::kFloat32, DataParallel::kShardAll, shared_folder("killed"));
  options.save_steps = 4;
  FinetuneObserver observer;
  if (job.rank == victim) {
    options.max_steps = kSteps;
    std::jthread killer;
    // The first process is told of steps; another one sees the checkpoint appear.
    killer = std::jthread([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (fs::exists(shared_folder("killed") / "epoch_000_iter_000000004/checkpoint.json")) {
          std::raise(SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    finetune(options, observer, {});
    return;
  }
  finetune(options, observer, {});
}

void kill_and_go_on(int victim) {
  const Folder folder;
  const auto ends =
      run_processes(2, [victim](const JobRank& job) { run_until_killed(job, victim); });
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[static_cast<std::size_t>(victim)].exit_code, 128 + SIGKILL);
  const ProcessEnd& other = ends[static_cast<std::size_t>(1 - victim)];
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_LT(other.seconds, 60);
}

TEST(Job, EndsWhenItsFirstProcessIsKilled) {
  kill_and_go_on(0);
}

TEST(Job, EndsWhenItsSecondProcessIsKilled) {
  kill_and_go_on(1);
}

// Undisturbed, killed and gone on with: the same file of steps. Every process begins at the top of
// the test, so that a file tells which part it is to play.
TEST(Job, GoesOnAfterAKillWithTheSameBits) {
  const Folder folder;
  const auto play = [](const JobRank& job) {
    if (!fs::exists(shared_folder("is_killed"))) {
      run_until_killed(job, 1);
      return;
    }
    const bool goes_on = !fs::exists(shared_folder("is_done"));
    FinetuneOptions options = options_of(job, TrainingType::kFloat32, DataParallel::kShardAll,
                                         shared_folder(goes_on ? "killed" : "whole"));
    options.save_steps = 4;
    EXPECT_TRUE(finetune(options, {}, {}).is_complete);
  };
  run_processes(2, play);
  fs::create_directory(shared_folder("is_killed"));
  expect_processes(2, play);
  fs::create_directory(shared_folder("is_done"));
  expect_processes(2, play);
  const std::string whole = io::read_file(shared_folder("whole") / "steps.jsonl");
  EXPECT_EQ(losses_in(shared_folder("whole")).size(), static_cast<std::size_t>(kSteps));
  EXPECT_EQ(io::read_file(shared_folder("killed") / "steps.jsonl"), whole);
}

// Two processes save, one goes on, then four: the losses of one process all the way.
TEST(Job, GoesOnWithAnotherNumberOfProcesses) {
  const Folder folder;
  std::vector<double> alone;
  if (!is_child()) alone = train_alone(TrainingType::kFloat64, shared_folder("alone"));
  const auto part = [](const JobRank& job) {
    FinetuneOptions options =
        options_of(job, TrainingType::kFloat64, DataParallel::kShardAll, shared_folder("changing"));
    std::stop_source stop;
    const std::int64_t last = job.count == 2 ? 5 : kSteps;
    FinetuneObserver observer;
    observer.progress = [&](const FinetuneProgress& progress) {
      if (progress.step == last && last < kSteps) stop.request_stop();
    };
    EXPECT_EQ(finetune(options, observer, stop.get_token()).steps, last);
  };
  expect_processes(2, part);
  {
    FinetuneOptions options = options_of({}, TrainingType::kFloat64, DataParallel::kReplicated,
                                         shared_folder("changing"));
    std::stop_source stop;
    FinetuneObserver observer;
    observer.progress = [&](const FinetuneProgress& progress) {
      if (progress.step == 9) stop.request_stop();
    };
    EXPECT_EQ(finetune(options, observer, stop.get_token()).steps, 9);
  }
  expect_processes(4, part);
  const std::vector<double> changing = losses_in(shared_folder("changing"));
  ASSERT_EQ(changing.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_NEAR(changing[i], alone[i], 1e-9 * std::abs(alone[i])) << "step " << i + 1;
  }
}

}  // namespace
}  // namespace contra4::train
