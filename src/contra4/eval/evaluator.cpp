#include "contra4/eval/evaluator.h"

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/eval/run_journal.h"
#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/scene_view.h"
#include "contra4/scoring/trial.h"

namespace contra4::eval {

namespace {

// One call of evaluate(): what source and sink share.
class Evaluation {
 public:
  Evaluation(const RequestPlan& plan, const SceneSource& scenes,
             const std::filesystem::path& journal_path, const EvaluateOptions& options,
             const ProgressCallback& progress)
      : plan_(plan),
        scenes_(scenes),
        options_(options),
        report_(progress),
        journal_(journal_path, options.journal),
        index_(plan) {
    index_.read(journal_path);
    if (index_.damaged_lines() > 0) {
      log::warning("{}: {} damaged line{} skipped, the questions are asked again (the first: {})",
                   journal_path.string(), index_.damaged_lines(),
                   index_.damaged_lines() == 1 ? "" : "s", index_.first_damage());
    }
    counts_.total = static_cast<std::int64_t>(plan.num_requests());
    for (std::size_t request = 0; request < plan.num_requests(); ++request) {
      if (!is_final(index_.state(request))) continue;
      ++counts_.done;
      if (index_.state(request) == RequestState::kBlocked) ++counts_.blocked;
    }
    counts_.resumed = counts_.done;
  }

  std::optional<Question> next(const std::stop_token& stop) {
    for (; next_ < plan_.num_requests() && !stop.stop_requested(); ++next_) {
      if (is_final(index_.state(next_))) continue;
      const PlannedRequest request = plan_.request(next_);
      const Item& item = plan_.items()[request.item];
      if (!shown_ || shown_item_ != request.item) {
        shown_.emplace(scenes_.scenes_of(item));
        shown_item_ = request.item;
      }
      if (!*shown_) {
        leave_out(next_, item, request.order, shown_->error());
        continue;
      }
      Question question;
      question.ticket = next_;
      question.item_id = item.id.text;
      question.text = item.question;
      for (const int scene : request.order) {
        question.scenes.push_back((**shown_)[static_cast<std::size_t>(scene)]);
      }
      question.order = order_name(request.order);
      question.seed =
          stable_hash64(fmt::format("{}\x1f{}\x1f{}", item.id.text, question.order, options_.seed));
      in_flight_.insert(next_++);
      ++counts_.in_flight;
      return question;
    }
    return std::nullopt;
  }

  void take(Answer answer) {
    const std::size_t number = answer.ticket;
    CONTRA4_CHECK(in_flight_.erase(number) == 1, "an answer to a question that is not in flight");
    --counts_.in_flight;
    const PlannedRequest request = plan_.request(number);
    const Item& item = plan_.items()[request.item];
    check_choice(answer, item.num_scenes());
    const ReplyRecord entry = record_of(item.id.text, order_name(request.order), std::move(answer));
    record(number, entry);
    if (entry.state == RequestState::kAnswered) score(item, request.order, entry);
    report();
  }

  void report() const {
    if (report_) report_(counts_);
  }
  void sync() { journal_.sync(); }
  const EvaluateProgress& counts() const { return counts_; }

 private:
  void leave_out(std::size_t number, const Item& item, const SceneOrder& order,
                 const Error& error) {
    ReplyRecord entry;
    entry.item_id = item.id.text;
    entry.part = order_name(order);
    entry.state = RequestState::kNotShown;
    entry.error = error;
    record(number, entry);
    report();
  }

  void record(std::size_t number, const ReplyRecord& entry) {
    // What a later run finds just as it was needs no second line.
    const bool is_known =
        index_.state(number) == entry.state &&
        (entry.state == RequestState::kUnsupported || entry.state == RequestState::kNotShown);
    if (!is_known) journal_.append(to_json_line(entry));
    index_.set_state(number, entry.state);
    switch (entry.state) {
      case RequestState::kBlocked:
        ++counts_.blocked;
        [[fallthrough]];
      case RequestState::kAnswered:
        ++counts_.done;
        break;
      case RequestState::kUnsupported:
        ++counts_.unsupported;
        break;
      case RequestState::kNotShown:
        ++counts_.not_shown;
        break;
      case RequestState::kFailed:
      case RequestState::kOpen:
        ++counts_.failed;
        break;
    }
  }

  void score(const Item& item, const SceneOrder& order, const ReplyRecord& entry) {
    if (!item.answer) return;
    const auto shown = scoring::scene_views(item, order);
    const auto choice =
        entry.choice ? entry.choice : scoring::parse_choice(entry.text, shown).index;
    const int gold = scoring::shown_place(order, *item.answer);
    ++counts_.scored;
    if (scoring::is_right(options_.scoring, entry.text, choice, gold, shown)) ++counts_.right;
  }

  const RequestPlan& plan_;
  const SceneSource& scenes_;
  const EvaluateOptions& options_;
  const ProgressCallback& report_;
  io::JournalWriter journal_;  // before the index: it cuts a torn line off
  JournalIndex index_;
  EvaluateProgress counts_;
  std::size_t next_ = 0;
  std::unordered_set<std::size_t> in_flight_;
  std::optional<Result<std::vector<ShownScene>>> shown_;  // of shown_item_, for all its orders
  std::size_t shown_item_ = 0;
};

}  // namespace

EvaluateOutcome evaluate(const RequestPlan& plan, Answerer& answerer, const SceneSource& scenes,
                         const std::filesystem::path& journal_path, const EvaluateOptions& options,
                         const ProgressCallback& progress, std::stop_token stop) {
  EvaluateOutcome outcome;
  {
    Evaluation evaluation(plan, scenes, journal_path, options, progress);
    evaluation.report();
    if (evaluation.counts().done < evaluation.counts().total) {
      answerer.run([&] { return evaluation.next(stop); },
                   [&](Answer answer) { evaluation.take(std::move(answer)); }, stop);
    }
    evaluation.sync();
    outcome.progress = evaluation.counts();
  }
  // What was in flight at a stop was not reported and is open again.
  outcome.progress.in_flight = 0;
  JournalIndex index(plan);
  index.read(journal_path);
  outcome.summary = summarize(plan, index, journal_path);
  const EvaluateProgress& end = outcome.progress;
  outcome.is_cancelled =
      stop.stop_requested() && end.done + end.failed + end.unsupported + end.not_shown < end.total;
  return outcome;
}

}  // namespace contra4::eval
