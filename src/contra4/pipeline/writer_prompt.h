// How a model is asked to write about the scenes of an item: the instruction, the lines of the
// scenes, and a few examples. docs/prompts.md tells the fields of the files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/inference/text_generator.h"

namespace contra4::pipeline {

// What a prompt is filled with; scenes as captions.
struct WriterInput {
  std::vector<std::string> scenes = {};
  std::string question = {};
  std::string answer = {};  // of examples only
};

struct WriterPrompt {
  std::string instruction;
  std::string scene;  // {letter} {caption}: one line
  std::string separator = "\n";
  std::string user;   // {scenes} {question} {num_scenes}: what an example and the item share
  std::string reply;  // {question} {answer}: what the model is to write, of the examples
  std::string reply_prefix;
  std::vector<WriterInput> examples;
  Sampling sampling;
};

// The same prompt for a model that goes on with a text, or for one that is talked to.
enum class PromptForm {
  kCompletion,  // one text: instruction, examples with their replies, item
  kChat,        // the instruction is a system message, each example a turn
};

// The fields of a prompt file, see docs/prompts.md. `what` names it. Throws kInvalidArgument with
// the field at fault: unknown ones, wrong types, unknown placeholders.
WriterPrompt parse_writer_prompt(std::string_view yaml, std::string_view what);

// Messages, sampling and the beginning of the reply; `seed`, ticket and name are the caller's.
// `stop` is for completions alone: a chat model ends by itself, and may begin with an empty line.
GenerateRequest write_request(const WriterPrompt& prompt, PromptForm form,
                              const WriterInput& input);

// Everything that decides what is asked, as a JSON object.
std::string description_json(const WriterPrompt& prompt, PromptForm form);

// The prompts of `contra4 generate`: those of the program, each replaced by the file of its name
// where `folder` has one (question.yaml, answer.yaml). Throws kNotFound for a folder with neither.
struct GeneratePrompts {
  WriterPrompt question;
  WriterPrompt answer;
};
GeneratePrompts load_generate_prompts(const std::optional<std::filesystem::path>& folder);

}  // namespace contra4::pipeline
