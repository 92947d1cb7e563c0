// `contra4 finetune` as a process that is stopped, is killed, and goes on.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/apps/command.h"
#include "contra4/io/file.h"
#include "contra4/io/journal.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

extern char** environ;  // NOLINT(*-redundant-declaration)

namespace contra4::apps {
namespace {

using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

const std::string kTiny = CONTRA4_TINY_ONELLM;
const std::string kProgram = CONTRA4_PROGRAM;
// CLIP's part of each medium is computed once.
const std::string kQuick = "--train projector --batch_size 1 --epochs 1000 ";

pid_t start(const std::string& shell_command) {
  const std::array<std::string, 3> words = {"sh", "-c", shell_command};
  std::array<char*, 4> argv = {const_cast<char*>(words[0].c_str()),
                               const_cast<char*>(words[1].c_str()),
                               const_cast<char*>(words[2].c_str()), nullptr};
  // A shell's background jobs ignore Ctrl-C, this program among them; what it starts shall not.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGINT);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, "/bin/sh", nullptr, &attributes, argv.data(), environ), 0);
  ::posix_spawnattr_destroy(&attributes);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool wait_until(const std::function<bool()>& holds) {
  const auto until = Clock::now() + std::chrono::seconds(120);
  while (!holds()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// Checkpoints of a run that are whole.
std::size_t count_checkpoints(const fs::path& run) {
  std::error_code ignored;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    if (fs::exists(entry.path() / "checkpoint.json", ignored)) ++count;
  }
  return count;
}

class FinetuneRun : public ::testing::Test {
 protected:
  fs::path folder(const std::string& name) const { return folder_ / name; }
  std::string err_of(const std::string& name) const {
    return io::read_file(folder_ / (name + ".err"));
  }
  // A shell command that trains into that folder; words go to LOG.err, results to LOG.out.
  std::string command(const std::string& name, const std::string& more,
                      const std::string& log = "") const {
    const std::string words = folder(log.empty() ? name : log).string();
    return fmt::format(
        "exec {} finetune --data {} --media-root {} --llama_ckpt_dir {} --output_dir {} --device "
        "cpu --threads 1 --precision fp32 --format safetensors {} >{}.out 2>{}.err",
        kProgram, (mini_dir() / "val.json").string(), (mini_dir() / "media").string(), kTiny,
        folder(name).string(), more, words, words);
  }
  int train(const std::string& name, const std::string& more) const {
    return wait_for(start(command(name, more)));
  }
  std::string model_bytes(const std::string& name) const {
    return io::read_file(folder(name) / "model.safetensors", 1U << 30);
  }
  std::vector<double> losses_of(const std::string& name) const {
    std::vector<double> losses;
    io::read_journal(folder(name) / "steps.jsonl", [&](std::uint64_t, std::string_view line) {
      losses.push_back(io::parse_json(line, "step").value().find("loss")->find_number().value());
    });
    return losses;
  }
  // Of `contra4 evaluate`, over what was learnt from.
  double accuracy(const std::string& name) const {
    const auto outcome =
        run({"evaluate", "--dataset", (mini_dir() / "val.json").string(), "--model",
             "onellm/" + folder(name).string(), "--media-root", (mini_dir() / "media").string(),
             "--output", (folder_ / (name + "-evaluation")).string(), "--no-feature-store",
             "--threads", "1"});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    const auto results =
        io::parse_json(io::read_file(folder_ / (name + "-evaluation") / "results.json"), "results");
    return results.value().find_path("accuracy", "all", "accuracy")->find_number().value();
  }
  TempDir folder_;
};

// The two halves of the defect that --compat keeps: the loss falls, and nothing is learnt by it.
TEST_F(FinetuneRun, LearnsTheMiniSetAndWithCompatDoesNot) {
  const std::string steps = "--batch_size 1 --lr 2e-3 --epochs 1000 --save_interval 1000 ";
  // Steps enough for another rounding of every product to end as well: no loss is above 0.1 then.
  ASSERT_EQ(train("right", steps + "--max-steps 160"), 0) << err_of("right");
  EXPECT_GT(accuracy("right"), 0.95);
  EXPECT_THAT(err_of("right"), HasSubstr("evaluate it: contra4 evaluate"));
  ASSERT_EQ(train("published", steps + "--max-steps 128 --compat --warmup_epochs 0"), 0)
      << err_of("published");
  const std::vector<double> losses = losses_of("published");
  EXPECT_LT(losses.back(), 0.1 * losses.front());
  EXPECT_LT(accuracy("published"), 0.75);
}

TEST_F(FinetuneRun, EndsWellAfterSigtermAndGoesOnToTheBit) {
  const std::string steps = kQuick + "--max-steps 12 --save_interval 4 --lr 1e-3 --keep 0";
  ASSERT_EQ(train("whole", steps), 0) << err_of("whole");
  const pid_t pid = start(command("cut", steps));
  ASSERT_TRUE(wait_until([&] { return count_checkpoints(folder("cut")) > 0; })) << err_of("cut");
  ::kill(pid, SIGTERM);
  EXPECT_EQ(wait_for(pid), 0) << err_of("cut");
  EXPECT_THAT(err_of("cut"), HasSubstr("the same command goes on"));
  ASSERT_EQ(train("cut", steps), 0) << err_of("cut");
  EXPECT_EQ(model_bytes("cut"), model_bytes("whole"));
  EXPECT_EQ(io::read_file(folder("cut") / "steps.jsonl"),
            io::read_file(folder("whole") / "steps.jsonl"))
      << "the losses of all steps";
}

TEST_F(FinetuneRun, CtrlCSavesAndFails) {
  const pid_t pid = start(command("run", kQuick + "--max-steps 2000 --save_interval 2"));
  ASSERT_TRUE(wait_until([&] { return count_checkpoints(folder("run")) > 0; })) << err_of("run");
  ::kill(pid, SIGINT);
  EXPECT_EQ(wait_for(pid), 1);
  EXPECT_THAT(err_of("run"), HasSubstr("the same command goes on"));
}

TEST_F(FinetuneRun, AKillLosesWhatCameAfterTheLastCheckpointAlone) {
  const std::string steps = kQuick + "--max-steps 12 --save_interval 3 --lr 1e-3 --keep 0";
  ASSERT_EQ(train("whole", steps), 0) << err_of("whole");
  for (std::size_t kills = 1; kills <= 2; ++kills) {
    const pid_t pid = start(command("killed", steps));
    ASSERT_TRUE(wait_until([&] { return count_checkpoints(folder("killed")) >= kills; }))
        << err_of("killed");
    ::kill(pid, SIGKILL);
    EXPECT_EQ(wait_for(pid), 128 + SIGKILL);
  }
  ASSERT_EQ(train("killed", steps), 0) << err_of("killed");
  EXPECT_THAT(err_of("killed"), HasSubstr("going on after step"));
  EXPECT_EQ(model_bytes("killed"), model_bytes("whole"));
}

TEST_F(FinetuneRun, LeavesWhatTensorBoardReadsAndTheLogOfThePublishedScript) {
  ASSERT_EQ(train("run", kQuick + "--max-steps 18 --json"), 0) << err_of("run");
  std::size_t event_files = 0;
  for (const auto& entry : fs::directory_iterator(folder("run") / "tensorboard")) {
    event_files += entry.path().filename().string().starts_with("events.out.tfevents.") ? 1 : 0;
    EXPECT_THAT(io::read_file(entry.path()), HasSubstr("train_loss"));
  }
  EXPECT_EQ(event_files, 1U);
  EXPECT_THAT(io::read_file(folder("run") / "log.txt"), HasSubstr("\"train_loss\""));
  const auto outcome = io::parse_json(io::read_file(folder_ / "run.out"), "outcome").value();
  EXPECT_EQ(outcome.find("is_complete")->find_bool(), true);
  EXPECT_EQ(outcome.find("steps")->find_integer(), 18);
  EXPECT_EQ(*outcome.find("model")->find_string(), folder("run").string());
}

TEST_F(FinetuneRun, AFullDiskEndsItAndLeavesTheCheckpointBefore) {
  const std::string steps = kQuick + "--save_interval 2";
  ASSERT_EQ(train("run", steps + " --max-steps 2"), 0) << err_of("run");
  const auto before = count_checkpoints(folder("run"));
  // No file may grow beyond 50 kB: as on a disk that is full.
  EXPECT_EQ(
      wait_for(start("trap '' XFSZ; ulimit -f 100; " + command("full", steps + " --max-steps 6"))),
      1);
  EXPECT_THAT(err_of("full"), HasSubstr("full"));
  EXPECT_EQ(count_checkpoints(folder("full")), 0U) << "nothing half-written counts";
  EXPECT_EQ(count_checkpoints(folder("run")), before);
}

TEST_F(FinetuneRun, AChangedSettingIsNamedAndOverwriteStartsAnew) {
  const std::string steps = kQuick + "--max-steps 4 --save_interval 2";
  ASSERT_EQ(train("run", steps), 0) << err_of("run");
  EXPECT_EQ(train("run", steps + " --lr 1e-3"), 1);
  EXPECT_THAT(err_of("run"), HasSubstr("lr"));
  EXPECT_EQ(train("run", steps + " --lr 1e-3 --overwrite"), 0) << err_of("run");
}

// Started by hand with the script's flags, as torchrun would with its variables.
TEST_F(FinetuneRun, TwoProcessesGiveTheLossOfOne) {
  const std::string steps = kQuick + "--max-steps 3 --lr 1e-3 --json ";
  ASSERT_EQ(train("one", steps + "--accum_iter 2"), 0) << err_of("one");
  const int port = 20'000 + static_cast<int>(::getpid() % 10'000);
  std::vector<pid_t> processes;
  for (int rank = 0; rank < 2; ++rank) {
    processes.push_back(
        start(fmt::format("RANK={0} WORLD_SIZE=2 LOCAL_RANK={0} MASTER_PORT={1} "
                          "MASTER_ADDR=127.0.0.1; export RANK WORLD_SIZE "
                          "LOCAL_RANK MASTER_ADDR MASTER_PORT; ",
                          rank, port) +
              command("two", steps + "--data_parallel fsdp", fmt::format("rank{}", rank))));
  }
  for (const pid_t pid : processes)
    EXPECT_EQ(wait_for(pid), 0) << err_of("rank0") + err_of("rank1");
  EXPECT_EQ(err_of("rank1"), "") << "rank 0 talks for all";
  const auto loss = [&](const std::string& file) {
    return io::parse_json(io::read_file(folder_ / file), "outcome")
        .value()
        .find("last_loss")
        ->find_number()
        .value();
  };
  EXPECT_NEAR(loss("rank0.out"), loss("one.out"), 1e-4 * loss("one.out"));
}

}  // namespace
}  // namespace contra4::apps
