// How a question is put to a model that reads messages.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/inference/answerer.h"
#include "contra4/inference/text_generator.h"

namespace contra4::clients {

// Greedy, with room for a model that reasons before it answers.
inline Sampling reasoning_sampling() {
  Sampling sampling;
  sampling.max_tokens = 8192;
  return sampling;
}

// `{word}` is a placeholder, `{{word}}` stands for the text `{word}`, any other brace for itself.
struct PromptTemplate {
  std::string name;
  // {question} {scenes} {letters} ("A, B or C") {num_scenes}. No system message when empty.
  std::string system;
  std::string user;  // holds {question} and {scenes}
  // One scene: {letter} {content} {modality}. The content is its caption, or the medium itself.
  std::string scene = "Scene {letter}: {content}";
  std::string bare_scene = "Scene {letter}";  // one of which nothing is shown (--input none)
  std::string separator = "\n";               // between scenes
  Sampling sampling = reasoning_sampling();
};

class Prompt {
 public:
  // Throws kInvalidArgument for an unknown placeholder, naming it, or a missing one.
  explicit Prompt(PromptTemplate text);

  // What is put in (question, captions) is never looked through for placeholders.
  std::vector<Message> render(const Question& question) const;
  const std::string& name() const { return template_.name; }
  // What the prompt is meant to be used with; the caller may set its own.
  const Sampling& sampling() const { return template_.sampling; }
  // Name and texts, as a JSON object.
  std::string description_json() const;

 private:
  struct Piece {
    std::string text;  // literal, or the name of a placeholder
    bool is_placeholder = false;
  };
  using Pieces = std::vector<Piece>;
  static Pieces parse(std::string_view text, std::string_view field,
                      std::initializer_list<std::string_view> known);
  void append_scene(std::vector<ContentPart>& parts, const ShownScene& scene, int index) const;
  std::vector<ContentPart> expand(const Pieces& pieces, const Question& question) const;

  PromptTemplate template_;
  Pieces system_;
  Pieces user_;
  Pieces scene_;
  Pieces bare_scene_;
};

// "contrastive" (the default), "published" (the one line of the published caption baseline, with
// its sampling; its floor of 10 tokens cannot be asked of a server).
inline constexpr std::string_view kDefaultPrompt = "contrastive";
std::vector<std::string> prompt_names();

// A built-in prompt by name, else a file. Files that end in .yaml, .yml or .json hold the fields of
// PromptTemplate, and of its sampling `temperature`, `top_p`, `max_tokens`, `stop`; any other file
// is the user's text as it stands. Throws kNotFound for neither, kInvalidArgument with file and
// field.
Prompt make_prompt(const std::string& name_or_file);
Prompt read_prompt_file(const std::filesystem::path& path);

}  // namespace contra4::clients
