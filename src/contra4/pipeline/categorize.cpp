#include "contra4/pipeline/categorize.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/item_writer.h"
#include "contra4/inference/reply_record.h"
#include "contra4/io/file.h"
#include "contra4/io/journal.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/yaml.h"

namespace contra4::embedded {
extern const std::string_view category_prompt_yaml;
}

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamedIds = 10;  // in a note

struct AskedQuestion {
  std::string id;
  std::string question;
};

// Throws at the first row that is no question.
std::vector<AskedQuestion> read_questions(const fs::path& input) {
  std::vector<AskedQuestion> questions;
  std::unordered_map<std::string, std::uint64_t> rows;
  const auto items = data::open_items(input, {}, data::Extras::kDrop);
  while (auto item = items->next()) {
    if (!*item) throw Exception(item->error());
    const auto fail = [&](std::string_view reason) {
      throw Exception(ErrorCode::kInvalidArgument,
                      data::describe_row(input.string(), items->row(), (*item)->id.text, reason));
    };
    if ((*item)->question.empty()) fail("it has no question");
    const auto [before, is_new] = rows.emplace((*item)->id.text, items->row());
    if (!is_new) fail(fmt::format("the id occurred before, in row {}", before->second));
    questions.push_back({(*item)->id.text, std::move((*item)->question)});
  }
  return questions;
}

// The same rows again, each with its category; empty: none.
void write_items(const fs::path& input, const fs::path& output,
                 const std::vector<std::string>& categories) {
  const auto items = data::open_items(input);
  const auto writer = data::create_items(output, data::Schema::kGenerated);
  std::size_t row = 0;
  while (auto item = items->next()) {
    if (!*item) throw Exception(item->error());
    if (row >= categories.size()) break;
    (*item)->category = categories[row++];
    writer->write(**item);
  }
  if (row != categories.size()) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{} changed while it was read", input.string()));
  }
  writer->commit();
}

// What went in, each category's share, what came out.
Counts count_categories(const std::vector<std::string>& categories, const Taxonomy* taxonomy) {
  std::map<std::string, std::int64_t> numbers;
  std::int64_t without = 0;
  for (const std::string& category : categories) {
    if (category.empty()) {
      ++without;
    } else {
      ++numbers[category];
    }
  }
  const auto total = static_cast<std::int64_t>(categories.size());
  Counts counts = {{"questions", total}};
  if (taxonomy != nullptr) {
    for (const Category& category : taxonomy->categories) {
      counts.emplace_back(category.name, numbers[category.name]);
    }
  } else {
    counts.emplace_back("distinct categories", static_cast<std::int64_t>(numbers.size()));
  }
  counts.emplace_back("without a category", without);
  counts.emplace_back("written", total);
  return counts;
}

std::string filled_in(std::string text, std::string_view name, std::string_view value) {
  for (std::size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

std::string category_list(const Taxonomy& taxonomy) {
  std::string list;
  for (const Category& category : taxonomy.categories) {
    if (!list.empty()) list += "\n";
    list += category.name;
    if (!category.description.empty()) list += ": " + category.description;
    for (const std::string& example : category.examples) list += "\n  - " + example;
  }
  return list;
}

Message text_message(Role role, std::string text) {
  Message message{role, {}};
  message.parts.push_back({.text = std::move(text), .media = {}});
  return message;
}

}  // namespace

CategoryPrompts default_category_prompts() {
  return parse_category_prompts(embedded::category_prompt_yaml, "category.yaml").value();
}

Result<CategoryPrompts> parse_category_prompts(std::string_view text, std::string_view what) {
  const auto root = io::parse_yaml(text, what);
  if (!root) return root.error();
  const auto wrong = [&](const std::string& reason) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", what, reason)};
  };
  if (root->find_object() == nullptr) return wrong("expected 'choose' and 'free'");
  CategoryPrompts prompts;
  for (const auto& [form, content] : *root->find_object()) {
    if (form != "choose" && form != "free") return wrong(fmt::format("unknown member '{}'", form));
    CategoryPrompt& prompt = form == "choose" ? prompts.choose : prompts.free;
    if (content.find_object() == nullptr) return wrong(fmt::format("'{}' is no mapping", form));
    for (const auto& [role, words] : *content.find_object()) {
      if ((role != "system" && role != "user") || !words.is_string()) {
        return wrong(fmt::format("'{}.{}': expected the texts 'system' and 'user'", form, role));
      }
      (role == "system" ? prompt.system : prompt.user) = *words.find_string();
    }
  }
  for (const auto& [form, prompt] :
       {std::pair("choose", &prompts.choose), std::pair("free", &prompts.free)}) {
    if (prompt->user.find("{question}") == std::string::npos) {
      return wrong(fmt::format("'{}.user' does not say where the {{question}} stands", form));
    }
  }
  return prompts;
}

CategoryPrompts read_category_prompts(const fs::path& folder) {
  const fs::path path = folder / "category.yaml";
  if (!fs::exists(path)) return default_category_prompts();
  constexpr std::uint64_t kMaxBytes = 4U << 20;
  return parse_category_prompts(io::read_file(path, kMaxBytes), path.string()).value();
}

std::string settings_json(const CategorizeOptions& options, std::string_view model_json) {
  const CategoryPrompt& prompt = options.free_text ? options.prompts.free : options.prompts.choose;
  io::JsonWriter json;
  json.begin_object().member("method", "model").key("model").raw(model_json);
  json.member("free_text", options.free_text);
  if (!options.free_text) json.key("taxonomy").raw(to_json(options.taxonomy));
  json.key("prompt").begin_object();
  json.member("system", prompt.system).member("user", prompt.user).end_object();
  json.member("temperature", options.sampling.temperature);
  json.member("top_p", options.sampling.top_p).member("max_tokens", options.sampling.max_tokens);
  json.member("max_attempts", options.max_attempts).member("seed", options.seed).end_object();
  return json.take();
}

std::string settings_json(const Taxonomy& taxonomy, std::string_view embedding_json) {
  io::JsonWriter json;
  json.begin_object().member("method", "embedding").key("model").raw(embedding_json);
  json.key("taxonomy").raw(to_json(taxonomy)).end_object();
  return json.take();
}

std::vector<Message> category_messages(const CategorizeOptions& options,
                                       std::string_view question) {
  const CategoryPrompt& prompt = options.free_text ? options.prompts.free : options.prompts.choose;
  // The question last: what it holds is not filled in.
  const auto fill = [&](const std::string& text) {
    return filled_in(filled_in(text, "{categories}", category_list(options.taxonomy)), "{question}",
                     question);
  };
  std::vector<Message> messages;
  if (!prompt.system.empty()) messages.push_back(text_message(Role::kSystem, fill(prompt.system)));
  messages.push_back(text_message(Role::kUser, fill(prompt.user)));
  return messages;
}

namespace {

enum class Fate : std::uint8_t {
  kOpen,
  kCategorized,
  kUnnamed,  // no reply named a category
  kBlocked,
  kFailed,  // a request without a reply
};

// One run of asking, attempt by attempt: all questions first, then those whose reply names no
// category again.
class Asking {
 public:
  Asking(Stage& stage, const CategorizeOptions& options, std::vector<AskedQuestion> questions,
         const StepProgressCallback& progress)
      : options_(options),
        questions_(std::move(questions)),
        fates_(questions_.size(), Fate::kOpen),
        attempts_(questions_.size(), 0),
        categories_(questions_.size()),
        journal_path_(stage.journal_path()),
        progress_(progress) {
    for (const Category& category : options_.taxonomy.categories) choices_.push_back(category.name);
    for (std::size_t i = 0; i < questions_.size(); ++i) index_of_.emplace(questions_[i].id, i);
    state_.total = static_cast<std::int64_t>(questions_.size());
    resume();
    journal_ = std::make_unique<io::JournalWriter>(journal_path_);
  }

  void run(TextGenerator& generator, const std::stop_token& stop) {
    for (int attempt = 1; attempt <= options_.max_attempts && !stop.stop_requested(); ++attempt) {
      next_ = 0;
      state_.note = attempt == 1 ? "" : fmt::format("attempt {}", attempt);
      generator.run([&] { return next_request(attempt); },
                    [&](const GenerateOutcome& outcome) { take(outcome, attempt); }, stop);
    }
  }

  std::int64_t count(Fate fate) const { return std::count(fates_.begin(), fates_.end(), fate); }
  const std::vector<std::string>& categories() const { return categories_; }

  // The first ids of that fate, for people.
  std::string ids(Fate fate) const {
    std::vector<std::string_view> named;
    for (std::size_t i = 0; i < fates_.size() && named.size() < kNamedIds; ++i) {
      if (fates_[i] == fate) named.push_back(questions_[i].id);
    }
    const auto more = count(fate) - static_cast<std::int64_t>(named.size());
    return fmt::format("{}{}", fmt::join(named, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
  }
  const std::string& last_error() const { return last_error_; }

 private:
  static std::string part_of(int attempt) { return fmt::format("category {}", attempt); }

  // Replies in the order of the attempts, whatever the order in which they were journaled.
  void resume() {
    std::map<std::pair<std::size_t, std::string>, ReplyRecord> records;
    io::read_journal(journal_path_, [&](std::uint64_t, std::string_view line) {
      auto record = parse_reply_record(line);
      if (!record || !is_final(record->state)) return;
      const auto found = index_of_.find(record->item_id);
      if (found == index_of_.end()) return;
      records.insert_or_assign({found->second, record->part}, std::move(*record));
    });
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      for (int attempt = 1; attempt <= options_.max_attempts && fates_[i] == Fate::kOpen;
           ++attempt) {
        const auto record = records.find({i, part_of(attempt)});
        if (record == records.end()) break;
        decide(i, attempt, record->second.state, record->second.text);
      }
      if (fates_[i] != Fate::kOpen) ++state_.resumed;
    }
    state_.done = state_.resumed;
  }

  std::optional<GenerateRequest> next_request(int attempt) {
    const auto is_due = [&](std::size_t i) {
      return fates_[i] == Fate::kOpen && attempts_[i] == attempt - 1;
    };
    while (next_ < questions_.size() && !is_due(next_)) ++next_;
    if (next_ == questions_.size()) return std::nullopt;
    const AskedQuestion& question = questions_[next_];
    GenerateRequest request;
    request.ticket = next_++;
    request.name = question.id;
    request.messages = category_messages(options_, question.question);
    request.sampling = options_.sampling;
    request.sampling.seed =
        stable_hash64(fmt::format("{}\n{}\n{}", options_.seed, question.id, part_of(attempt)));
    if (!options_.free_text) {
      request.format = AnswerFormat::kSchema;
      request.choices = choices_;
    }
    ++state_.in_flight;
    return request;
  }

  void take(const GenerateOutcome& outcome, int attempt) {
    const std::size_t index = outcome.ticket;
    ReplyRecord record = record_of(questions_[index].id, part_of(attempt), outcome);
    if (!is_final(record.state))
      record.state = RequestState::kFailed;  // asked again, whatever it was
    journal_->append(to_json_line(record));
    decide(index, attempt, record.state, record.text);
    if (record.state == RequestState::kFailed) last_error_ = outcome.error.message;
    --state_.in_flight;
    if (fates_[index] == Fate::kFailed) ++state_.failed;
    if (fates_[index] != Fate::kOpen) ++state_.done;
    if (progress_) progress_(state_);
  }

  void decide(std::size_t index, int attempt, RequestState state, std::string_view text) {
    attempts_[index] = attempt;
    if (state == RequestState::kBlocked) {
      fates_[index] = Fate::kBlocked;
    } else if (state != RequestState::kAnswered) {
      fates_[index] = Fate::kFailed;
    } else {
      categories_[index] = category_of(text);
      if (!categories_[index].empty()) {
        fates_[index] = Fate::kCategorized;
      } else if (attempt == options_.max_attempts) {
        fates_[index] = Fate::kUnnamed;
      }
    }
  }

  std::string category_of(std::string_view text) const {
    if (options_.free_text) return free_category(text);
    const auto found = find_category(options_.taxonomy, text);
    return found ? choices_[*found] : std::string();
  }

  const CategorizeOptions& options_;
  std::vector<AskedQuestion> questions_;
  std::vector<Fate> fates_;
  std::vector<int> attempts_;  // replies so far
  std::vector<std::string> categories_;
  std::vector<std::string> choices_;
  std::unordered_map<std::string, std::size_t> index_of_;
  fs::path journal_path_;
  std::unique_ptr<io::JournalWriter> journal_;
  const StepProgressCallback& progress_;
  StepProgress state_;
  std::size_t next_ = 0;
  std::string last_error_;
};

}  // namespace

StepOutcome categorize_by_model(Stage& stage, const fs::path& input, TextGenerator& generator,
                                const CategorizeOptions& options,
                                const StepProgressCallback& progress, std::stop_token stop) {
  CONTRA4_CHECK(options.max_attempts >= 1, "no attempt at all");
  Asking asking(stage, options, read_questions(input), progress);
  asking.run(generator, stop);

  StepOutcome outcome;
  outcome.num_failed = asking.count(Fate::kFailed);
  outcome.is_cancelled = stop.stop_requested() && asking.count(Fate::kOpen) > 0;
  outcome.counts =
      count_categories(asking.categories(), options.free_text ? nullptr : &options.taxonomy);
  if (outcome.num_failed > 0) {
    outcome.notes.push_back(fmt::format("without a reply: {} (the last said: {})",
                                        asking.ids(Fate::kFailed), asking.last_error()));
  }
  if (!outcome.is_complete()) return outcome;
  if (asking.count(Fate::kOpen) > 0) {
    throw Exception(ErrorCode::kUnavailable,
                    "the model stopped answering; what was answered is kept, and the same command "
                    "goes on");
  }
  if (asking.count(Fate::kUnnamed) > 0) {
    outcome.notes.push_back(
        fmt::format("left without a category after {} replies that named none of the taxonomy: {}",
                    options.max_attempts, asking.ids(Fate::kUnnamed)));
  }
  if (asking.count(Fate::kBlocked) > 0) {
    outcome.notes.push_back(
        fmt::format("left without a category because the server refused their content: {}",
                    asking.ids(Fate::kBlocked)));
  }
  write_items(input, stage.output(), asking.categories());
  stage.finish(outcome.counts, outcome.notes);
  return outcome;
}

StepOutcome categorize_by_embedding(Stage& stage, const fs::path& input,
                                    EmbeddingSource& embeddings, const Taxonomy& taxonomy,
                                    const StepProgressCallback& progress, std::stop_token stop) {
  std::vector<std::string> texts;
  std::vector<std::size_t> category_of_text;
  for (std::size_t i = 0; i < taxonomy.categories.size(); ++i) {
    const Category& category = taxonomy.categories[i];
    texts.push_back(category.description.empty() ? category.name
                                                 : category.name + ": " + category.description);
    texts.insert(texts.end(), category.examples.begin(), category.examples.end());
    category_of_text.resize(texts.size(), i);
  }
  std::vector<std::string> questions;
  for (AskedQuestion& asked : read_questions(input)) questions.push_back(std::move(asked.question));

  StepOutcome outcome;
  const auto tell = [&](std::int64_t done, std::int64_t total) {
    if (progress) progress({.total = total, .done = done, .note = "embeddings"});
  };
  EmbeddedTexts known;
  EmbeddedTexts asked;
  try {
    known = embeddings.embed("categories", texts, {}, stop);
    asked = embeddings.embed("questions", questions, tell, stop);
  } catch (const Exception& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    outcome.is_cancelled = true;
    return outcome;
  }
  std::vector<std::string> categories;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    std::size_t best = 0;
    float best_score = -2;
    for (std::size_t j = 0; j < texts.size(); ++j) {
      const std::span<const float> a = asked.row(i);
      const std::span<const float> b = known.row(j);
      float score = 0;
      for (std::size_t k = 0; k < a.size(); ++k) score += a[k] * b[k];
      if (score > best_score) {
        best_score = score;
        best = j;
      }
    }
    categories.push_back(taxonomy.categories[category_of_text[best]].name);
  }
  outcome.counts = count_categories(categories, &taxonomy);
  outcome.notes = {"categories were chosen by embedding, not by a language model"};
  write_items(input, stage.output(), categories);
  stage.finish(outcome.counts, outcome.notes);
  return outcome;
}

}  // namespace contra4::pipeline
