#include "contra4/clients/prompts/prompt.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/item.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The word of "{word" at `at`, empty when that is no placeholder.
std::string_view word_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && is_word_byte(text[end])) ++end;
  const bool is_closed = end < text.size() && text[end] == '}';
  return is_closed ? text.substr(at + 1, end - at - 1) : std::string_view();
}

// "A", "A or B", "A, B or C".
std::string letters_of(std::size_t num_scenes) {
  std::string text;
  for (std::size_t i = 0; i < num_scenes; ++i) {
    if (i > 0) text += i + 1 == num_scenes ? " or " : ", ";
    text += scene_letter(static_cast<int>(i));
  }
  return text;
}

bool has_placeholder(const auto& pieces, std::string_view word) {
  return std::any_of(pieces.begin(), pieces.end(),
                     [&](const auto& piece) { return piece.is_placeholder && piece.text == word; });
}

// Text next to text is one part.
void append_text(std::vector<ContentPart>& parts, std::string_view text) {
  if (text.empty()) return;
  if (parts.empty() || !parts.back().media.empty()) parts.emplace_back();
  parts.back().text += text;
}

}  // namespace

Prompt::Prompt(PromptTemplate text) : template_(std::move(text)) {
  const auto texts = {std::string_view("question"), std::string_view("scenes"),
                      std::string_view("letters"), std::string_view("num_scenes")};
  system_ = parse(template_.system, "system", texts);
  user_ = parse(template_.user, "user", texts);
  scene_ = parse(template_.scene, "scene", {"letter", "content", "modality"});
  bare_scene_ = parse(template_.bare_scene, "bare_scene", {"letter", "modality"});
  const auto require = [&](bool is_there, std::string_view word, std::string_view field) {
    if (is_there) return;
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("prompt '{}': {} holds no {{{}}}", template_.name, field, word));
  };
  for (const std::string_view word : {"question", "scenes"}) {
    require(has_placeholder(user_, word) || has_placeholder(system_, word), word, "user");
  }
  require(has_placeholder(scene_, "content"), "content", "scene");
}

Prompt::Pieces Prompt::parse(std::string_view text, std::string_view field,
                             std::initializer_list<std::string_view> known) {
  Pieces pieces;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) pieces.push_back({std::exchange(literal, {}), false});
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{') {
      literal += text[at++];
      continue;
    }
    if (text.substr(at).starts_with("{{")) {
      const std::string_view word = word_at(text, at + 1);
      if (!word.empty() && text.substr(at + 3 + word.size()).starts_with('}')) {
        literal += text.substr(at + 1, word.size() + 2);
        at += word.size() + 4;
        continue;
      }
    }
    const std::string_view word = word_at(text, at);
    if (word.empty()) {
      literal += text[at++];
      continue;
    }
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("unknown placeholder {{{}}} in the prompt's '{}', which knows "
                                  "{{{}}}; write {{{{{}}}}} for the text itself",
                                  word, field, fmt::join(known, "} {"), word));
    }
    end_literal();
    pieces.push_back({std::string(word), true});
    at += word.size() + 2;
  }
  end_literal();
  return pieces;
}

void Prompt::append_scene(std::vector<ContentPart>& parts, const ShownScene& scene,
                          int index) const {
  const bool is_bare = scene.caption.empty() && scene.media.empty();
  for (const Piece& piece : is_bare ? bare_scene_ : scene_) {
    if (!piece.is_placeholder) {
      append_text(parts, piece.text);
    } else if (piece.text == "letter") {
      append_text(parts, std::string(1, scene_letter(index)));
    } else if (piece.text == "modality") {
      append_text(parts, to_string(scene.modality));
    } else if (scene.media.empty()) {
      append_text(parts, scene.caption);
    } else {
      ContentPart medium;
      medium.media = scene.media;
      medium.modality = scene.modality;
      parts.push_back(std::move(medium));
    }
  }
}

std::vector<ContentPart> Prompt::expand(const Pieces& pieces, const Question& question) const {
  std::vector<ContentPart> parts;
  for (const Piece& piece : pieces) {
    if (!piece.is_placeholder) {
      append_text(parts, piece.text);
    } else if (piece.text == "question") {
      append_text(parts, question.text);
    } else if (piece.text == "letters") {
      append_text(parts, letters_of(question.scenes.size()));
    } else if (piece.text == "num_scenes") {
      append_text(parts, std::to_string(question.scenes.size()));
    } else {
      for (std::size_t i = 0; i < question.scenes.size(); ++i) {
        if (i > 0) append_text(parts, template_.separator);
        append_scene(parts, question.scenes[i], static_cast<int>(i));
      }
    }
  }
  return parts;
}

std::vector<Message> Prompt::render(const Question& question) const {
  std::vector<Message> messages;
  if (!system_.empty()) messages.push_back({Role::kSystem, expand(system_, question)});
  messages.push_back({Role::kUser, expand(user_, question)});
  return messages;
}

std::string Prompt::description_json() const {
  io::JsonWriter writer;
  writer.begin_object().member("name", template_.name);
  if (!template_.system.empty()) writer.member("system", template_.system);
  writer.member("user", template_.user).member("scene", template_.scene);
  writer.member("bare_scene", template_.bare_scene).member("separator", template_.separator);
  writer.end_object();
  return writer.take();
}

}  // namespace contra4::clients
