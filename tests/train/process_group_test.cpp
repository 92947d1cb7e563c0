#include "contra4/train/process_group.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/train/processes.h"

namespace contra4::train {
namespace {

using std::chrono::seconds;
using testing::expect_processes;
using testing::ProcessEnd;
using testing::run_processes;

std::unique_ptr<ProcessGroup> join(const JobRank& job, seconds timeout = seconds(60)) {
  return join_processes({.job = job, .timeout = timeout});
}

at::Tensor numbers(std::int64_t n, at::ScalarType type, int factor) {
  return (at::arange(n, at::kDouble) * factor).to(type);
}

void check_collectives(const JobRank& job) {
  const auto group = join(job);
  EXPECT_EQ(group->rank(), job.rank);
  EXPECT_EQ(group->size(), job.count);
  const int sum_of_ranks = job.count * (job.count + 1) / 2;
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const std::int64_t n = 8;
    const at::Tensor mine = numbers(n * job.count, type, job.rank + 1);
    const at::Tensor sums = numbers(n * job.count, type, sum_of_ranks);

    at::Tensor sum = mine.clone();
    group->all_reduce(sum)->wait();
    EXPECT_TRUE(at::equal(sum, sums)) << sum;

    at::Tensor part = at::empty({n}, type);
    group->reduce_scatter(part, mine)->wait();
    EXPECT_TRUE(at::equal(part, sums.narrow(0, n * job.rank, n))) << part;

    at::Tensor whole = at::empty({n * job.count}, type);
    group->all_gather(whole, part)->wait();
    EXPECT_TRUE(at::equal(whole, sums)) << whole;

    at::Tensor told = job.rank == 1 ? mine.clone() : at::zeros_like(mine);
    group->broadcast(told, 1);
    EXPECT_TRUE(at::equal(told, numbers(n * job.count, type, 2)));
  }
  at::Tensor nothing = at::empty({0});
  group->all_reduce(nothing)->wait();
  group->barrier();
}

TEST(ProcessGroup, CollectivesOfTwoProcessesGiveSumsAndParts) {
  expect_processes(2, check_collectives);
}

TEST(ProcessGroup, CollectivesOfFourProcessesGiveSumsAndParts) {
  expect_processes(4, check_collectives);
}

// Everyone's sum against rank 0's, bit by bit, of numbers whose sums are rounded.
TEST(ProcessGroup, SumsAreTheSameBitsEverywhere) {
  expect_processes(4, [](const JobRank& job) {
    const auto group = join(job);
    for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
      at::Tensor sum = (at::randn({100003}, at::kDouble) * (job.rank + 0.1)).to(type);
      group->all_reduce(sum)->wait();
      at::Tensor first = sum.clone();
      group->broadcast(first, 0);
      EXPECT_TRUE(at::equal(first, sum));
    }
    group->barrier();
  });
}

TEST(ProcessGroup, SeveralCollectivesMayBeUnderWayAtOnce) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    std::vector<at::Tensor> sums;
    std::vector<std::unique_ptr<Pending>> pending;
    for (int i = 0; i < 20; ++i) {
      sums.push_back(at::full({1000 + i}, i + job.rank, at::kFloat));
      pending.push_back(group->all_reduce(sums.back()));
    }
    for (int i = 19; i >= 0; --i) {
      pending[i]->wait();
      EXPECT_TRUE(at::equal(sums[i], at::full({1000 + i}, 2 * i + 1, at::kFloat)));
    }
    group->barrier();
  });
}

TEST(ProcessGroup, OneProcessHasEverythingAtOnceAndOpensNoPort) {
  JobRank job;
  job.host = "no such host";
  const auto group = join(job);
  EXPECT_EQ(group->size(), 1);
  const at::Tensor part = at::arange(3, at::kFloat);
  at::Tensor whole = at::zeros({3});
  group->all_gather(whole, part)->wait();
  EXPECT_TRUE(at::equal(whole, part));
  at::Tensor share = at::zeros({3});
  group->reduce_scatter(share, whole)->wait();
  EXPECT_TRUE(at::equal(share, part));
  group->all_reduce(share)->wait();
  EXPECT_TRUE(at::equal(share, part));
  group->barrier();
  bool has_failed = false;
  watch_failures(job, [&](int, const std::string&) { has_failed = true; })->report("words");
  EXPECT_FALSE(has_failed);
}

Error error_of_joining(const JobRank& job, seconds timeout) {
  return testing::error_of([&] { join(job, timeout); });
}

TEST(ProcessGroup, SaysWhoDidNotCome) {
  expect_processes(2, [](JobRank job) {
    job.count = 4;  // as two of four processes that were never started
    const Error error = error_of_joining(job, seconds(3));
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    // Rank 1 may see rank 0 leave first, and the store with it.
    if (job.rank == 0) {
      EXPECT_THAT(error.message, ::testing::HasSubstr("of 4 processes rank 2, 3 did not come"));
    }
  });
}

TEST(ProcessGroup, FindsProcessesThatWereToldOtherNumbers) {
  expect_processes(2, [](JobRank job) {
    if (job.rank == 1) job.count = 3;
    const Error error = error_of_joining(job, seconds(3));
    EXPECT_NE(error.message, "");
    if (job.rank == 0) {
      EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message, ::testing::HasSubstr("told of 2 processes, rank 1 of 3"));
    }
  });
}

TEST(ProcessGroup, RefusesRanksThatCannotBe) {
  JobRank job;
  job.rank = 2;
  job.count = 2;
  EXPECT_EQ(error_of_joining(job, seconds(1)).code, ErrorCode::kInvalidArgument);
  job = {};
  job.count = 2;
  job.port = 70000;
  EXPECT_EQ(error_of_joining(job, seconds(1)).code, ErrorCode::kInvalidArgument);
}

TEST(ProcessGroup, SaysThatNobodyListens) {
  JobRank job;
  job.rank = 1;
  job.count = 2;
  job.port = testing::find_free_port();
  const Error error = error_of_joining(job, seconds(2));
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, ::testing::HasSubstr("rank 1 of 2 at 127.0.0.1:"));
}

// Exit codes of the processes below.
constexpr int kNoticed = 42;
constexpr int kNotNoticed = 43;

// All wait for `killed`, who is killed; a collective throws, and the watch tells of the rank.
void lose(const JobRank& job, int killed) {
  const auto watch = watch_failures(job, [&](int rank, const std::string& words) {
    std::cout << "rank " << job.rank << " hears of rank " << rank << ": " << words << std::endl;
    std::_Exit(rank == killed ? kNoticed : kNotNoticed);
  });
  const auto group = join(job);
  group->barrier();
  if (job.rank == killed) {
    std::this_thread::sleep_for(seconds(2));
    std::raise(SIGKILL);
  }
  try {
    group->barrier();
    std::_Exit(kNotNoticed);
  } catch (const Exception& error) {
    if (error.code() != ErrorCode::kUnavailable) std::_Exit(kNotNoticed);
  }
  std::this_thread::sleep_for(seconds(40));
  std::_Exit(kNotNoticed);
}

void expect_noticed(const std::vector<ProcessEnd>& ends, int failed) {
  for (int rank = 0; rank < static_cast<int>(ends.size()); ++rank) {
    if (rank == failed) continue;
    EXPECT_EQ(ends[rank].exit_code, kNoticed) << "rank " << rank;
    const double after = ends[rank].seconds - ends[failed].seconds;
    EXPECT_LT(after, 30) << "rank " << rank;
    std::cout << "rank " << rank << " ended " << after << " s after rank " << failed << std::endl;
  }
}

TEST(FailureWatch, NoticesAKilledProcess) {
  const auto ends = run_processes(3, [](const JobRank& job) { lose(job, 1); });
  EXPECT_EQ(ends[1].exit_code, 128 + SIGKILL);
  expect_noticed(ends, 1);
}

TEST(FailureWatch, NoticesThatTheProcessWithTheStoreIsKilled) {
  const auto ends = run_processes(3, [](const JobRank& job) { lose(job, 0); });
  EXPECT_EQ(ends[0].exit_code, 128 + SIGKILL);
  expect_noticed(ends, 0);
}

void report_from(const JobRank& job, int failed) {
  const auto watch = watch_failures(job, [&](int rank, const std::string& words) {
    std::_Exit(rank == failed && words == "the disk is full" ? kNoticed : kNotNoticed);
  });
  const auto group = join(job);
  group->barrier();
  if (job.rank == failed) {
    watch->report("the disk is full\nand more");
    std::_Exit(1);
  }
  std::this_thread::sleep_for(seconds(40));
  std::_Exit(kNotNoticed);
}

TEST(FailureWatch, TellsTheOthersTheWordsOfAFailure) {
  expect_noticed(run_processes(3, [](const JobRank& job) { report_from(job, 2); }), 2);
}

TEST(FailureWatch, TheProcessWithTheStoreIsHeardBeforeItGoes) {
  expect_noticed(run_processes(3, [](const JobRank& job) { report_from(job, 0); }), 0);
}

TEST(FailureWatch, ProcessesThatEndAfterABarrierHaveNotFailed) {
  expect_processes(3, [](const JobRank& job) {
    auto watch = watch_failures(job, [&](int rank, const std::string& words) {
      std::cout << "rank " << rank << ": " << words << std::endl;
      std::_Exit(kNotNoticed);
    });
    auto group = join(job);
    group->barrier();
    // The others see ranks end one after the other, the one with the store first.
    std::this_thread::sleep_for(seconds(3) * job.rank);
    watch.reset();
    group.reset();
  });
}

}  // namespace
}  // namespace contra4::train
