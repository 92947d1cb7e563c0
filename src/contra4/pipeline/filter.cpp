#include "contra4/pipeline/filter.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item.h"
#include "contra4/data/item_stream.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/bounded_queue.h"
#include "contra4/pipeline/filter_verdict.h"
#include "contra4/pipeline/row_outputs.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchesAhead = 3;
constexpr std::size_t kBlockBytes = 1U << 20;

// Places in filter_names(): first those of all models, then two of each model.
enum CommonFilter : std::size_t {
  kUnanimousPermute,
  kWordFiltering,
  kMajority,
  kUnanimous,
  kMajorityPermute,
  kNumCommon
};
std::size_t model_filter(std::size_t model) {
  return kNumCommon + 2 * model;
}
std::size_t model_permute_filter(std::size_t model) {
  return model_filter(model) + 1;
}

std::vector<fs::path> step4_files(const StepFiles& files, const std::vector<std::string>& models) {
  std::vector<fs::path> paths;
  for (const std::string& model : models) {
    paths.push_back(find_step_file(files.answers_of(model),
                                   fmt::format("contra4 verify --model {}=SPEC", model)));
  }
  return paths;
}

[[noreturn]] void refuse_mixture(const fs::path& first, const fs::path& other,
                                 const std::string& difference) {
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{} and {} are files of different runs: {}; `contra4 verify` makes "
                              "both from the same questions",
                              first.string(), other.string(), difference));
}

// By what the manifests beside them tell, where they are there: files that were copied from
// elsewhere have none.
void require_same_questions(const std::vector<fs::path>& paths) {
  std::optional<std::string> questions;
  fs::path first;
  for (const fs::path& path : paths) {
    const auto manifest = find_manifest(path);
    if (!manifest) continue;
    const auto input = std::find_if(manifest->inputs.begin(), manifest->inputs.end(),
                                    [](const auto& entry) { return entry.first == "questions"; });
    if (input == manifest->inputs.end()) continue;
    const std::string& sha256 = input->second;
    if (!questions) {
      questions = sha256;
      first = path;
    } else if (*questions != sha256) {
      refuse_mixture(
          first, path,
          fmt::format("their step2_3 files had the hashes {:.12} and {:.12}", *questions, sha256));
    }
  }
}

std::vector<std::string> added_members(const std::vector<std::string>& models) {
  std::vector<std::string> names = {"permutations", "answers_formatted"};
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (m > 0) names.push_back("answer_" + models[m]);
    names.push_back("answer_" + models[m] + "_formatted");
  }
  return names;
}

std::string settings_json(const FilterOptions& options) {
  io::JsonWriter json;
  json.begin_object();
  json.member("rule", options.compat ? "published" : "choice");
  json.key("models").begin_array();
  for (const std::string& model : options.models) json.value(model);
  json.end_array();
  json.member("majority", majority_of(options.models.size(), options.compat));
  json.member("whole_words", options.match == WordMatch::kWholeWords);
  json.key("words").begin_array();
  for (const std::string& word : options.words) json.value(word);
  json.end_array().end_object();
  return json.take();
}

std::string permutations_json(int num_scenes) {
  io::JsonWriter json;
  json.begin_array();
  for (const auto& order : scoring::all_orders(num_scenes)) {
    json.begin_array();
    for (const int scene : order) json.value(scene);
    json.end_array();
  }
  return json.end_array().take();
}

void check(const FilterOptions& options) {
  const auto& models = options.models;
  if (models.empty()) {
    throw Exception(ErrorCode::kInvalidArgument, "no models to filter by; name them with --models");
  }
  if (models.size() > kMaxFilterModels) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} models, at most {} can be filtered by at once", models.size(),
                                kMaxFilterModels));
  }
  for (auto one = models.begin(); one != models.end(); ++one) {
    if (std::find(models.begin(), one, *one) != one) {
      throw Exception(ErrorCode::kInvalidArgument, fmt::format("model '{}' is named twice", *one));
    }
  }
}

// A model's file, read by a thread of its own.
class ReadAhead {
 public:
  ReadAhead(const fs::path& path, ModelRowOptions options)
      : reader_(path, std::move(options)), thread_([this] { read(); }) {}
  ~ReadAhead() {
    batches_.close();
    thread_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  ModelRows next() {
    auto batch = batches_.pop();
    if (batch) return std::move(*batch);
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }

 private:
  void read() {
    try {
      while (true) {
        ModelRows batch = reader_.next();
        if (batch.rows.empty() || !batches_.push(std::move(batch))) break;
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
    batches_.close();
  }

  ModelRowReader reader_;
  BoundedQueue<ModelRows> batches_{kBatchesAhead};
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the others
};

// One row of every file.
struct JoinedRow {
  std::vector<const ModelRows*> batches;
  std::vector<const ModelRow*> rows;
  std::vector<ModelVerdict> verdicts;

  const ModelRow& first() const { return *rows.front(); }
  std::string_view first_text(TextSlice slice) const { return batches.front()->at(slice); }
};

void judge_all(JoinedRow& joined, bool compat) {
  const ModelRow& first = joined.first();
  joined.verdicts.clear();
  for (std::size_t m = 0; m < joined.rows.size(); ++m) {
    const ModelRow& row = *joined.rows[m];
    const bool same_text = compat && joined.batches[m]->at(row.first_formatted) ==
                                         joined.first_text(first.first_answer);
    joined.verdicts.push_back(judge(row, first.answer, same_text));
  }
}

// The filters that a row passes, which holds no word of the list; bits as in filter_names().
std::uint64_t passed_filters(const std::vector<ModelVerdict>& verdicts, std::size_t majority) {
  std::uint64_t passed = std::uint64_t{1} << kWordFiltering;
  std::size_t num_first = 0;
  std::size_t num_always = 0;
  const auto pass = [&](std::size_t filter, bool passes) {
    if (passes) passed |= std::uint64_t{1} << filter;
  };
  for (std::size_t m = 0; m < verdicts.size(); ++m) {
    num_first += verdicts[m].agrees_first ? 1 : 0;
    num_always += verdicts[m].agrees_always ? 1 : 0;
    pass(model_filter(m), verdicts[m].agrees_first);
    pass(model_permute_filter(m), verdicts[m].agrees_always);
  }
  pass(kMajority, num_first >= majority);
  pass(kUnanimous, num_first == verdicts.size());
  pass(kMajorityPermute, num_always >= majority);
  pass(kUnanimousPermute, num_always == verdicts.size());
  return passed;
}

class FilterRun {
 public:
  FilterRun(const StepFiles& files, const FilterOptions& options, std::vector<fs::path> inputs)
      : options_(options),
        inputs_(std::move(inputs)),
        words_(options.words, options.match),
        majority_(majority_of(options.models.size(), options.compat)),
        added_(added_members(options.models)),
        counts_(filter_names(options.models).size()) {
    for (std::size_t n = 1; n <= kMaxScenes; ++n) {
      permutations_.push_back(permutations_json(static_cast<int>(n)));
    }
    for (const std::string& name : filter_names(options.models)) {
      outputs_.push_back(files.filtered(name));
    }
    for (std::size_t m = 0; m < inputs_.size(); ++m) {
      keys_.push_back(fmt::format(", \"answer_{}\": ", options.models[m]));
      formatted_keys_.push_back(fmt::format(", \"answer_{}_formatted\": ", options.models[m]));
      readers_.push_back(std::make_unique<ReadAhead>(inputs_[m], row_options(m)));
    }
  }

  // False after a stop.
  bool run(Stage& stage, const StepProgressCallback& progress, const std::stop_token& stop);
  Counts counts() const;

 private:
  ModelRowOptions row_options(std::size_t model) const {
    return {.model = options_.models[model],
            .rule = options_.compat ? ReplyRule::kPublished : ReplyRule::kChoice,
            .words = model == 0 ? &words_ : nullptr,
            .added_members = added_};
  }
  bool next_batches();
  void require_same_ids(std::size_t row) const;
  void filter_row(std::size_t row, Stage& stage, RowOutputs& outputs);
  void append_row();

  const FilterOptions& options_;
  std::vector<fs::path> inputs_;
  WordList words_;
  std::size_t majority_;
  std::vector<std::string> added_;
  std::vector<fs::path> outputs_;
  std::vector<std::string> permutations_;  // by number of scenes, from 1
  std::vector<std::string> keys_;
  std::vector<std::string> formatted_keys_;
  std::vector<std::unique_ptr<ReadAhead>> readers_;
  std::vector<ModelRows> batches_;
  JoinedRow joined_;
  RowBlock block_;
  data::FingerprintSet ids_;
  std::int64_t num_rows_ = 0;
  std::int64_t num_repeated_ = 0;
  std::vector<std::int64_t> counts_;  // by filter
};

// The next rows of every file; false at the end of all.
bool FilterRun::next_batches() {
  batches_.clear();
  for (const auto& reader : readers_) batches_.push_back(reader->next());
  const std::size_t size = batches_.front().rows.size();
  for (std::size_t m = 1; m < batches_.size(); ++m) {
    const std::size_t other = batches_[m].rows.size();
    const std::size_t common = std::min(size, other);
    for (std::size_t row = 0; row < common; ++row) {
      const auto first_id = batches_[0].at(batches_[0].rows[row].id);
      const auto other_id = batches_[m].at(batches_[m].rows[row].id);
      if (first_id == other_id) continue;
      refuse_mixture(
          inputs_[0], inputs_[m],
          fmt::format("row {} has the id {:.80} in one, {:.80} in the other",
                      num_rows_ + static_cast<std::int64_t>(row) + 1, first_id, other_id));
    }
    if (size != other) {
      refuse_mixture(inputs_[0], inputs_[m],
                     fmt::format("{} ends after {} rows, the other goes on",
                                 (size < other ? inputs_[0] : inputs_[m]).filename().string(),
                                 num_rows_ + static_cast<std::int64_t>(common)));
    }
  }
  return size > 0;
}

void FilterRun::append_row() {
  const ModelRow& first = joined_.first();
  std::string& text = block_.text;
  text += joined_.first_text(first.open_row);
  for (std::size_t m = 1; m < joined_.rows.size(); ++m) {
    text += keys_[m];
    text += joined_.batches[m]->at(joined_.rows[m]->replies);
  }
  text += ", \"permutations\": ";
  text += permutations_[first.num_scenes - 1U];
  text += ", \"answers_formatted\": ";
  text += joined_.first_text(first.answers_formatted);
  for (std::size_t m = 0; m < joined_.rows.size(); ++m) {
    text += formatted_keys_[m];
    text += joined_.batches[m]->at(joined_.rows[m]->formatted);
  }
  text += '}';
}

void FilterRun::filter_row(std::size_t row, Stage& stage, RowOutputs& outputs) {
  joined_.batches.clear();
  joined_.rows.clear();
  for (const ModelRows& batch : batches_) {
    joined_.batches.push_back(&batch);
    joined_.rows.push_back(&batch.rows[row]);
  }
  const ModelRow& first = joined_.first();
  const std::string_view id = joined_.first_text(first.id);
  ++num_rows_;
  const auto number = static_cast<std::uint64_t>(num_rows_);
  if (const auto before = ids_.insert(id, number)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    data::describe_row(inputs_.front().string(), number, id,
                                       fmt::format("the id occurred before, in row {}", *before)));
  }
  if (first.repeats_modality) {
    ++num_repeated_;
    stage.drop(id, "repeated modality");
    return;
  }
  for (std::size_t m = 1; m < joined_.rows.size(); ++m) {
    if (joined_.rows[m]->num_scenes == first.num_scenes) continue;
    refuse_mixture(inputs_[0], inputs_[m],
                   fmt::format("row {} (id {:.80}) has other scenes", number, id));
  }
  if (first.has_word) {
    stage.drop(id, "word list",
               fmt::format("{}", fmt::join(words_.hits(joined_.first_text(first.question)), ", ")));
    return;
  }
  judge_all(joined_, options_.compat);
  const std::uint64_t passed = passed_filters(joined_.verdicts, majority_);
  for (std::size_t filter = 0; filter < counts_.size(); ++filter) {
    counts_[filter] += static_cast<std::int64_t>(passed >> filter & 1);
  }
  const auto reason = reason_of(joined_.verdicts, joined_.rows, options_.models, first.answer);
  if (reason) stage.drop(id, reason->reason, reason->detail);

  const std::size_t begin = block_.text.size();
  append_row();
  block_.rows.push_back({begin, block_.text.size() - begin, passed});
  if (block_.text.size() >= kBlockBytes) {
    outputs.write(std::exchange(block_, {}));
    block_.text.reserve(kBlockBytes + kBlockBytes / 8);
  }
}

bool FilterRun::run(Stage& stage, const StepProgressCallback& progress,
                    const std::stop_token& stop) {
  RowOutputs outputs(outputs_, options_.durability);
  while (next_batches()) {
    if (stop.stop_requested()) return false;
    const std::size_t size = batches_.front().rows.size();
    for (std::size_t row = 0; row < size; ++row) filter_row(row, stage, outputs);
    if (progress) progress({.total = 0, .done = num_rows_, .note = "rows"});
  }
  outputs.write(std::exchange(block_, {}));
  if (stop.stop_requested()) return false;
  outputs.commit();
  return true;
}

Counts FilterRun::counts() const {
  Counts counts = {{"rows", num_rows_}};
  if (num_repeated_ > 0) counts.emplace_back("repeated modality", num_repeated_);
  counts.emplace_back("word_filtering", counts_[kWordFiltering]);
  for (std::size_t m = 0; m < options_.models.size(); ++m) {
    counts.emplace_back(options_.models[m] + "_filter", counts_[model_filter(m)]);
  }
  counts.emplace_back("majority_filter", counts_[kMajority]);
  counts.emplace_back("unanimous_filter", counts_[kUnanimous]);
  for (std::size_t m = 0; m < options_.models.size(); ++m) {
    counts.emplace_back(options_.models[m] + "_permute_filter", counts_[model_permute_filter(m)]);
  }
  counts.emplace_back("majority_permute_filter", counts_[kMajorityPermute]);
  counts.emplace_back("unanimous_permute", counts_[kUnanimousPermute]);
  return counts;
}

}  // namespace

std::size_t majority_of(std::size_t num_models, bool compat) {
  return compat ? 2 : num_models / 2 + 1;
}

std::vector<std::string> filter_names(const std::vector<std::string>& models) {
  std::vector<std::string> names = {"unanimous_permute", "word_filtering", "majority_filter",
                                    "unanimous_filter", "majority_permute_filter"};
  for (const std::string& model : models) {
    names.push_back(model + "_filter");
    names.push_back(model + "_permute_filter");
  }
  return names;
}

fs::path filter_stage_output(const StepFiles& files) {
  return files.filtered("unanimous_permute");
}

Stage open_filter(const StepFiles& files, const FilterOptions& options) {
  check(options);
  const auto inputs = step4_files(files, options.models);
  require_same_questions(inputs);
  StageConfig config = {.stage = "filter", .settings_json = settings_json(options), .inputs = {}};
  for (std::size_t m = 0; m < inputs.size(); ++m) {
    config.inputs.push_back({"answers of " + options.models[m], inputs[m]});
  }
  std::vector<fs::path> outputs;
  for (const std::string& name : filter_names(options.models)) {
    outputs.push_back(files.filtered(name));
  }
  return Stage::open(std::move(outputs), config, options.when_changed);
}

StepOutcome run_filter(Stage& stage, const StepFiles& files, const FilterOptions& options,
                       const StepProgressCallback& progress, const std::stop_token& stop) {
  StepOutcome outcome;
  if (stage.is_done()) {
    outcome.counts = stage.manifest().counts;
    return outcome;
  }
  FilterRun run(files, options, step4_files(files, options.models));
  outcome.is_cancelled = !run.run(stage, progress, stop);
  if (outcome.is_cancelled) return outcome;
  outcome.counts = run.counts();
  stage.finish(outcome.counts);
  return outcome;
}

namespace {

class Explanation {
 public:
  Explanation(const FilterOptions& options, const JoinedRow& joined)
      : options_(options), joined_(joined) {}

  void add_item(const WordList& words) {
    const ModelRow& first = joined_.first();
    line("id", joined_.first_text(first.id));
    if (first.repeats_modality) {
      line("dropped", "two scenes have the same modality");
      return;
    }
    const std::string_view question = joined_.first_text(first.question);
    line("question", question);
    const auto hits = words.hits(question);
    line("words hit", hits.empty() ? "none" : fmt::format("{}", fmt::join(hits, ", ")));
    line("answer", name_of(first.answer));
    for (std::size_t m = 0; m < options_.models.size(); ++m) add_model(m);
    text_ += '\n';
    add_verdicts(hits.empty());
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string name_of(std::int8_t scene) {
    return scene == kNotAsked ? "not asked" : scene < 0 ? "no scene" : scene_name(scene);
  }
  void line(std::string_view name, std::string_view value) {
    text_ += fmt::format("{:<11} {}\n", name, value);
  }

  void add_model(std::size_t m) {
    const ModelRow& row = *joined_.rows[m];
    const ModelRows& batch = *joined_.batches[m];
    const auto replies = io::parse_json(batch.at(row.replies), "replies").value();
    const auto readings = io::parse_json(batch.at(row.formatted), "readings").value();
    const auto orders = scoring::all_orders(row.num_scenes);
    text_ += fmt::format("\n{}\n  order  shown  read as    is scene   agrees  reply\n",
                         options_.models[m]);
    for (std::size_t i = 0; i < row.num_orders; ++i) {
      const std::string* const reply = replies.find_array()->at(i).find_string();
      const std::string* const reading = readings.find_array()->at(i).find_string();
      text_ += fmt::format("  {:>5}  {:<5}  {:<9.9}  {:<9}  {:<6}  {}\n", i,
                           scoring::order_name(orders[i]), reading ? *reading : "-",
                           name_of(row.scenes[i]),
                           row.scenes[i] == kNotAsked                                      ? "-"
                           : row.scenes[i] >= 0 && row.scenes[i] == joined_.first().answer ? "yes"
                                                                                           : "no",
                           reply ? io::json_quote(*reply) : "null");
    }
  }

  void add_verdicts(bool passes_words) {
    const auto names = filter_names(options_.models);
    const std::uint64_t passed =
        passes_words
            ? passed_filters(joined_.verdicts, majority_of(options_.models.size(), options_.compat))
            : 0;
    const auto verdict = [&](std::size_t filter) {
      text_ += fmt::format("{:<32} {}\n", names[filter],
                           (passed >> filter & 1) != 0                ? "passed"
                           : passes_words || filter == kWordFiltering ? "failed"
                                                                      : "not reached");
    };
    verdict(kWordFiltering);
    for (std::size_t m = 0; m < options_.models.size(); ++m) verdict(model_filter(m));
    verdict(kMajority);
    verdict(kUnanimous);
    for (std::size_t m = 0; m < options_.models.size(); ++m) verdict(model_permute_filter(m));
    verdict(kMajorityPermute);
    verdict(kUnanimousPermute);
    if (!passes_words) {
      line("\ndropped", "word list");
    } else if (const auto reason = reason_of(joined_.verdicts, joined_.rows, options_.models,
                                             joined_.first().answer)) {
      line("\ndropped", fmt::format("{}: {}", reason->reason, reason->detail));
    } else {
      line("\nkept", "by every filter");
    }
  }

  const FilterOptions& options_;
  const JoinedRow& joined_;
  std::string text_;
};

}  // namespace

std::string explain_item(const StepFiles& files, const FilterOptions& options,
                         std::string_view id) {
  check(options);
  const auto inputs = step4_files(files, options.models);
  require_same_questions(inputs);
  const WordList words(options.words, options.match);
  const auto added = added_members(options.models);
  std::vector<ModelRows> batches(inputs.size());
  JoinedRow joined;
  for (std::size_t m = 0; m < inputs.size(); ++m) {
    ModelRowReader reader(inputs[m],
                          {.model = options.models[m],
                           .rule = options.compat ? ReplyRule::kPublished : ReplyRule::kChoice,
                           .words = m == 0 ? &words : nullptr,
                           .added_members = added});
    const ModelRow* found = nullptr;
    while (found == nullptr) {
      batches[m] = reader.next();
      if (batches[m].rows.empty()) {
        throw Exception(ErrorCode::kNotFound,
                        fmt::format("{}: no row has the id '{}'", inputs[m].string(), id));
      }
      for (const ModelRow& row : batches[m].rows) {
        if (batches[m].at(row.id) == id) found = &row;
      }
    }
    joined.batches.push_back(&batches[m]);
    joined.rows.push_back(found);
  }
  if (!joined.first().repeats_modality) judge_all(joined, options.compat);
  Explanation explanation(options, joined);
  explanation.add_item(words);
  return explanation.take();
}

}  // namespace contra4::pipeline
