#include "contra4/train/checkpoint_folder.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempDir;

constexpr std::int64_t kRootElements = 7;
constexpr std::int64_t kLayerElements = 3'000'001;  // three pieces; no multiple of anything

TrainingPosition position_at(std::int64_t epoch, std::int64_t step) {
  return {.epoch = epoch,
          .step_in_epoch = step,
          .global_step = 1000 * epoch + step,
          .num_updates = step,
          .best_accuracy = 1.0 / 3,
          .num_without_better = 2};
}

CheckpointFolder folder_for(const fs::path& output, int rank = 0, int num_ranks = 1,
                            int num_kept = 2,
                            std::vector<std::pair<std::string, std::string>> settings = {
                                {"lr", "0.1"}, {"items", "abc"}}) {
  return CheckpointFolder({.output = output,
                           .rank = rank,
                           .num_ranks = num_ranks,
                           .num_kept = num_kept,
                           .settings = std::move(settings)});
}

// The share of a process, filled up beyond the unit as units are; values tell step, place and kind.
UnitShard shard_of(const std::string& unit, std::int64_t num_elements, int rank, int num_ranks,
                   double value, at::ScalarType type = at::kFloat) {
  const std::int64_t each = (num_elements + num_ranks - 1) / num_ranks;
  UnitShard shard{.unit = unit,
                  .num_elements = num_elements,
                  .begin = each * rank,
                  .master = at::arange(each, type).add(static_cast<double>(each * rank) + value),
                  .first_moment = at::full({each}, value + 0.25, type),
                  .second_moment = at::full({each}, value + 0.5, type),
                  .parameters = {{unit + ".w", num_elements - 2}, {unit + ".b", 2}}};
  const std::int64_t beyond = std::clamp<std::int64_t>(each * (rank + 1) - num_elements, 0, each);
  for (const at::Tensor& tensor : {shard.master, shard.first_moment, shard.second_moment}) {
    tensor.narrow(0, each - beyond, beyond).zero_();
  }
  return shard;
}

std::vector<UnitShard> units_of(int rank, int num_ranks, double value,
                                std::int64_t layer_elements = kLayerElements) {
  return {shard_of("root", kRootElements, rank, num_ranks, value),
          shard_of("llma.layers.0", layer_elements, rank, num_ranks, value)};
}

std::vector<UnitShard> zeroed(std::vector<UnitShard> units) {
  for (UnitShard& unit : units) {
    for (const at::Tensor& tensor : {unit.master, unit.first_moment, unit.second_moment}) {
      tensor.fill_(-1);
    }
  }
  return units;
}

void expect_equal(const std::vector<UnitShard>& a, const std::vector<UnitShard>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(at::equal(a[i].master, b[i].master)) << a[i].unit;
    EXPECT_TRUE(at::equal(a[i].first_moment, b[i].first_moment)) << a[i].unit;
    EXPECT_TRUE(at::equal(a[i].second_moment, b[i].second_moment)) << a[i].unit;
  }
}

// What a job of some processes does, one after the other.
fs::path save(const fs::path& output, const TrainingPosition& position, double value,
              int num_ranks = 1, int num_kept = 2, std::int64_t layer_elements = kLayerElements) {
  for (int rank = 0; rank < num_ranks; ++rank) {
    folder_for(output, rank, num_ranks, num_kept)
        .save_shard(position, units_of(rank, num_ranks, value, layer_elements));
  }
  const CheckpointFolder first = folder_for(output, 0, num_ranks, num_kept);
  first.commit(position);
  return first.folder_of(position);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(CheckpointFolder, GivesBackPositionAndShards) {
  const TempDir output;
  const fs::path saved = save(output.path(), position_at(3, 12), 5);
  EXPECT_EQ(saved, output / "epoch_003_iter_000000012");
  EXPECT_EQ(names_in(saved),
            (std::vector<std::string>{"checkpoint.json", "shard-00000-of-00001.safetensors"}));
  const CheckpointFolder folder = folder_for(output.path());
  EXPECT_EQ(folder.find_latest(), saved);
  const TrainingPosition position = folder.read_position(saved);
  EXPECT_EQ(position.epoch, 3);
  EXPECT_EQ(position.step_in_epoch, 12);
  EXPECT_EQ(position.global_step, 3012);
  EXPECT_EQ(position.num_updates, 12);
  EXPECT_EQ(position.best_accuracy, 1.0 / 3);
  EXPECT_EQ(position.num_without_better, 2);
  std::vector<UnitShard> units = zeroed(units_of(0, 1, 0));
  folder.load_shards(saved, units);
  expect_equal(units, units_of(0, 1, 5));
}

TEST(CheckpointFolder, AnotherNumberOfProcessesGoesOn) {
  const TempDir output;
  save(output.path(), position_at(0, 1), 5, 3);
  std::int64_t step = 1;
  for (const int num_ranks : {2, 1, 4, 5}) {
    const fs::path latest = *folder_for(output.path()).find_latest();
    for (int rank = 0; rank < num_ranks; ++rank) {
      std::vector<UnitShard> units = zeroed(units_of(rank, num_ranks, 0));
      folder_for(output.path(), rank, num_ranks).load_shards(latest, units);
      expect_equal(units, units_of(rank, num_ranks, 5));
    }
    save(output.path(), position_at(0, ++step), 5, num_ranks);
  }
}

TEST(CheckpointFolder, WhatAllProcessesHoldWholeIsSavedOnce) {
  const TempDir output;
  const auto units = [] {
    return std::vector<UnitShard>{shard_of("root", 6, 0, 1, 7),
                                  shard_of("llma.layers.0", kLayerElements, 0, 1, 7)};
  };
  const TrainingPosition position = position_at(0, 4);
  std::uint64_t num_bytes = 0;
  for (int rank = 0; rank < 3; ++rank) {
    folder_for(output.path(), rank, 3).save_shard(position, units());
  }
  const CheckpointFolder folder = folder_for(output.path(), 0, 3);
  folder.commit(position);
  for (const auto& entry : fs::directory_iterator(folder.folder_of(position))) {
    num_bytes += entry.file_size();
  }
  EXPECT_LT(num_bytes, kLayerElements * 3 * sizeof(float) + 10'000);
  std::vector<UnitShard> loaded = zeroed(units());
  folder.load_shards(folder.folder_of(position), loaded);
  expect_equal(loaded, units());
  // And by another number of processes, each with its share.
  std::vector<UnitShard> alone = zeroed(units_of(1, 2, 0));
  alone[0].num_elements = 6;
  alone[0].parameters = units()[0].parameters;
  folder_for(output.path(), 1, 2).load_shards(folder.folder_of(position), alone);
  EXPECT_EQ(alone[1].master[0].item<float>(), static_cast<float>(alone[1].begin + 7));
}

TEST(CheckpointFolder, NewestIsByNumberAndOldOnesGo) {
  const TempDir output;
  // As strings the fourth would come before the third, and 1000 before 999.
  for (const auto& [epoch, step] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 500}, {1, 0}, {999, 2'000'000'000}, {1000, 0}, {1000, 5}}) {
    save(output.path(), position_at(epoch, step), 1, 1, 3, 10);
    EXPECT_EQ(folder_for(output.path()).find_latest(),
              folder_for(output.path()).folder_of(position_at(epoch, step)));
  }
  EXPECT_EQ(names_in(output.path()),
            (std::vector<std::string>{"epoch_1000_iter_000000000", "epoch_1000_iter_000000005",
                                      "epoch_999_iter_2000000000"}));
  // An earlier one is never the one that goes when it was just made.
  save(output.path(), position_at(0, 1), 1, 1, 1, 10);
  EXPECT_EQ(names_in(output.path()), (std::vector<std::string>{"epoch_000_iter_000000001"}));
  save(output.path(), position_at(0, 2), 1, 1, 0, 10);
  save(output.path(), position_at(0, 3), 1, 1, 0, 10);
  EXPECT_EQ(names_in(output.path()).size(), 3U);
}

TEST(CheckpointFolder, InterruptedSavingsAreNoCheckpointsAndGoWhenTheyAreOld) {
  const TempDir output;
  save(output.path(), position_at(0, 10), 1, 2, 2, 10);
  folder_for(output.path(), 1, 2).save_shard(position_at(0, 20), units_of(1, 2, 2, 10));
  io::write_file_atomically(output / "epoch_000_iter_000000015/shard-00000-of-00002.safetensors",
                            "torn");
  io::write_file_atomically(output / "epoch_000_iter_000000099/shard-00001-of-00002.safetensors",
                            "of another process, which is ahead");
  io::write_file_atomically(output / "epoch_notes/checkpoint.json", "no folder of ours");
  const CheckpointFolder folder = folder_for(output.path(), 0, 2);
  EXPECT_EQ(folder.find_latest(), output / "epoch_000_iter_000000010");
  EXPECT_THAT(error_of([&] { folder.read_position(output / "epoch_000_iter_000000020"); }).message,
              HasSubstr("interrupted"));
  // Three processes go on from there; the parts of two are in their way.
  save(output.path(), position_at(0, 20), 3, 3, 2, 10);
  EXPECT_EQ(names_in(output.path()),
            (std::vector<std::string>{"epoch_000_iter_000000010", "epoch_000_iter_000000020",
                                      "epoch_000_iter_000000099", "epoch_notes"}));
  EXPECT_EQ(names_in(output / "epoch_000_iter_000000020").size(), 4U);
}

TEST(CheckpointFolder, TheSameStepOfTheSameTrainingIsNotWrittenAgain) {
  const TempDir output;
  TrainingPosition position = position_at(0, 1);
  const fs::path saved = save(output.path(), position, 1, 1, 2, 10);
  const fs::path shard = saved / "shard-00000-of-00001.safetensors";
  const auto before = fs::last_write_time(shard);
  position.best_accuracy = 0.75;  // measured since
  save(output.path(), position, 1, 1, 2, 10);
  EXPECT_EQ(fs::last_write_time(shard), before);
  EXPECT_EQ(folder_for(output.path()).read_position(saved).best_accuracy, 0.75);
  // Another training's is replaced, and is none until the new one is whole.
  const CheckpointFolder other = folder_for(output.path(), 0, 1, 2, {{"lr", "0.2"}});
  other.save_shard(position, units_of(0, 1, 9, 10));
  EXPECT_EQ(other.find_latest(), std::nullopt);
  other.commit(position);
  std::vector<UnitShard> units = zeroed(units_of(0, 1, 0, 10));
  other.load_shards(saved, units);
  expect_equal(units, units_of(0, 1, 9, 10));
}

TEST(CheckpointFolder, OtherSettingsAreNamed) {
  const TempDir output;
  const fs::path saved = save(output.path(), position_at(0, 1), 1, 1, 2, 10);
  const Error error = error_of([&] {
    folder_for(output.path(), 0, 1, 2, {{"lr", "0.2"}, {"items", "abc"}, {"seed", "1"}})
        .read_position(saved);
  });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("lr was 0.1, is 0.2; seed was not there, is 1"),
                                   HasSubstr("epoch_000_iter_000000001")));
  EXPECT_THAT(error.message, Not(HasSubstr("abc")));
  EXPECT_EQ(error_of([&] { folder_for(output.path()).read_position(output / "none"); }).code,
            ErrorCode::kNotFound);
}

TEST(CheckpointFolder, OtherUnitsAndParametersAreNamed) {
  const TempDir output;
  const fs::path saved = save(output.path(), position_at(0, 1), 1, 1, 2, 10);
  const auto error = [&](const std::function<void(std::vector<UnitShard>&)>& change) {
    std::vector<UnitShard> units = units_of(0, 1, 0, 10);
    change(units);
    return error_of([&] { folder_for(output.path()).load_shards(saved, units); });
  };
  Error refused = error([](auto& units) { units[1].parameters[1].first = "bias"; });
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("'llma.layers.0.b' of 2 elements, wanted 'bias' of 2"));
  refused = error([](auto& units) { units[1].parameters.pop_back(); });
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  refused = error([](auto& units) { units[1].num_elements = 11; });
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  refused = error([](auto& units) { units.pop_back(); });
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("has unit 'llma.layers.0', which this training lacks"));
  refused = error([](auto& units) { units.push_back(shard_of("new", 4, 0, 1, 0)); });
  EXPECT_EQ(refused.code, ErrorCode::kDataLoss);
  EXPECT_THAT(refused.message, HasSubstr("lacks all of unit 'new'"));
  refused =
      error([](auto& units) { units[1] = shard_of("llma.layers.0", 10, 0, 1, 0, at::kDouble); });
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("of type F32, this training's is Double"));
}

void flip_bit(const fs::path& path, std::size_t at) {
  std::string bytes = io::read_file(path);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  io::write_file_atomically(path, bytes);
}

TEST(CheckpointFolder, DamagedFilesAreNamed) {
  const TempDir output;
  save(output.path(), position_at(0, 1), 1, 2, 2, 1000);
  const fs::path saved = save(output.path(), position_at(0, 2), 2, 2, 2, 1000);
  const fs::path shard = saved / "shard-00001-of-00002.safetensors";
  const std::string whole = io::read_file(shard);
  const CheckpointFolder folder = folder_for(output.path(), 0, 2);
  const auto load = [&] {
    std::vector<UnitShard> units = units_of(0, 1, 0, 1000);
    return error_of([&] { folder.load_shards(saved, units); });
  };
  // Any bit: of the header, of the data, of the hashes.
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 37) {
    flip_bit(shard, at);  // of what fills the header up it does no harm
    std::vector<UnitShard> units = zeroed(units_of(0, 1, 0, 1000));
    try {
      folder.load_shards(saved, units);
      expect_equal(units, units_of(0, 1, 2, 1000));
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kDataLoss) << at;
      EXPECT_THAT(exception.what(), HasSubstr("shard-00001-of-00002.safetensors")) << at;
    }
    io::write_file_atomically(shard, whole);
  }
  flip_bit(shard, whole.size() - 1);
  EXPECT_EQ(load().code, ErrorCode::kDataLoss);
  io::write_file_atomically(shard, whole);
  flip_bit(shard, whole.size() / 2);
  EXPECT_THAT(load().message, HasSubstr("is damaged: elements from 0 on"));

  fs::resize_file(shard, whole.size() - 1);
  Error error = load();
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, AllOf(HasSubstr(shard.string()), HasSubstr("truncated")));
  EXPECT_EQ(folder.find_latest(), output / "epoch_000_iter_000000001");
  fs::remove(shard);
  error = load();
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr(shard.string()));

  io::write_file_atomically(saved / "checkpoint.json", "{\"format\": 1");
  EXPECT_EQ(load().code, ErrorCode::kDataLoss);
  io::write_file_atomically(saved / "checkpoint.json", "{}");
  EXPECT_THAT(load().message, HasSubstr("another version"));
  EXPECT_EQ(folder.find_latest(), output / "epoch_000_iter_000000001");
}

TEST(CheckpointFolder, PartsOfAnotherStepAreNoCheckpoint) {
  const TempDir output;
  const fs::path first = save(output.path(), position_at(0, 1), 1, 2, 2, 10);
  const fs::path second = save(output.path(), position_at(0, 2), 2, 2, 2, 10);
  const char* name = "shard-00001-of-00002.safetensors";
  fs::copy_file(first / name, second / name, fs::copy_options::overwrite_existing);
  std::vector<UnitShard> units = units_of(0, 1, 0, 10);
  const Error error = error_of([&] { folder_for(output.path()).load_shards(second, units); });
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, AllOf(HasSubstr(name), HasSubstr("is of step 1 and 2 processes")));
}

TEST(CheckpointFolder, AProcessWhosePartIsMissingIsNamed) {
  const TempDir output;
  const CheckpointFolder folder = folder_for(output.path(), 0, 2);
  folder.save_shard(position_at(0, 1), units_of(0, 2, 1, 10));
  const Error error = error_of([&] { folder.commit(position_at(0, 1)); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("the part of process 1 is not there"));
  EXPECT_EQ(folder.find_latest(), std::nullopt);
  EXPECT_EQ(folder_for(output / "not made").find_latest(), std::nullopt);
}

TEST(CheckpointFolder, AFullDiskLeavesTheFormerOne) {
  const TempDir output;
  const fs::path saved = save(output.path(), position_at(0, 1), 1, 1, 1);
  const rlimit small = {1U << 20, RLIM_INFINITY};
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = error_of([&] { save(output.path(), position_at(0, 2), 2, 1, 1); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  const CheckpointFolder folder = folder_for(output.path());
  EXPECT_EQ(folder.find_latest(), saved);
  EXPECT_TRUE(fs::is_empty(output / "epoch_000_iter_000000002"));
  std::vector<UnitShard> units = zeroed(units_of(0, 1, 0));
  folder.load_shards(saved, units);
  expect_equal(units, units_of(0, 1, 1));
}

constexpr auto kChildOutput = "CONTRA4_TEST_SAVES_TO";
constexpr auto kAlive = "alive";
constexpr std::int64_t kChildElements = 100'000;

// One life of a job of two processes: goes on after the newest checkpoint and saves every step.
void save_until_killed(const fs::path& output) {
  const auto latest = folder_for(output, 0, 2).find_latest();
  std::int64_t step = latest ? folder_for(output, 0, 2).read_position(*latest).step_in_epoch : 0;
  for (bool is_first = true;; is_first = false) {
    ++step;
    save(output, position_at(0, step), static_cast<double>(step), 2, 2, kChildElements);
    if (is_first) io::write_file_atomically(output / kAlive, "");
  }
}

// When it has saved once.
pid_t start_child(const fs::path& output) {
  std::string program = "/proc/self/exe";
  std::string filter = "--gtest_filter=CheckpointFolder.AKillAtAnyMomentLeavesOneThatIsWhole";
  std::string variable = std::string(kChildOutput) + "=" + output.string();
  std::vector<char*> variables = {variable.data()};
  for (char** each = environ; *each != nullptr; ++each) variables.push_back(*each);
  variables.push_back(nullptr);
  std::array<char*, 3> arguments = {program.data(), filter.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  EXPECT_EQ(
      ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), variables.data()),
      0);
  ::posix_spawn_file_actions_destroy(&actions);
  while (!fs::exists(output / kAlive)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  fs::remove(output / kAlive);
  return pid;
}

TEST(CheckpointFolder, AKillAtAnyMomentLeavesOneThatIsWhole) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads
  if (const char* output = std::getenv(kChildOutput)) save_until_killed(output);
  const TempDir output;
  std::mt19937 draw(1);  // NOLINT(cert-msc51-cpp): the same moments every time
  std::uniform_int_distribution<int> wait_ms(0, 150);
  std::int64_t last = 0;
  for (int kill = 0; kill < 30; ++kill) {
    const pid_t child = start_child(output.path());
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms(draw)));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself";

    const CheckpointFolder folder = folder_for(output.path());
    const auto latest = folder.find_latest();
    ASSERT_TRUE(latest) << "kill " << kill;
    const TrainingPosition position = folder.read_position(*latest);
    ASSERT_GT(position.step_in_epoch, last) << "kill " << kill;
    last = position.step_in_epoch;
    std::vector<UnitShard> units = zeroed(units_of(0, 1, 0, kChildElements));
    folder.load_shards(*latest, units);
    expect_equal(units, units_of(0, 1, static_cast<double>(last), kChildElements));
    ASSERT_FALSE(HasFailure()) << "kill " << kill;
  }
  // The two that are kept, one under way, and one that was being deleted, at most.
  EXPECT_LE(names_in(output.path()).size(), 4U);
}

}  // namespace
}  // namespace contra4::train
