#include "contra4/base/task_threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4 {
namespace {

using Squares = TaskThreads<int, int>;

int square(int number) {
  return number * number;
}

TEST(TaskThreads, GiveEveryOutcomeOnce) {
  constexpr int kCount = 500;
  Squares threads(4, square);
  std::vector<int> found;
  for (int i = 0; i < kCount; ++i) {
    threads.push(i);
    if (const auto outcome = threads.try_pop()) found.push_back(*outcome);
  }
  while (const auto outcome = threads.wait_pop({})) found.push_back(*outcome);
  std::vector<int> expected(kCount);
  std::iota(expected.begin(), expected.end(), 0);
  std::transform(expected.begin(), expected.end(), expected.begin(), square);
  EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(threads.num_open(), 0U);
}

TEST(TaskThreads, WorkSideBySide) {
  // Each of the two waits for the other: one thread alone would never end.
  std::atomic<int> arrived = 0;
  TaskThreads<int, int> threads(2, [&arrived](int task) {
    ++arrived;
    arrived.notify_all();
    for (int now = arrived; now < 2; now = arrived) arrived.wait(now);
    return task;
  });
  threads.push(1);
  threads.push(2);
  const int sum = *threads.wait_pop({}) + *threads.wait_pop({});
  EXPECT_EQ(sum, 3);
}

TEST(TaskThreads, HandOutWhatTheWorkThrew) {
  Squares threads(1, [](int number) {
    if (number == 2) throw std::runtime_error("two is not liked");
    return number;
  });
  for (int i = 1; i <= 3; ++i) threads.push(i);
  EXPECT_EQ(*threads.wait_pop({}), 1);
  EXPECT_THROW(threads.wait_pop({}), std::runtime_error);
  EXPECT_EQ(*threads.wait_pop({}), 3);
}

TEST(TaskThreads, WaitingEndsWithAStop) {
  std::atomic<bool> may_end = false;
  Squares threads(1, [&may_end](int number) {
    may_end.wait(false);
    return number;
  });
  threads.push(1);
  std::stop_source stop;
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_FALSE(threads.wait_pop(stop.get_token()).has_value());
  may_end = true;
  may_end.notify_all();
}

TEST(TaskThreads, WaitingForNothingEndsAtOnce) {
  Squares threads(1, square);
  EXPECT_FALSE(threads.wait_pop({}).has_value());
  EXPECT_FALSE(threads.try_pop().has_value());
}

TEST(TaskThreads, TheEndDropsWhatNobodyBegan) {
  constexpr int kCount = 100'000;
  std::atomic<int> begun = 0;
  std::atomic<bool> may_go_on = false;
  std::jthread opener;
  {
    TaskThreads<std::unique_ptr<int>, int> threads(1, [&](std::unique_ptr<int> number) {
      ++begun;
      begun.notify_all();
      may_go_on.wait(false);
      return *number;
    });
    for (int i = 0; i < kCount; ++i) threads.push(std::make_unique<int>(i));
    begun.wait(0);
    opener = std::jthread([&may_go_on] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      may_go_on = true;
      may_go_on.notify_all();
    });
  }
  EXPECT_GT(begun, 0);
  EXPECT_LT(begun, kCount);
}

}  // namespace
}  // namespace contra4
