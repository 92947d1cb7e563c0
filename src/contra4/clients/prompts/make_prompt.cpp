// The built-in prompts, and those of files.
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/clients/prompts/prompt.h"
#include "contra4/inference/prompt_fields.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/yaml.h"

namespace contra4::clients {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxPromptBytes = 1U << 20;

PromptTemplate contrastive() {
  PromptTemplate text;
  text.name = "contrastive";
  text.user =
      "Here are {num_scenes} scenes. Each is a picture, a sound, a video or a 3D object, shown as "
      "it is or described in words.\n\n{scenes}\n\nQuestion: {question}\n\nOne scene answers the "
      "question better than the others: compare them before you decide. Reply with the letter of "
      "that scene and nothing else: {letters}.";
  return text;
}

// Source: the published caption baseline, src/cross_modal_baselines of artemisp/contra4-fork
// 8492529; one line, begin-of-text mark and all.
PromptTemplate published() {
  PromptTemplate text;
  text.name = "published";
  text.user =
      "<s>Answer the question {question} by selecting one of the following options: {scenes}. "
      "Answer: Option";
  text.scene = "Option {letter}: {content}";
  text.bare_scene = "Option {letter}";
  text.separator = ", ";
  text.sampling.temperature = 0.3;
  text.sampling.top_p = 0.9;
  text.sampling.max_tokens = 30;
  return text;
}

constexpr std::array kBuiltIn = {contrastive, published};

std::vector<PromptField<PromptTemplate>> fields() {
  return {text_field("name", &PromptTemplate::name),
          text_field("system", &PromptTemplate::system),
          text_field("user", &PromptTemplate::user),
          text_field("scene", &PromptTemplate::scene),
          text_field("bare_scene", &PromptTemplate::bare_scene),
          text_field("separator", &PromptTemplate::separator)};
}

PromptTemplate template_of(const fs::path& path, const io::JsonValue& root) {
  PromptTemplate text;
  text.name = path.stem().string();
  read_prompt_fields(root, fmt::format("prompt {}", path.string()), fields(), text);
  return text;
}

bool is_structured(const fs::path& path) {
  const std::string suffix = path.extension().string();
  return suffix == ".yaml" || suffix == ".yml" || suffix == ".json";
}

}  // namespace

std::vector<std::string> prompt_names() {
  std::vector<std::string> names;
  for (const auto& make : kBuiltIn) names.push_back(make().name);
  return names;
}

Prompt read_prompt_file(const fs::path& path) {
  std::string bytes = io::read_file(path, kMaxPromptBytes);
  PromptTemplate text;
  if (is_structured(path)) {
    text = template_of(path, io::parse_yaml(bytes, path.string()).value());
  } else {
    text.name = path.stem().string();
    while (bytes.ends_with('\n') || bytes.ends_with('\r')) bytes.pop_back();
    text.user = std::move(bytes);
  }
  try {
    return Prompt(std::move(text));
  } catch (const Exception& error) {
    throw Exception(error.code(), fmt::format("{}: {}", path.string(), error.what()));
  }
}

Prompt make_prompt(const std::string& name_or_file) {
  for (const auto& make : kBuiltIn) {
    if (PromptTemplate text = make(); text.name == name_or_file) return Prompt(std::move(text));
  }
  std::error_code ignored;
  if (fs::is_regular_file(name_or_file, ignored)) return read_prompt_file(name_or_file);
  const std::vector<std::string> names = prompt_names();
  const auto nearest = find_nearest(name_or_file, names);
  throw Exception(
      ErrorCode::kNotFound,
      fmt::format("--prompt {}: no such prompt ({}) and no such file{}", name_or_file,
                  fmt::join(names, ", "), nearest ? fmt::format("; is {} meant?", *nearest) : ""));
}

}  // namespace contra4::clients
