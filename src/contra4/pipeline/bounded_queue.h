// Hands values from one thread to another, and makes the quicker one wait.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace contra4::pipeline {

// Any thread may call anything.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. False when the queue was closed: the value is gone.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    has_changed_.wait(lock, [&] { return is_closed_ || values_.size() < capacity_; });
    if (is_closed_) return false;
    values_.push_back(std::move(value));
    has_changed_.notify_all();
    return true;
  }
  // Waits for a value. Empty when the queue was closed and all its values are taken.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    has_changed_.wait(lock, [&] { return is_closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    has_changed_.notify_all();
    return value;
  }
  // Nothing more comes, or nobody takes any more.
  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    has_changed_.notify_all();
  }

 private:
  std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable has_changed_;
  std::deque<T> values_;
  bool is_closed_ = false;
};

}  // namespace contra4::pipeline
