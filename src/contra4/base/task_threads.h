// Threads that work through tasks while their owner does something else.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace contra4 {

// All that threads share is in here: a task is moved in, its outcome is moved out. push(), the pops
// and the end are for one thread, the owner.
template <class Task, class Outcome>
class TaskThreads {
 public:
  // `work` is called by all threads, side by side. What it throws comes out of the pop.
  TaskThreads(int num_threads, std::function<Outcome(Task)> work) : work_(std::move(work)) {
    for (int i = 0; i < num_threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { serve(stop); });
    }
  }
  // Drops the tasks that no thread has begun and waits for those that are under way.
  ~TaskThreads() {
    for (std::jthread& thread : threads_) thread.request_stop();
  }
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

  void push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    ++num_open_;
    has_task_.notify_one();
  }

  // Tasks pushed whose outcome was not popped.
  std::size_t num_open() const { return num_open_; }

  // An outcome in the order in which they come; empty when there is none yet.
  std::optional<Outcome> try_pop() {
    std::unique_lock lock(mutex_);
    return pop(lock);
  }
  // Waits for one; empty when no task is open, or when a stop was asked for.
  std::optional<Outcome> wait_pop(const std::stop_token& stop) {
    if (num_open_ == 0) return std::nullopt;
    std::unique_lock lock(mutex_);
    has_outcome_.wait(lock, stop, [this] { return !outcomes_.empty(); });
    return pop(lock);
  }

 private:
  using Slot = std::variant<Outcome, std::exception_ptr>;

  std::optional<Outcome> pop(std::unique_lock<std::mutex>& lock) {
    if (outcomes_.empty()) return std::nullopt;
    Slot slot = std::move(outcomes_.front());
    outcomes_.pop_front();
    lock.unlock();
    --num_open_;
    if (const auto* thrown = std::get_if<std::exception_ptr>(&slot))
      std::rethrow_exception(*thrown);
    return std::get<Outcome>(std::move(slot));
  }

  Slot work_on(Task task) {
    try {
      return Slot(std::in_place_index<0>, work_(std::move(task)));
    } catch (...) {
      return Slot(std::in_place_index<1>, std::current_exception());
    }
  }

  void serve(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      has_task_.wait(lock, stop, [this] { return !tasks_.empty(); });
      if (stop.stop_requested()) return;
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      Slot slot = work_on(std::move(task));
      lock.lock();
      outcomes_.push_back(std::move(slot));
      lock.unlock();
      has_outcome_.notify_one();
    }
  }

  std::function<Outcome(Task)> work_;
  std::size_t num_open_ = 0;  // the owner's
  std::mutex mutex_;
  std::condition_variable_any has_task_;
  std::condition_variable_any has_outcome_;
  std::deque<Task> tasks_;
  std::deque<Slot> outcomes_;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace contra4
