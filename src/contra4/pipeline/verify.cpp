#include "contra4/pipeline/verify.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/io/journal.h"
#include "contra4/io/json_writer.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kReportEvery{100};
constexpr std::size_t kMaxNamedFailures = 20;
// Lines reach the kernel one by one; a power cut may lose a second of them.
constexpr io::JournalOptions kJournal{.sync_every_lines = 8192};

// What all models count together.
struct Tally {
  std::atomic<std::int64_t> taken{0};
  std::atomic<std::int64_t> resumed{0};
  std::atomic<std::int64_t> saved{0};
  std::atomic<std::int64_t> failed{0};
  std::atomic<std::int64_t> in_flight{0};
  std::atomic<std::int64_t> not_replayed{0};
};

class Failures {
 public:
  void add(std::string message) {
    const std::lock_guard lock(mutex_);
    if (messages_.size() < kMaxNamedFailures) messages_.push_back(std::move(message));
  }
  std::vector<std::string> sorted() {
    const std::lock_guard lock(mutex_);
    std::sort(messages_.begin(), messages_.end());
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

// The requests that one model may be asked while all are at work together.
struct Phase {
  std::optional<std::size_t> order;  // empty: every order
  std::size_t turn = 0;
};

// One model's part in a phase: gives questions, takes answers.
class Asking {
 public:
  Asking(std::size_t model, const Phase& phase, const AskedItems& items,
         const VerifyOptions& options, VerifyLedger& ledger, Tally& tally)
      : model_(model),
        phase_(phase),
        items_(items),
        options_(options),
        ledger_(ledger),
        tally_(tally) {}

  // The next request that is to be asked. What a journal knows is taken on the way.
  struct Request {
    std::size_t item = 0;
    std::size_t order = 0;
  };
  std::optional<Request> next() {
    for (; item_ < items_.size(); ++item_, order_ = 0) {
      if (!is_my_turn(item_)) continue;
      const std::size_t end = phase_.order ? 1 : ledger_.num_orders(item_);
      while (order_ < end) {
        const Request request{item_, phase_.order.value_or(0) + order_++};
        if (!ledger_.wants(model_, request.item, request.order)) continue;
        const auto known = ledger_.known(model_, ledger_.request(request.item, request.order));
        if (!known) return request;
        ++tally_.resumed;
        take(request, *known);
      }
    }
    return std::nullopt;
  }

  void take(const Request& request, int says) {
    tally_.saved +=
        static_cast<std::int64_t>(ledger_.take(model_, request.item, request.order, says));
    ++tally_.taken;
  }

  Question question_of(const Request& request) const {
    const AskedItem item = items_.at(request.item);
    const scoring::SceneOrder& order = ledger_.orders(request.item)[request.order];
    Question question;
    question.ticket = ledger_.request(request.item, request.order);
    question.item_id = item.id;
    question.text = item.question;
    question.order = scoring::order_name(order);
    for (const int place : order) {
      const AskedScene& scene = item.scenes()[static_cast<std::size_t>(place)];
      question.scenes.push_back({.modality = scene.modality,
                                 .source = std::string(scene.source),
                                 .id = {std::string(scene.id), scene.has_integer_id},
                                 .caption = std::string(scene.caption),
                                 .media = {}});
    }
    question.seed =
        stable_hash64(fmt::format("{}\x1f{}\x1f{}", item.id, question.order, options_.seed));
    return question;
  }

 private:
  bool is_my_turn(std::size_t item) const {
    if (!phase_.order) return true;
    const std::size_t num_models = ledger_.num_models();
    return *phase_.order < ledger_.num_orders(item) &&
           items_.id_hash(item) % num_models == (model_ + phase_.turn) % num_models;
  }

  std::size_t model_;
  Phase phase_;
  const AskedItems& items_;
  const VerifyOptions& options_;
  VerifyLedger& ledger_;
  Tally& tally_;
  std::size_t item_ = 0;
  std::size_t order_ = 0;
};

class Verification {
 public:
  Verification(const Stage& stage, const VerifyOptions& options,
               std::span<const VerifyModel> models, const StepProgressCallback& progress)
      : options_(options),
        models_(models),
        report_(progress),
        items_(AskedItems::load(options.questions, options.rows)),
        ledger_(items_, models.size(), options.until) {
    if (items_.size() > 0) CONTRA4_CHECK(ledger_.num_models() > 0, "a verification has models");
    for (const VerifyModel& model : models_) {
      journals_.push_back(model.answerer == nullptr
                              ? model.replayed
                              : std::vector<fs::path>{stage.journal_path(model.name)});
      // Before reading: it cuts a torn line off.
      writers_.push_back(model.answerer == nullptr ? nullptr
                                                   : std::make_unique<io::JournalWriter>(
                                                         journals_.back().front(), kJournal));
    }
    const ReplyJournals reader(items_);
    for (std::size_t model = 0; model < models_.size(); ++model) {
      for (const fs::path& journal : journals_[model]) read(reader, model, journal);
    }
    tally_.saved = static_cast<std::int64_t>(ledger_.num_unwanted_from_start());
  }

  // False after a stop.
  bool ask(const std::stop_token& stop) {
    report("");
    if (options_.until == AskUntil::kAllOrders) {
      return run_phase({}, stop);
    }
    for (std::size_t order = 0; order < ledger_.max_orders(); ++order) {
      for (std::size_t turn = 0; turn < models_.size(); ++turn) {
        note_ = fmt::format("order {} of {}", order + 1, ledger_.max_orders());
        if (!run_phase({.order = order, .turn = turn}, stop)) return false;
      }
    }
    return true;
  }

  void sync() {
    for (const auto& writer : writers_) {
      if (writer) writer->sync();
    }
  }

  void write(const StepFiles& files);
  StepOutcome outcome(bool is_cancelled);

 private:
  void read(const ReplyJournals& reader, std::size_t model, const fs::path& journal) {
    reader.read(journal, [&](const ReplyJournals::Found& found, const ReplyRecord& reply) {
      const std::size_t request = ledger_.request(found.item, found.order);
      if (ledger_.known(model, request)) return;
      ledger_.know(model, request,
                   what_it_says(reply, items_.at(found.item),
                                ledger_.orders(found.item)[found.order], options_.reading));
    });
  }

  void report(const std::string& note) const {
    if (!report_) return;
    report_({.total = static_cast<std::int64_t>(ledger_.num_requests() * models_.size()),
             .done = tally_.taken + tally_.saved,
             .resumed = tally_.resumed,
             .failed = tally_.failed,
             .in_flight = tally_.in_flight,
             .note = note});
  }

  bool run_phase(const Phase& phase, const std::stop_token& stop);
  void run_model(std::size_t model, const Phase& phase, const std::stop_token& stop);
  void fail(std::size_t model, const Asking::Request& request, const Error& error);
  std::vector<WordsOnDisk> words_on_disk() const;

  const VerifyOptions& options_;
  std::span<const VerifyModel> models_;
  const StepProgressCallback& report_;
  AskedItems items_;
  VerifyLedger ledger_;
  std::vector<std::vector<fs::path>> journals_;              // by model
  std::vector<std::unique_ptr<io::JournalWriter>> writers_;  // by model; null: replayed
  Tally tally_;
  Failures failures_;
  std::string note_;
};

void Verification::fail(std::size_t model, const Asking::Request& request, const Error& error) {
  ++tally_.failed;
  ledger_.set_aside(model, request.item);
  failures_.add(
      fmt::format("no reply: {}, {}, order {}: {}", models_[model].name, items_.id(request.item),
                  scoring::order_name(ledger_.orders(request.item)[request.order]), error.message));
}

void Verification::run_model(std::size_t model, const Phase& phase, const std::stop_token& stop) {
  Asking asking(model, phase, items_, options_, ledger_, tally_);
  // An answerer may take long to start: only for what is to be asked.
  std::optional<Asking::Request> first = asking.next();
  if (models_[model].answerer == nullptr) {
    for (; first; first = asking.next()) ++tally_.not_replayed;
    return;
  }
  if (!first || stop.stop_requested()) return;

  io::JournalWriter& journal = *writers_[model];
  std::unordered_map<std::uint64_t, Asking::Request> in_flight;  // by ticket
  const auto source = [&]() -> std::optional<Question> {
    if (stop.stop_requested()) return std::nullopt;
    const auto request = first ? std::exchange(first, std::nullopt) : asking.next();
    if (!request) return std::nullopt;
    Question question = asking.question_of(*request);
    in_flight.emplace(question.ticket, *request);
    ++tally_.in_flight;
    return question;
  };
  const auto sink = [&](Answer answer) {
    const auto asked = in_flight.find(answer.ticket);
    CONTRA4_CHECK(asked != in_flight.end(), "an answer to a question that is not in flight");
    const Asking::Request request = asked->second;
    in_flight.erase(asked);
    --tally_.in_flight;
    const AskedItem item = items_.at(request.item);
    const scoring::SceneOrder& order = ledger_.orders(request.item)[request.order];
    check_choice(answer, item.num_scenes);
    const ReplyRecord reply =
        record_of(std::string(item.id), scoring::order_name(order), std::move(answer));
    journal.append(to_json_line(reply));
    if (is_final(reply.state)) {
      asking.take(request, what_it_says(reply, item, order, options_.reading));
    } else {
      fail(model, request, reply.error);
    }
  };
  models_[model].answerer->run(source, sink, stop);
  tally_.in_flight -= static_cast<std::int64_t>(in_flight.size());
  if (stop.stop_requested()) return;
  // One that ends early leaves the rest to a later run.
  const Error ended{ErrorCode::kUnavailable, "the model stopped answering"};
  for (const auto& [ticket, request] : in_flight) fail(model, request, ended);
  for (auto rest = first ? first : asking.next(); rest; rest = asking.next()) {
    fail(model, *rest, ended);
  }
}

bool Verification::run_phase(const Phase& phase, const std::stop_token& stop) {
  std::stop_source all;
  const std::stop_callback pass_on(stop, [&] { all.request_stop(); });
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t num_ended = 0;
  std::vector<std::exception_ptr> errors(models_.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t model = 0; model < models_.size(); ++model) {
      threads.emplace_back([&, model] {
        try {
          run_model(model, phase, all.get_token());
        } catch (...) {
          errors[model] = std::current_exception();
          all.request_stop();
        }
        const std::lock_guard lock(mutex);
        ++num_ended;
        ended.notify_all();
      });
    }
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kReportEvery, [&] { return num_ended == models_.size(); })) {
      lock.unlock();
      report(note_);
      lock.lock();
    }
  }
  report(note_);
  for (const std::exception_ptr& error : errors) {
    if (!error) continue;
    sync();
    std::rethrow_exception(error);
  }
  return !stop.stop_requested();
}

std::vector<WordsOnDisk> Verification::words_on_disk() const {
  const ReplyJournals reader(items_);
  std::vector<WordsOnDisk> words;
  for (std::size_t model = 0; model < models_.size(); ++model) {
    words.emplace_back(journals_[model]);
    std::vector<bool> is_found(ledger_.num_requests());
    for (std::size_t journal = 0; journal < journals_[model].size(); ++journal) {
      reader.read(journals_[model][journal],
                  [&](const ReplyJournals::Found& found, const ReplyRecord&) {
                    const std::size_t request = ledger_.request(found.item, found.order);
                    if (is_found[request]) return;
                    is_found[request] = true;
                    if (ledger_.taken(model, request) != kNamesNone) return;
                    words[model].add(request, journal, found.offset);
                  });
    }
    words[model].sort();
  }
  return words;
}

void Verification::write(const StepFiles& files) {
  std::vector<WordsOnDisk> words = words_on_disk();
  std::vector<std::unique_ptr<data::ItemWriter>> writers;
  for (const VerifyModel& model : models_) {
    writers.push_back(data::create_items(files.answers_of(model.name), data::Schema::kGenerated));
  }
  const auto reader = data::open_items(options_.questions);
  const auto [first, last] = items_.rows();
  for (std::size_t row = 0; row < last; ++row) {
    auto next = reader->next();
    if (!next || !*next || (row >= first && (*next)->id.text != items_.id(row - first))) {
      throw Exception(ErrorCode::kDataLoss, fmt::format("{}: changed while it was verified",
                                                        options_.questions.string()));
    }
    if (row < first) continue;
    const std::size_t item = row - first;
    Item& written = **next;
    for (Scene& scene : written.scenes) {
      if (scene.captions.size() > 1) scene.captions.resize(1);
      if (!scene.captions.empty()) scene.captions_were_list = false;
    }
    for (std::size_t model = 0; model < models_.size(); ++model) {
      const std::string member = "answer_" + models_[model].name;
      std::erase_if(written.extra, [&](const auto& extra) { return extra.first == member; });
      io::JsonWriter json;
      json.begin_array();
      for (std::size_t order = 0; order < ledger_.num_orders(item); ++order) {
        const std::size_t request = ledger_.request(item, order);
        const auto says = ledger_.taken(model, request);
        if (!says) {
          json.null();
        } else if (*says == kNamesNone) {
          json.value(entry_of(words[model].at(request), *says, options_.reading));
        } else {
          json.value(entry_of({}, *says, options_.reading));
        }
      }
      json.end_array();
      written.extra.emplace_back(member, json.take());
      writers[model]->write(written);
      written.extra.pop_back();
    }
  }
  for (const auto& writer : writers) writer->commit();
}

StepOutcome Verification::outcome(bool is_cancelled) {
  std::int64_t num_not_scenes = 0;
  std::int64_t num_mute = 0;
  std::int64_t num_unanswered = 0;
  std::int64_t num_majority = 0;
  std::int64_t num_unanimous = 0;
  std::vector<std::int64_t> num_agreed(models_.size());
  for (std::size_t item = 0; item < items_.size(); ++item) {
    num_not_scenes += items_.unaskable(item) == Unaskable::kScenes ? 1 : 0;
    num_mute += items_.unaskable(item) == Unaskable::kCaption ? 1 : 0;
    num_unanswered += items_.unaskable(item) == Unaskable::kNot && !items_.answer(item) ? 1 : 0;
    std::size_t agreed = 0;
    for (std::size_t model = 0; model < models_.size(); ++model) {
      const bool agrees = ledger_.agrees(model, item);
      num_agreed[model] += agrees ? 1 : 0;
      agreed += agrees ? 1U : 0U;
    }
    num_majority += 2 * agreed > models_.size() ? 1 : 0;
    num_unanimous += agreed == models_.size() ? 1 : 0;
  }
  StepOutcome outcome;
  outcome.is_cancelled = is_cancelled;
  outcome.num_failed = tally_.failed;
  Counts& counts = outcome.counts;
  counts.emplace_back("items", static_cast<std::int64_t>(items_.size()));
  const auto add_if_any = [&](const char* name, std::int64_t count) {
    if (count > 0) counts.emplace_back(name, count);
  };
  add_if_any("items without 2 to 4 scenes", num_not_scenes);
  add_if_any("items without captions", num_mute);
  add_if_any("items without an answer", num_unanswered);
  counts.emplace_back("requests of all orders",
                      static_cast<std::int64_t>(ledger_.num_requests() * models_.size()));
  counts.emplace_back("requests asked", tally_.taken);
  counts.emplace_back("requests saved", tally_.saved);
  add_if_any("requests not in the replay", tally_.not_replayed);
  add_if_any("requests without a reply", tally_.failed);
  // Only what the requests that were asked can tell.
  const bool has_all = options_.until == AskUntil::kAllOrders;
  if (models_.size() > 1) {
    if (has_all) {
      for (std::size_t model = 0; model < models_.size(); ++model) {
        counts.emplace_back(fmt::format("agreeing: {}", models_[model].name), num_agreed[model]);
      }
    }
    if (has_all || options_.until == AskUntil::kMajority) {
      counts.emplace_back("agreeing: majority", num_majority);
    }
    counts.emplace_back("agreeing: all models", num_unanimous);
  } else {
    counts.emplace_back(fmt::format("agreeing: {}", models_[0].name), num_unanimous);
  }
  outcome.notes = options_.notes;
  if (outcome.num_failed > 0) {
    for (std::string& message : failures_.sorted()) outcome.notes.push_back(std::move(message));
  }
  return outcome;
}

}  // namespace

StepOutcome verify(Stage& stage, const VerifyOptions& options, std::span<const VerifyModel> models,
                   const StepProgressCallback& progress, std::stop_token stop) {
  Verification verification(stage, options, models, progress);
  const bool is_whole = verification.ask(stop);
  verification.sync();
  StepOutcome outcome = verification.outcome(!is_whole);
  if (options.accepts_failures) outcome.num_failed = 0;  // counted and named all the same
  if (!outcome.is_complete()) return outcome;
  verification.write(options.files);
  stage.finish(outcome.counts, outcome.notes);
  return outcome;
}

std::int64_t count_verify_requests(const VerifyOptions& options, std::size_t num_models) {
  const AskedItems items = AskedItems::load(options.questions, options.rows);
  std::int64_t requests = 0;
  for (std::size_t item = 0; item < items.size(); ++item) {
    std::int64_t orders = items.unaskable(item) == Unaskable::kNot ? 1 : 0;
    for (int n = 2; n <= items.num_scenes(item); ++n) orders *= n;
    requests += orders;
  }
  return requests * static_cast<std::int64_t>(num_models);
}

}  // namespace contra4::pipeline
