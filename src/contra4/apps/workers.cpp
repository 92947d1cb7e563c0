#include "contra4/apps/workers.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>

#include <fmt/format.h>

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLook{500};

struct Watched {
  int rank = 0;
  std::uintmax_t journal_bytes = 0;
  Clock::TimePoint last_sign;
};

std::uintmax_t size_or_zero(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

void pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, kLook, [&stop] { return stop.stop_requested(); });
}

}  // namespace

fs::path worker_folder(const fs::path& run, int rank, int count) {
  return run / "workers" / fmt::format("{}-of-{}", rank + 1, count);
}

std::vector<fs::path> journals_of_run(const fs::path& run, const fs::path& except) {
  std::vector<fs::path> journals;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run / "workers", none)) {
    journals.push_back(entry.path() / "journal.jsonl");
  }
  journals.push_back(run / "journal.jsonl");
  std::sort(journals.begin(), journals.end());
  std::erase(journals, except);
  return journals;
}

eval::PlanOptions share_of(const eval::PlanOptions& whole, const Worker& worker) {
  eval::PlanOptions share = whole;
  share.shard = {.index = worker.rank + 1, .count = worker.count};
  if (whole.limit) {  // of the whole: this worker has every count-th of those
    share.limit =
        std::max<std::int64_t>(0, (*whole.limit - worker.rank + worker.count - 1) / worker.count);
  }
  return share;
}

std::vector<int> wait_for_workers(const WaitForWorkers& wait, const Clock& clock,
                                  const std::stop_token& stop) {
  std::vector<Watched> watched;
  for (int rank = 0; rank < wait.worker.count; ++rank) {
    if (rank != wait.worker.rank) watched.push_back({.rank = rank, .last_sign = clock.now()});
  }
  const auto folder_of = [&](const Watched& other) {
    return worker_folder(wait.run, other.rank, wait.worker.count);
  };
  std::vector<int> silent;
  while (true) {
    std::erase_if(watched, [&](Watched& other) {
      if (fs::exists(folder_of(other) / "predictions.json")) return true;
      const auto bytes = size_or_zero(folder_of(other) / "journal.jsonl");
      if (bytes != other.journal_bytes) {
        other.journal_bytes = bytes;
        other.last_sign = clock.now();
      }
      if (clock.now() - other.last_sign < wait.patience) return false;
      silent.push_back(other.rank);
      return true;
    });
    if (watched.empty()) break;
    if (stop.stop_requested()) {
      for (const Watched& other : watched) silent.push_back(other.rank);
      break;
    }
    if (wait.tell) {
      wait.tell(wait.worker.count - static_cast<int>(watched.size() + silent.size()));
    }
    pause(stop);
  }
  std::sort(silent.begin(), silent.end());
  return silent;
}

}  // namespace contra4::apps
