#include "contra4/clients/prompted_answerer.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "contra4/data/item.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

struct FormatName {
  AnswerFormat format;
  std::string_view name;
};
constexpr std::array kFormatNames = {
    FormatName{AnswerFormat::kText, "text"},
    FormatName{AnswerFormat::kSchema, "schema"},
    FormatName{AnswerFormat::kLogprobs, "logprobs"},
};

std::vector<std::string> letters(std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.emplace_back(1, scene_letter(static_cast<int>(i)));
  }
  return result;
}

}  // namespace

std::string_view to_string(AnswerFormat format) {
  const auto* row = std::find_if(kFormatNames.begin(), kFormatNames.end(),
                                 [&](const FormatName& entry) { return entry.format == format; });
  CONTRA4_CHECK(row != kFormatNames.end(), "answer format without a name");
  return row->name;
}

std::optional<AnswerFormat> parse_answer_format(std::string_view text) {
  for (const FormatName& entry : kFormatNames) {
    if (entry.name == text) return entry.format;
  }
  return std::nullopt;
}

std::optional<int> parse_schema_choice(std::string_view text,
                                       std::span<const std::string> choices) {
  const std::size_t begin = text.rfind('{');
  const std::size_t end = text.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::nullopt;
  }
  const auto object = io::parse_json(text.substr(begin, end - begin + 1), "reply");
  const io::JsonValue* answer = object ? object.value().find("answer") : nullptr;
  if (answer == nullptr || !answer->is_string()) return std::nullopt;
  const auto choice = std::find(choices.begin(), choices.end(), *answer->find_string());
  if (choice == choices.end()) return std::nullopt;
  return static_cast<int>(choice - choices.begin());
}

PromptedAnswerer::PromptedAnswerer(std::unique_ptr<TextGenerator> generator, Prompt prompt,
                                   const Sampling& sampling, AnswerFormat format)
    : generator_(std::move(generator)),
      prompt_(std::move(prompt)),
      sampling_(sampling),
      format_(format) {}

GenerateRequest PromptedAnswerer::request_of(const Question& question) const {
  GenerateRequest request;
  request.ticket = question.ticket;
  request.name = question.item_id;
  request.messages = prompt_.render(question);
  request.sampling = sampling_;
  request.sampling.seed = question.seed;
  request.format = format_;
  request.choices = letters(question.scenes.size());
  return request;
}

Answer PromptedAnswerer::answer_of(GenerateOutcome outcome,
                                   const std::vector<std::string>& choices) const {
  Answer answer;
  answer.ticket = outcome.ticket;
  answer.status = outcome.status;
  answer.text = std::move(outcome.text);
  answer.usage = outcome.usage;
  answer.latency_s = outcome.latency_s;
  answer.tries = outcome.tries;
  answer.endpoint = std::move(outcome.endpoint);
  answer.raw_reply = std::move(outcome.raw_reply);
  answer.error = std::move(outcome.error);
  if (answer.status != OutcomeStatus::kAnswered) return answer;
  if (format_ == AnswerFormat::kSchema) {
    answer.choice = parse_schema_choice(answer.text, choices);
  } else if (format_ == AnswerFormat::kLogprobs &&
             outcome.choice_logprobs.size() == choices.size() && !choices.empty()) {
    answer.scores = std::move(outcome.choice_logprobs);
    answer.choice = static_cast<int>(std::max_element(answer.scores.begin(), answer.scores.end()) -
                                     answer.scores.begin());
  }
  return answer;
}

void PromptedAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                           std::stop_token stop) {
  std::unordered_map<std::uint64_t, std::size_t> num_scenes;  // of what is in flight, by ticket
  generator_->run(
      [&]() -> std::optional<GenerateRequest> {
        const std::optional<Question> question = source();
        if (!question) return std::nullopt;
        num_scenes[question->ticket] = question->scenes.size();
        return request_of(*question);
      },
      [&](GenerateOutcome outcome) {
        const auto asked = num_scenes.find(outcome.ticket);
        CONTRA4_CHECK(asked != num_scenes.end(), "an outcome that nobody asked for");
        const std::vector<std::string> choices = letters(asked->second);
        num_scenes.erase(asked);
        sink(answer_of(std::move(outcome), choices));
      },
      std::move(stop));
}

std::string PromptedAnswerer::description_json() const {
  io::JsonWriter writer;
  writer.begin_object().key("generator").raw(generator_->description_json());
  writer.key("prompt").raw(prompt_.description_json());
  writer.member("answer", to_string(format_));
  writer.member("temperature", sampling_.temperature).member("top_p", sampling_.top_p);
  writer.member("max_tokens", sampling_.max_tokens);
  writer.key("stop").begin_array();
  for (const std::string& stop : sampling_.stop) writer.value(stop);
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace contra4::clients
