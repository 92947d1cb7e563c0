// Every kind of model that `--model FAMILY/NAME` can name: one explicit list.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/clock.h"
#include "contra4/clients/exec_answerer.h"
#include "contra4/clients/local_engine.h"
#include "contra4/clients/openai_body.h"
#include "contra4/clients/prompts/prompt.h"
#include "contra4/clients/request_engine.h"
#include "contra4/data/item_reader.h"
#include "contra4/inference/answerer.h"
#include "contra4/inference/embedder.h"
#include "contra4/inference/text_generator.h"
#include "contra4/media/request_media.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

struct ModelSpec {
  std::string family;  // "openai"
  std::string name;    // "gpt-4o", "meta-llama/Llama-3.1-8B-Instruct", a command, a file

  std::string text() const { return family + "/" + name; }
};

// "family/name". A text whose first word is no family is a model on the server of --base-url:
// openai/TEXT when `has_base_url`. Throws kInvalidArgument otherwise, with the nearest family.
ModelSpec parse_model_spec(std::string_view text, bool has_base_url);

// What the command line may say about sampling; empty: as the prompt has it.
struct SamplingOverrides {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int> max_tokens;
};

// Everything that a maker may need, of which each takes what its family is about.
struct AnswererContext {
  // A variable's value; empty when unset. Keys come only from here.
  std::function<std::optional<std::string>(const std::string&)> environment;
  // What outlives every answerer made.
  const Clock* clock = nullptr;

  // Servers.
  std::vector<std::string> base_urls;       // empty: the family's own, or OPENAI_BASE_URL
  std::vector<LocalEngineOptions> engines;  // openai: servers of our own instead
  OpenAiApi api = OpenAiApi::kChat;
  std::string prompt{kDefaultPrompt};  // name or file
  SamplingOverrides sampling;
  AnswerFormat format = AnswerFormat::kText;
  EngineOptions engine;
  std::function<std::unique_ptr<net::Transport>()> make_transport;

  // How media are sent to servers, and drawn for programs; null: by its defaults.
  std::shared_ptr<const media::RequestMedia> media;

  // Programs of the user's.
  ExecOptions exec;

  // What blind rules are fitted on, never the scored set; null: --fit was not given.
  std::shared_ptr<const data::Dataset> fit;

  // Opens the embedding model, which is costly.
  std::function<std::unique_ptr<Embedder>()> open_embedder;
  // Opens a native model of that name (of native_models()), which is costlier.
  std::function<std::unique_ptr<Answerer>(std::string_view name,
                                          const std::filesystem::path& checkpoint)>
      open_native;
};

struct Family {
  std::string_view name;     // "openai"
  std::string_view pattern;  // "openai/NAME"
  std::string_view summary;  // one line for `contra4 models`
  std::string_view needs;    // flags and variables
  // Throws kInvalidArgument naming the flag or variable that is missing.
  std::unique_ptr<Answerer> (*make)(const ModelSpec& spec, const AnswererContext& context);
  // Null for a family that answers questions but writes no text.
  std::unique_ptr<TextGenerator> (*make_generator)(const ModelSpec& spec,
                                                   const AnswererContext& context) = nullptr;
};

// In the order of `contra4 models`; the native ones, of inference/native_models.inc, stand last.
std::span<const Family> families();
// Whether contra4 itself loads the weights.
bool is_native(std::string_view family);

std::unique_ptr<Answerer> make_answerer(const ModelSpec& spec, const AnswererContext& context);
// The model behind openai/NAME or gemini/NAME without a prompt of its own: messages and sampling
// are the caller's. Throws kInvalidArgument for a family that writes no text, naming those that do.
std::unique_ptr<TextGenerator> make_generator(const ModelSpec& spec,
                                              const AnswererContext& context);

}  // namespace contra4::clients
