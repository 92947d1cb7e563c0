// The built-in prompts, and those of files.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/clients/prompts/prompt.h"
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

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Exception(ErrorCode::kInvalidArgument, fmt::format("prompt {}: {}", path.string(), what));
}

std::string text_value(const fs::path& path, const std::string& field, const io::JsonValue& value) {
  if (const std::string* text = value.find_string()) return *text;
  fail(path, fmt::format("'{}' is to be a text", field));
}

double number_value(const fs::path& path, const std::string& field, const io::JsonValue& value,
                    double low, double high) {
  const auto number = value.find_number();
  if (!number || !(*number >= low && *number <= high)) {
    fail(path, fmt::format("'{}' is to be a number from {} to {}", field, low, high));
  }
  return *number;
}

std::vector<std::string> list_value(const fs::path& path, const std::string& field,
                                    const io::JsonValue& value) {
  if (const std::string* text = value.find_string()) return {*text};
  if (!value.is_array()) fail(path, fmt::format("'{}' is to be a list of texts", field));
  std::vector<std::string> texts;
  for (const io::JsonValue& entry : *value.find_array()) {
    texts.push_back(text_value(path, field, entry));
  }
  return texts;
}

using Setter =
    std::function<void(PromptTemplate&, const fs::path&, const std::string&, const io::JsonValue&)>;
struct Field {
  std::string name;
  Setter set;
};

Setter set_text(std::string PromptTemplate::*member) {
  return [member](PromptTemplate& text, const fs::path& path, const std::string& name,
                  const io::JsonValue& value) { text.*member = text_value(path, name, value); };
}

std::vector<Field> fields() {
  constexpr double kMaxTokens = 1'000'000;
  return {
      {"name", set_text(&PromptTemplate::name)},
      {"system", set_text(&PromptTemplate::system)},
      {"user", set_text(&PromptTemplate::user)},
      {"scene", set_text(&PromptTemplate::scene)},
      {"bare_scene", set_text(&PromptTemplate::bare_scene)},
      {"separator", set_text(&PromptTemplate::separator)},
      {"temperature",
       [](PromptTemplate& text, const fs::path& path, const std::string& name,
          const io::JsonValue& value) {
         text.sampling.temperature = number_value(path, name, value, 0, 2);
       }},
      {"top_p",
       [](PromptTemplate& text, const fs::path& path, const std::string& name,
          const io::JsonValue& value) {
         text.sampling.top_p = number_value(path, name, value, 0, 1);
       }},
      {"max_tokens",
       [](PromptTemplate& text, const fs::path& path, const std::string& name,
          const io::JsonValue& value) {
         text.sampling.max_tokens =
             static_cast<int>(number_value(path, name, value, 1, kMaxTokens));
       }},
      {"stop",
       [](PromptTemplate& text, const fs::path& path, const std::string& name,
          const io::JsonValue& value) { text.sampling.stop = list_value(path, name, value); }},
  };
}

PromptTemplate template_of(const fs::path& path, const io::JsonValue& root) {
  if (!root.is_object()) fail(path, "is to hold fields: user, scene, separator and so on");
  PromptTemplate text;
  text.name = path.stem().string();
  const std::vector<Field> known = fields();
  for (const auto& [name, value] : *root.find_object()) {
    const auto field = std::find_if(known.begin(), known.end(),
                                    [&](const Field& entry) { return entry.name == name; });
    if (field == known.end()) {
      std::vector<std::string> names;
      for (const Field& entry : known) names.push_back(entry.name);
      const auto nearest = find_nearest(name, names);
      fail(path, fmt::format("unknown field '{}'; {}", name,
                             nearest ? fmt::format("'{}' is meant?", *nearest)
                                     : fmt::format("there are {}", fmt::join(names, ", "))));
    }
    field->set(text, path, name, value);
  }
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
