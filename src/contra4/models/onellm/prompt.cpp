#include "contra4/models/onellm/prompt.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/utf8.h"

namespace contra4::models::onellm {

namespace {

constexpr std::string_view kQuestion = "{question}";
constexpr std::string_view kChoices = "{choices}";
constexpr std::string_view kSeparator = "###";
constexpr std::string_view kRole = "Assistant:";
constexpr std::string_view kWhiteSpace = " \t\n\r\f\v";

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

// In one pass: a question that contains "{choices}" stays as it is.
std::string fill(std::string_view pattern, std::string_view question, std::string_view choices) {
  std::string text;
  while (!pattern.empty()) {
    if (pattern.starts_with(kQuestion)) {
      text += question;
      pattern.remove_prefix(kQuestion.size());
    } else if (pattern.starts_with(kChoices)) {
      text += choices;
      pattern.remove_prefix(kChoices.size());
    } else {
      text += pattern.front();
      pattern.remove_prefix(1);
    }
  }
  return text;
}

// Without its last word, or its last character where it is one word.
std::string_view shorten(std::string_view question) {
  const std::size_t end = question.find_last_not_of(kWhiteSpace);
  if (end == std::string_view::npos) return {};
  const std::size_t space = question.substr(0, end + 1).find_last_of(kWhiteSpace);
  if (space != std::string_view::npos) {
    const std::size_t kept = question.substr(0, space).find_last_not_of(kWhiteSpace);
    return kept == std::string_view::npos ? std::string_view() : question.substr(0, kept + 1);
  }
  std::size_t length = end;
  while (length > 0 && continues_character(question[length])) --length;
  return question.substr(0, length);
}

std::string_view without_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && continues_character(text[at])) ++at;
    --count;
  }
  return text.substr(at);
}

std::string_view strip(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

}  // namespace

void check_template(std::string_view prompt_template) {
  if (occurrences(prompt_template, kQuestion) != 1) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "a prompt template has {question} once; found it otherwise");
  }
  if (occurrences(prompt_template, kChoices) > 1) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "a prompt template has {choices} once or not at all; found it more often");
  }
}

std::string choices_text(std::size_t num_scenes) {
  std::string text;
  for (std::size_t i = 0; i < num_scenes; ++i) {
    text += fmt::format("{}Scene {}", i == 0 ? "" : ", ", static_cast<char>('A' + i));
  }
  return text;
}

Prompt make_prompt(const text::SentencePiece& tokenizer, std::string_view question,
                   std::size_t num_scenes, const PromptOptions& options) {
  const std::string choices = choices_text(num_scenes);
  while (true) {
    Prompt prompt;
    prompt.text = fill(options.prompt_template, question, choices);
    prompt.ids = tokenizer.encode(prompt.text);
    prompt.ids.insert(prompt.ids.begin(), tokenizer.bos_id());
    const bool fits = options.max_tokens == 0 || std::ssize(prompt.ids) <= options.max_tokens;
    if (fits || question.empty()) return prompt;
    question = shorten(question);
  }
}

std::string decode_after(const text::SentencePiece& tokenizer, const Prompt& prompt,
                         std::span<const std::int64_t> generated) {
  std::vector<std::int64_t> ids = prompt.ids;
  ids.insert(ids.end(), generated.begin(),
             std::find(generated.begin(), generated.end(), tokenizer.eos_id()));
  const std::string text = tokenizer.decode(ids);
  if (text.starts_with(prompt.text)) return text.substr(prompt.text.size());
  return std::string(without_characters(text, num_characters(prompt.text)));
}

std::string strip_reply(std::string_view text, bool is_compat) {
  std::string reply(text.substr(0, text.find(kSeparator)));
  for (std::size_t at = reply.find(kRole); at != std::string::npos; at = reply.find(kRole, at)) {
    reply.erase(at, kRole.size());
  }
  std::string_view stripped = strip(reply);
  if (!is_compat) {
    for (const std::string_view part : {"\n##", "\n#"}) {
      if (!stripped.ends_with(part)) continue;
      stripped.remove_suffix(part.size());
      stripped = strip(stripped);
      break;
    }
  }
  return std::string(stripped);
}

}  // namespace contra4::models::onellm
