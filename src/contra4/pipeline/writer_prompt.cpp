#include "contra4/pipeline/writer_prompt.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/inference/prompt_fields.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/yaml.h"

namespace contra4::embedded {
extern const std::string_view question_prompt;
extern const std::string_view answer_prompt;
}  // namespace contra4::embedded

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxPromptBytes = 1U << 20;

using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Where the word of "{word}" at `at` ends; npos when that is no placeholder.
std::size_t word_end(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() &&
         (std::islower(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
    ++end;
  }
  return end > at + 1 && end < text.size() && text[end] == '}' ? end : std::string_view::npos;
}

// What is put in is never looked through for placeholders.
std::string fill(std::string_view text, Values values) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '{' ? word_end(text, at) : std::string_view::npos;
    const auto* const value =
        end == std::string_view::npos
            ? values.end()
            : std::find_if(values.begin(), values.end(), [&](const auto& entry) {
                return entry.first == text.substr(at + 1, end - at - 1);
              });
    if (value == values.end()) {
      filled += text[at++];
      continue;
    }
    filled += value->second;
    at = end + 1;
  }
  return filled;
}

void check_placeholders(const FieldPlace& place, std::string_view text,
                        std::initializer_list<std::string_view> known,
                        std::initializer_list<std::string_view> required) {
  std::vector<std::string_view> found;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const std::size_t end = word_end(text, at);
    if (end == std::string_view::npos) continue;
    found.push_back(text.substr(at + 1, end - at - 1));
    if (std::find(known.begin(), known.end(), found.back()) == known.end()) {
      refuse_field(place, fmt::format("holds the unknown placeholder {{{}}}; there are {{{}}}",
                                      found.back(), fmt::join(known, "} {")));
    }
  }
  for (const std::string_view word : required) {
    if (std::find(found.begin(), found.end(), word) == found.end()) {
      refuse_field(place, fmt::format("holds no {{{}}}", word));
    }
  }
}

WriterInput example_of(const FieldPlace& place, const io::JsonValue& value) {
  if (!value.is_object()) refuse_field(place, "is to hold scenes, question and answer");
  WriterInput example;
  for (const auto& [name, member] : *value.find_object()) {
    const std::string field = fmt::format("{}.{}", place.field, name);
    const FieldPlace inner{.file = place.file, .field = field};
    if (name == "scenes") {
      example.scenes = field_texts(inner, member);
    } else if (name == "question") {
      example.question = field_text(inner, member);
    } else if (name == "answer") {
      example.answer = field_text(inner, member);
    } else {
      refuse_field(place, fmt::format("holds the unknown field '{}'", name));
    }
  }
  const auto num_scenes = static_cast<int>(example.scenes.size());
  if (num_scenes < kMinScenes || num_scenes > kMaxScenes) {
    refuse_field(place, fmt::format("is to have {} to {} scenes", kMinScenes, kMaxScenes));
  }
  return example;
}

void read_examples(WriterPrompt& prompt, const FieldPlace& place, const io::JsonValue& value) {
  if (!value.is_array()) refuse_field(place, "is to be a list");
  prompt.examples.clear();
  for (const io::JsonValue& entry : *value.find_array()) {
    const std::string field = fmt::format("{}[{}]", place.field, prompt.examples.size());
    prompt.examples.push_back(example_of({.file = place.file, .field = field}, entry));
  }
}

std::vector<PromptField<WriterPrompt>> fields() {
  return {text_field("instruction", &WriterPrompt::instruction),
          text_field("scene", &WriterPrompt::scene),
          text_field("separator", &WriterPrompt::separator),
          text_field("user", &WriterPrompt::user),
          text_field("reply", &WriterPrompt::reply),
          text_field("reply_prefix", &WriterPrompt::reply_prefix),
          {"examples", read_examples}};
}

void check(const WriterPrompt& prompt, std::string_view what) {
  check_placeholders({what, "scene"}, prompt.scene, {"letter", "caption"}, {"caption"});
  check_placeholders({what, "user"}, prompt.user, {"scenes", "question", "num_scenes"}, {"scenes"});
  if (!prompt.examples.empty()) {
    const FieldPlace reply{what, "reply"};
    if (prompt.reply.empty()) refuse_field(reply, "is missing, but there are examples");
    check_placeholders(reply, prompt.reply, {"question", "answer"}, {});
  }
}

std::string filled_user(const WriterPrompt& prompt, const WriterInput& input) {
  std::string scenes;
  for (std::size_t i = 0; i < input.scenes.size(); ++i) {
    if (i > 0) scenes += prompt.separator;
    const char letter = scene_letter(static_cast<int>(i));
    scenes += fill(prompt.scene,
                   {{"letter", std::string_view(&letter, 1)}, {"caption", input.scenes[i]}});
  }
  return fill(prompt.user, {{"scenes", scenes},
                            {"question", input.question},
                            {"num_scenes", std::to_string(input.scenes.size())}});
}

std::string filled_reply(const WriterPrompt& prompt, const WriterInput& example) {
  return fill(prompt.reply, {{"question", example.question}, {"answer", example.answer}});
}

Message text_message(Role role, std::string text) {
  ContentPart part;
  part.text = std::move(text);
  return {role, {std::move(part)}};
}

std::optional<WriterPrompt> find_prompt(const std::optional<fs::path>& folder, const char* name) {
  if (!folder) return std::nullopt;
  const fs::path path = *folder / name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return parse_writer_prompt(io::read_file(path, kMaxPromptBytes), path.string());
}

}  // namespace

WriterPrompt parse_writer_prompt(std::string_view yaml, std::string_view what) {
  const auto root = io::parse_yaml(yaml, what);
  if (!root) throw Exception(root.error().code, root.error().message);
  WriterPrompt prompt;
  read_prompt_fields(*root, what, fields(), prompt);
  check(prompt, what);
  return prompt;
}

GenerateRequest write_request(const WriterPrompt& prompt, PromptForm form,
                              const WriterInput& input) {
  GenerateRequest request;
  request.sampling = prompt.sampling;
  request.reply_prefix = prompt.reply_prefix;
  if (form == PromptForm::kChat) {
    request.sampling.stop.clear();
    if (!prompt.instruction.empty()) {
      request.messages.push_back(text_message(Role::kSystem, prompt.instruction));
    }
    for (const WriterInput& example : prompt.examples) {
      request.messages.push_back(text_message(Role::kUser, filled_user(prompt, example)));
      request.messages.push_back(text_message(Role::kAssistant, filled_reply(prompt, example)));
    }
    request.messages.push_back(text_message(Role::kUser, filled_user(prompt, input)));
    return request;
  }
  std::string text = prompt.instruction;
  for (const WriterInput& example : prompt.examples) {
    text += fmt::format("{}{} {}", text.empty() ? "" : "\n\n", filled_user(prompt, example),
                        filled_reply(prompt, example));
  }
  text += fmt::format("{}{}", text.empty() ? "" : "\n\n", filled_user(prompt, input));
  request.messages.push_back(text_message(Role::kUser, std::move(text)));
  return request;
}

std::string description_json(const WriterPrompt& prompt, PromptForm form) {
  io::JsonWriter json;
  json.begin_object().member("form", form == PromptForm::kChat ? "chat" : "completion");
  json.member("instruction", prompt.instruction).member("scene", prompt.scene);
  json.member("separator", prompt.separator).member("user", prompt.user);
  json.member("reply", prompt.reply).member("reply_prefix", prompt.reply_prefix);
  json.key("examples").begin_array();
  for (const WriterInput& example : prompt.examples) {
    json.begin_object().key("scenes").begin_array();
    for (const std::string& scene : example.scenes) json.value(scene);
    json.end_array();
    if (!example.question.empty()) json.member("question", example.question);
    if (!example.answer.empty()) json.member("answer", example.answer);
    json.end_object();
  }
  json.end_array();
  json.member("temperature", prompt.sampling.temperature).member("top_p", prompt.sampling.top_p);
  json.member("max_tokens", prompt.sampling.max_tokens);
  json.key("stop").begin_array();
  for (const std::string& stop : prompt.sampling.stop) json.value(stop);
  json.end_array().end_object();
  return json.take();
}

GeneratePrompts load_generate_prompts(const std::optional<fs::path>& folder) {
  auto question = find_prompt(folder, "question.yaml");
  auto answer = find_prompt(folder, "answer.yaml");
  if (folder && !question && !answer) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{} holds neither question.yaml nor answer.yaml; see "
                                "docs/prompts.md",
                                folder->string()));
  }
  GeneratePrompts prompts;
  prompts.question = question ? *std::move(question)
                              : parse_writer_prompt(embedded::question_prompt, "question prompt");
  prompts.answer =
      answer ? *std::move(answer) : parse_writer_prompt(embedded::answer_prompt, "answer prompt");
  return prompts;
}

}  // namespace contra4::pipeline
