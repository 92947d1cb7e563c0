#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "contra4/base/error.h"
#include "contra4/train/job_store.h"
#include "contra4/train/process_group.h"

namespace contra4::train {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

// Rank 0 looks for a sign of life of everybody, the others for one of rank 0, and all for the words
// of the first failure: 3 requests a second and process to the store.
constexpr seconds kPeriod{1};
constexpr int kSilentRounds = 8;   // rounds without a sign of life: this process is gone
constexpr int kFirstRounds = 120;  // the same for the first one: programs start at their own pace
constexpr seconds kDeafTime{20};   // a store that does not answer: its machine is gone
constexpr seconds kConnectTime{120};  // for rank 0 to listen
constexpr seconds kWaitForEnd{20};    // rank 0, which has the store, for the others to end
constexpr seconds kWaitForHearing{3};

struct Failure {
  int rank = 0;
  std::string words;
};

// What the watch and its threads share.
struct Shared {
  JobRank job;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_ending = false;
  bool has_left = false;           // the last words are in the store, or nobody takes them
  std::optional<std::string> own;  // words of report()
  std::optional<Failure> found;
  Clock::time_point last_answer = Clock::now();  // of the store
};

std::string beat_key(int rank) {
  return fmt::format("beat/{}", rank);
}
std::string end_key(int rank) {
  return fmt::format("end/{}", rank);
}

struct Peer {
  int rank = 0;
  std::int64_t beats = 0;
  int silent_rounds = 0;
  bool has_ended = false;
};

// The requests to the store, from one thread.
class Rounds {
 public:
  Rounds(c10d::Store& store, const JobRank& job) : store_(store), job_(job) {
    for (int rank = 0; rank < job.count; ++rank)
      if (rank != job.rank && (job.rank == 0 || rank == 0)) peers_.push_back({.rank = rank});
  }

  // One sign of life, and who gave none.
  std::optional<Failure> run() {
    store_.add(beat_key(job_.rank), 1);
    if (store_.check({"failed"})) return told();
    for (Peer& peer : peers_)
      if (is_silent(peer)) {
        fail(peer.rank,
             fmt::format("no sign of life for {} s", kPeriod.count() * peer.silent_rounds));
        return told();
      }
    return std::nullopt;
  }

  // The first failure counts.
  void fail(int rank, const std::string& words) {
    store_.compareSet("failed", "", fmt::format("{} {}", rank, words));
  }

  void end() { store_.add(end_key(job_.rank), 1); }

  bool have_all_ended() {
    return std::ranges::all_of(peers_, [&](Peer& peer) { return has_ended(peer); });
  }

  // Of how many other processes it is known that they read the failure.
  std::int64_t num_hearers() { return store_.add("heard", 0); }

 private:
  bool has_ended(Peer& peer) {
    if (!peer.has_ended) peer.has_ended = store_.add(end_key(peer.rank), 0) > 0;
    return peer.has_ended;
  }

  bool is_silent(Peer& peer) {
    if (peer.has_ended) return false;
    const std::int64_t beats = store_.add(beat_key(peer.rank), 0);
    peer.silent_rounds = beats == std::exchange(peer.beats, beats) ? peer.silent_rounds + 1 : 0;
    return peer.silent_rounds >= (beats == 0 ? kFirstRounds : kSilentRounds) && !has_ended(peer);
  }

  Failure told() {
    const std::string text = store_.get_to_str("failed");
    store_.add("heard", 1);
    const auto space = text.find(' ');
    return {std::stoi(text.substr(0, space)), text.substr(space + 1)};
  }

  c10d::Store& store_;
  const JobRank& job_;
  std::vector<Peer> peers_;
};

template <class Condition>
void wait_in_rounds(seconds longest, Condition condition) {
  const auto deadline = Clock::now() + longest;
  while (!condition() && Clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

bool has_store(const JobRank& job) {
  return job.rank == 0 && !job.has_agent_store;
}

// A failure is known: the process with the store stays until all but the failed one have read it.
void await_hearers(Rounds& rounds, const JobRank& job) {
  if (has_store(job))
    wait_in_rounds(kWaitForHearing, [&] { return rounds.num_hearers() >= job.count - 1; });
}

// The last round, when this process ends. The one with the store stays until nobody needs it.
void leave(Rounds& rounds, const JobRank& job, const std::optional<std::string>& own) {
  if (own) {
    rounds.fail(job.rank, *own);
    await_hearers(rounds, job);
    return;
  }
  rounds.end();
  if (has_store(job)) wait_in_rounds(kWaitForEnd, [&] { return rounds.have_all_ended(); });
}

// Rounds until the end or the first failure.
void watch(Shared& shared) {
  const auto store = connect_store(shared.job, false, kConnectTime);
  Rounds rounds(*store, shared.job);
  std::unique_lock lock(shared.mutex);
  while (!shared.is_ending && !shared.own && !shared.found) {
    lock.unlock();
    const auto found = rounds.run();
    if (found) await_hearers(rounds, shared.job);
    lock.lock();
    shared.last_answer = Clock::now();
    if (found) shared.found = found;
    if (!shared.found)
      shared.changed.wait_for(lock, kPeriod, [&] { return shared.is_ending || shared.own; });
  }
  if (shared.found) return;
  const auto own = shared.own;
  lock.unlock();
  leave(rounds, shared.job, own);
}

void run_watch(const std::shared_ptr<Shared>& shared) {
  std::optional<std::string> lost;
  try {
    watch(*shared);
  } catch (const std::exception& error) {
    lost = first_line(error);
  }
  const std::scoped_lock lock(shared->mutex);
  // Who ends anyway, or has found a failure, does not mind the store.
  if (lost && !shared->is_ending && !shared->own && !shared->found)
    shared->found = {0, fmt::format("lost the connection to the job's store at {} ({})",
                                    store_address(shared->job), *lost)};
  shared->has_left = true;
  shared->changed.notify_all();
}

class StoreWatch final : public FailureWatch {
 public:
  StoreWatch(const JobRank& job, std::function<void(int, const std::string&)> on_failure)
      : shared_(std::make_shared<Shared>()), on_failure_(std::move(on_failure)) {
    shared_->job = job;
    shared_->last_answer += kConnectTime;
    watcher_ = std::thread([shared = shared_] { run_watch(shared); });
    judge_ = std::thread([this] { judge(); });
  }

  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;
  ~StoreWatch() override {
    {
      std::unique_lock lock(shared_->mutex);
      shared_->is_ending = true;
      shared_->changed.notify_all();
      shared_->changed.wait_for(lock, kWaitForEnd + kPeriod, [&] { return shared_->has_left; });
      // A request to a machine that is gone may wait for ever.
      if (!shared_->has_left) watcher_.detach();
    }
    if (watcher_.joinable()) watcher_.join();
    judge_.join();
  }

  void report(const std::string& error) noexcept override {
    try {
      std::unique_lock lock(shared_->mutex);
      if (!shared_->own) shared_->own = error.substr(0, error.find('\n'));
      shared_->changed.notify_all();
      shared_->changed.wait_for(lock, kWaitForHearing + 2 * kPeriod,
                                [&] { return shared_->has_left; });
    } catch (...) {  // NOLINT(bugprone-empty-catch): the others hear nothing, and find out later
    }
  }

 private:
  // Tells of the failure that the watcher found, and of a store that does not answer.
  void judge() {
    std::unique_lock lock(shared_->mutex);
    while (!shared_->is_ending && !shared_->own) {
      if (!shared_->found && !shared_->has_left && Clock::now() > shared_->last_answer + kDeafTime)
        shared_->found = {
            0, fmt::format("the job's store at {} does not answer", store_address(shared_->job))};
      if (shared_->found) {
        const Failure failure = *shared_->found;
        lock.unlock();
        on_failure_(failure.rank, failure.words);
        return;
      }
      shared_->changed.wait_for(lock, kPeriod);
    }
  }

  std::shared_ptr<Shared> shared_;
  std::function<void(int, const std::string&)> on_failure_;
  std::thread watcher_;
  std::thread judge_;
};

class NothingToWatch final : public FailureWatch {
 public:
  void report(const std::string& /*error*/) noexcept override {}
};

}  // namespace

std::unique_ptr<FailureWatch> watch_failures(
    const JobRank& job, std::function<void(int, const std::string&)> on_failure) {
  if (job.count == 1) return std::make_unique<NothingToWatch>();
  return std::make_unique<StoreWatch>(job, std::move(on_failure));
}

}  // namespace contra4::train
