#include "contra4/pipeline/generate.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/inference/reply_record.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/rule_writer.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMadeBy = "contra4 sample";
constexpr std::int64_t kMaxNamedFailures = 10;
constexpr std::string_view kBlocked = "blocked";

enum class Phase { kQuestions, kAnswers };

std::string_view word_of(Phase phase) {
  return phase == Phase::kQuestions ? "question" : "answer";
}

std::string plural_of(Phase phase) {
  return fmt::format("{}s", word_of(phase));
}

std::vector<std::string_view> captions_of(const Item& item) {
  std::vector<std::string_view> captions;
  captions.reserve(item.scenes.size());
  for (const Scene& scene : item.scenes) captions.push_back(scene.caption());
  return captions;
}

// Why nobody can be asked about an item; empty: somebody can.
std::string_view unfit(const Item& item) {
  if (item.num_scenes() < kMinScenes) return "fewer than two scenes";
  if (item.num_scenes() > kMaxScenes) return "more than four scenes";
  for (const Scene& scene : item.scenes) {
    if (scene.caption().empty()) return "a scene without caption";
  }
  return {};
}

std::uint64_t rule_seed(const Item& item, std::uint64_t seed) {
  return stable_hash64(fmt::format("{}\x1frules\x1f{}", item.id.text, seed));
}

std::optional<RuleQuestion> written_by_rules(const Item& item, std::uint64_t seed) {
  return write_by_rules(captions_of(item), rule_seed(item, seed));
}

WriterInput input_of(const Item& item) {
  WriterInput input;
  for (const std::string_view caption : captions_of(item)) input.scenes.emplace_back(caption);
  input.question = item.question;
  return input;
}

GenerateRequest request_of(const Writer& writer, const Item& item, Phase phase, int attempt,
                           std::uint64_t seed) {
  GenerateRequest request = write_request(writer.prompt, writer.form, input_of(item));
  request.name = item.id.text;
  request.sampling.seed = stable_hash64(
      fmt::format("{}\x1f{}\x1f{}\x1f{}", item.id.text, word_of(phase), attempt, seed));
  return request;
}

std::string part_of(Phase phase, int attempt) {
  return fmt::format("{} {}", word_of(phase), attempt);
}

// The attempt of "question 2"; 0 for another part.
int parse_attempt(Phase phase, std::string_view part) {
  const std::string_view word = word_of(phase);
  if (!part.starts_with(word) || part.size() < word.size() + 2) return 0;
  int attempt = 0;
  const char* const end = part.data() + part.size();
  const auto parsed = std::from_chars(part.data() + word.size() + 1, end, attempt);
  return parsed.ec == std::errc() && parsed.ptr == end ? attempt : 0;
}

std::string settings_json(const GenerateOptions& options, const Writer& writer, Phase phase) {
  io::JsonWriter json;
  json.begin_object().member("seed", options.seed);
  if (writer.generator == nullptr) {
    json.member("model", kRulesModel).member("rules_version", kRuleWriterVersion);
  } else {
    json.key("model").raw(writer.generator->description_json());
    json.member("max_attempts", options.max_attempts);
    json.key("prompt").raw(description_json(writer.prompt, writer.form));
    if (phase == Phase::kQuestions) {
      json.member("max_words", options.bounds.max_words);
      json.member("max_characters", options.bounds.max_characters);
    }
  }
  json.end_object();
  return json.take();
}

// The rows of a file that a shard takes, one at a time.
class RowReader {
 public:
  RowReader(const TuplesFile& file, std::size_t num_rows)
      : file_(file), reader_(data::open_items(file.path)) {
    const auto [first, last] = file.rows.range(num_rows);
    left_ = last - first;
    for (std::size_t i = 0; i < first; ++i) next_row();
  }

  std::optional<Item> next() {
    if (left_ == 0) return std::nullopt;
    --left_;
    return next_row();
  }

 private:
  Item next_row() {
    auto row = reader_->next();
    if (!row) {
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("{}: changed while it was read", file_.path.string()));
    }
    if (!*row) throw Exception(ErrorCode::kInvalidArgument, row->error().message);
    return std::move(*row).value();
  }

  const TuplesFile& file_;
  std::unique_ptr<data::ItemReader> reader_;
  std::size_t left_ = 0;
};

std::size_t count_rows(const fs::path& path) {
  const auto reader = data::open_items(path, {}, data::Extras::kDrop);
  std::size_t count = 0;
  while (const auto row = reader->next()) {
    if (!*row) throw Exception(ErrorCode::kInvalidArgument, row->error().message);
    ++count;
  }
  return count;
}

// What is known of one item: its fate, and the text once there is one.
struct ItemState {
  std::string text;
  std::string_view fault;  // of the last reply that was no text; of what was dropped: why
  std::int16_t num_replies = 0;
  std::int8_t num_scenes = 0;
  std::int8_t answer = 0;
  bool is_settled = false;  // text or drop
};

// One phase of one call of generate().
class PhaseRun {
 public:
  PhaseRun(const GenerateOptions& options, const Writer& writer, Phase phase, TuplesFile file)
      : options_(options), writer_(writer), phase_(phase), file_(std::move(file)) {
    num_rows_ = count_rows(file_.path);
    read_ids();
  }

  // False when a stop was asked for, or requests are left without a reply.
  bool ask(const fs::path& journal_path, const StepProgressCallback& progress,
           const std::stop_token& stop);
  // Writes the rows that have their text, and tells the stage of the others.
  Counts write(const fs::path& path, Stage& stage) const;

  std::int64_t num_failed() const { return progress_.failed; }
  std::int64_t num_items() const { return static_cast<std::int64_t>(states_.size()); }
  std::int64_t num_open() const {
    return std::count_if(states_.begin(), states_.end(),
                         [](const ItemState& state) { return !state.is_settled; });
  }

 private:
  struct Pending {
    Item item;
    std::size_t index = 0;
  };

  void read_ids();
  void read_journal(const fs::path& path);
  void take_reply(ItemState& state, RequestState reply, std::string_view text) const;
  std::optional<GenerateRequest> next_request(const std::stop_token& stop);
  void take(GenerateOutcome outcome, io::JournalWriter& journal);
  void name_failure(const Item& item, const Error& error);

  const GenerateOptions& options_;
  const Writer& writer_;
  Phase phase_;
  TuplesFile file_;
  std::size_t num_rows_ = 0;
  std::unordered_map<std::string, std::uint32_t> index_of_;  // until the journal is read
  std::vector<ItemState> states_;
  StepProgress progress_;

  std::unique_ptr<RowReader> rows_;
  std::size_t next_row_ = 0;
  std::deque<Pending> again_;
  std::unordered_map<std::uint64_t, Pending> in_flight_;
  std::uint64_t next_ticket_ = 0;
};

void PhaseRun::read_ids() {
  RowReader rows(file_, num_rows_);
  while (const auto item = rows.next()) {
    const auto index = static_cast<std::uint32_t>(states_.size());
    if (!index_of_.emplace(item->id.text, index).second) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: id '{}' occurs twice", file_.path.string(), item->id.text));
    }
    ItemState& state = states_.emplace_back();
    state.num_scenes = static_cast<std::int8_t>(std::min(item->num_scenes(), kMaxScenes));
    if (const std::string_view why = unfit(*item); !why.empty()) {
      state.is_settled = true;
      state.fault = why;
    } else if (writer_.generator == nullptr) {
      state.is_settled = true;
      const auto written = written_by_rules(*item, options_.seed);
      if (!written) {
        state.fault = "nothing tells the scenes apart";
      } else if (phase_ == Phase::kQuestions) {
        state.text = written->question;
      } else {
        state.text = written->answer_text;
        state.answer = static_cast<std::int8_t>(written->answer);
      }
    }
  }
}

// The fate of an item is a function of its replies in the order of their attempts.
void PhaseRun::take_reply(ItemState& state, RequestState reply, std::string_view text) const {
  ++state.num_replies;
  if (reply == RequestState::kBlocked) {
    state.is_settled = true;
    state.fault = kBlocked;
    return;
  }
  JudgedReply judged = phase_ == Phase::kQuestions ? judge_question(text, options_.bounds)
                                                   : judge_answer(text, state.num_scenes);
  state.fault = judged.fault;
  if (judged.is_good()) {
    state.text = std::move(judged.text);
    state.answer = static_cast<std::int8_t>(judged.answer.value_or(0));
    state.is_settled = true;
  } else if (state.num_replies >= options_.max_attempts) {
    state.is_settled = true;
  }
}

void PhaseRun::read_journal(const fs::path& path) {
  std::int64_t num_damaged = 0;
  io::read_journal(path, [&](std::uint64_t, std::string_view line) {
    const auto record = parse_reply_record(line);
    if (!record) {
      ++num_damaged;
      return;
    }
    const auto found = index_of_.find(record->item_id);
    if (found == index_of_.end() || !is_final(record->state)) return;
    ItemState& state = states_[found->second];
    if (state.is_settled || parse_attempt(phase_, record->part) != state.num_replies + 1) return;
    take_reply(state, record->state, record->text);
  });
  if (num_damaged > 0) {
    log::warning("{}: {} damaged line{} skipped, the requests are sent again", path.string(),
                 num_damaged, num_damaged == 1 ? "" : "s");
  }
}

std::optional<GenerateRequest> PhaseRun::next_request(const std::stop_token& stop) {
  if (stop.stop_requested()) return std::nullopt;
  Pending pending;
  if (!again_.empty()) {
    pending = std::move(again_.front());
    again_.pop_front();
  } else {
    std::optional<Item> item;
    while (next_row_ < states_.size()) {
      pending.index = next_row_++;
      item = rows_->next();
      CONTRA4_CHECK(item.has_value(), "fewer rows than were counted");
      if (!states_[pending.index].is_settled) break;
      item.reset();
    }
    if (!item) return std::nullopt;
    pending.item = *std::move(item);
  }
  const int attempt = states_[pending.index].num_replies + 1;
  GenerateRequest request = request_of(writer_, pending.item, phase_, attempt, options_.seed);
  request.ticket = next_ticket_++;
  in_flight_.emplace(request.ticket, std::move(pending));
  ++progress_.in_flight;
  return request;
}

void PhaseRun::name_failure(const Item& item, const Error& error) {
  if (++progress_.failed <= kMaxNamedFailures) {
    log::warning("no reply: {} ({}): {}", item.id.text, word_of(phase_), error.message);
  }
}

void PhaseRun::take(GenerateOutcome outcome, io::JournalWriter& journal) {
  const auto found = in_flight_.find(outcome.ticket);
  CONTRA4_CHECK(found != in_flight_.end(), "a reply that nobody asked for");
  Pending pending = std::move(found->second);
  in_flight_.erase(found);
  --progress_.in_flight;
  ItemState& state = states_[pending.index];
  if (outcome.status != OutcomeStatus::kAnswered && outcome.status != OutcomeStatus::kBlocked) {
    name_failure(pending.item, outcome.error);
    return;
  }
  const ReplyRecord record =
      record_of(pending.item.id.text, part_of(phase_, state.num_replies + 1), std::move(outcome));
  journal.append(to_json_line(record));
  take_reply(state, record.state, record.text);
  if (state.is_settled) {
    ++progress_.done;
  } else {
    again_.push_back(std::move(pending));
  }
}

bool PhaseRun::ask(const fs::path& journal_path, const StepProgressCallback& progress,
                   const std::stop_token& stop) {
  if (writer_.generator == nullptr) return !stop.stop_requested();
  io::JournalWriter journal(journal_path, options_.journal);  // first: it cuts a torn line off
  read_journal(journal_path);
  index_of_ = {};
  progress_.total = num_items();
  progress_.done = num_items() - num_open();
  progress_.resumed = progress_.done;
  progress_.note = plural_of(phase_);
  if (progress) progress(progress_);
  // What is to be asked again when the generator has no more to do makes another round.
  rows_ = std::make_unique<RowReader>(file_, num_rows_);
  const auto has_more = [&] { return !again_.empty() || next_row_ < states_.size(); };
  while (num_open() > progress_.failed && has_more() && !stop.stop_requested()) {
    const std::size_t row_before = next_row_;
    const std::uint64_t tickets_before = next_ticket_;
    writer_.generator->run([&] { return next_request(stop); },
                           [&](GenerateOutcome outcome) {
                             take(std::move(outcome), journal);
                             if (progress) progress(progress_);
                           },
                           stop);
    // A generator that ended early (a budget) would do so again.
    if (next_ticket_ == tickets_before && next_row_ == row_before) break;
  }
  journal.sync();
  return num_open() == 0;
}

Counts PhaseRun::write(const fs::path& path, Stage& stage) const {
  const auto writer = data::create_items(path, data::Schema::kGenerated);
  RowReader rows(file_, num_rows_);
  std::map<std::string_view, std::int64_t> dropped;
  std::int64_t num_written = 0;
  for (const ItemState& state : states_) {
    auto item = rows.next();
    CONTRA4_CHECK(item.has_value(), "fewer rows than were counted");
    if (!state.fault.empty()) {
      ++dropped[state.fault];
      const bool is_malformed = state.num_replies > 0 && state.fault != kBlocked;
      stage.drop(item->id.text, state.fault,
                 is_malformed ? fmt::format("the last of {} replies", state.num_replies) : "");
      continue;
    }
    ++num_written;
    if (phase_ == Phase::kQuestions) {
      item->question = state.text;
      if (item->q_type.empty()) item->q_type = fmt::format("mc_{}", item->num_scenes());
    } else {
      item->answer = state.answer;
      item->answer_text = state.text;
    }
    writer->write(*item);
  }
  writer->commit();
  Counts counts = {{phase_ == Phase::kQuestions ? "tuples" : "questions", num_items()}};
  for (const auto& [reason, count] : dropped) {
    counts.emplace_back(fmt::format("dropped: {}", reason), count);
  }
  counts.emplace_back(phase_ == Phase::kQuestions ? "questions" : "answered", num_written);
  return counts;
}

// One stage; true when its output is there, new or old.
bool run_phase(const GenerateOptions& options, const Writer& writer, Phase phase,
               const TuplesFile& file, const fs::path& output, const StepProgressCallback& progress,
               const std::stop_token& stop, StepOutcome& outcome) {
  Stage stage =
      Stage::open({output},
                  {.stage = "generate",
                   .settings_json = settings_json(options, writer, phase),
                   .inputs = {{phase == Phase::kQuestions ? "tuples" : "questions", file.path}},
                   .shard = options.files.shard},
                  options.when_changed);
  if (!stage.is_done()) {
    outcome.was_done_before = false;
    PhaseRun run(options, writer, phase, file);
    const bool is_whole = run.ask(stage.journal_path(), progress, stop);
    if (!is_whole) {
      outcome.is_cancelled = stop.stop_requested();
      outcome.num_failed = run.num_open();
      outcome.counts.emplace_back(phase == Phase::kQuestions ? "tuples" : "questions",
                                  run.num_items());
      outcome.counts.emplace_back(plural_of(phase), run.num_items() - run.num_open());
      return false;
    }
    const Counts counts = run.write(output, stage);
    std::vector<std::string> notes;
    if (writer.generator == nullptr) notes.emplace_back(kRulesNote);
    stage.finish(counts, notes);
  }
  const Manifest& manifest = stage.manifest();
  // "questions" ends one phase and begins the next.
  for (const auto& count : manifest.counts) {
    if (phase == Phase::kAnswers && count.first == "questions") continue;
    outcome.counts.push_back(count);
  }
  for (const std::string& note : manifest.notes) {
    if (std::find(outcome.notes.begin(), outcome.notes.end(), note) == outcome.notes.end()) {
      outcome.notes.push_back(note);
    }
  }
  return true;
}

}  // namespace

TuplesFile find_tuples(const StepFiles& files) {
  if (!files.shard.is_whole()) {
    try {
      return {find_step_file(files.tuples(), kMadeBy), {}};
    } catch (const Exception& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
    }
  }
  StepFiles whole = files;
  whole.shard = {};
  return {find_step_file(whole.tuples(), kMadeBy), files.shard};
}

StepOutcome generate(const GenerateOptions& options, const StepProgressCallback& progress,
                     const std::stop_token& stop) {
  if (options.answers.generator == nullptr && options.questions.generator != nullptr) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "rules answer only the questions that rules wrote");
  }
  StepOutcome outcome;
  outcome.was_done_before = true;  // until a phase finds work
  const fs::path questions = options.files.questions();
  if (!run_phase(options, options.questions, Phase::kQuestions, find_tuples(options.files),
                 questions, progress, stop, outcome)) {
    return outcome;
  }
  run_phase(options, options.answers, Phase::kAnswers, {questions, {}}, options.files.answered(),
            progress, stop, outcome);
  return outcome;
}

GeneratePreview preview_generate(const GenerateOptions& options) {
  const TuplesFile file = find_tuples(options.files);
  const std::size_t num_rows = count_rows(file.path);
  RowReader rows(file, num_rows);
  GeneratePreview preview;
  std::int64_t num_fit = 0;
  while (const auto item = rows.next()) {
    ++preview.num_items;
    if (!unfit(*item).empty()) continue;
    if (num_fit++ == 0 && options.questions.generator != nullptr) {
      preview.question = request_of(options.questions, *item, Phase::kQuestions, 1, options.seed);
    }
  }
  if (options.questions.generator != nullptr) preview.num_requests += num_fit;
  if (options.answers.generator != nullptr) preview.num_requests += num_fit;
  return preview;
}

}  // namespace contra4::pipeline
