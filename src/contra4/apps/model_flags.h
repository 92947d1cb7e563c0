// The flags that say which model is asked and how: shared by all commands that ask one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contra4/apps/command.h"
#include "contra4/apps/media_flags.h"
#include "contra4/apps/native_flags.h"
#include "contra4/clients/families.h"

namespace contra4::apps {

struct ModelFlags {
  std::string model;
  // Servers.
  std::vector<std::string> base_urls;
  std::string api = "chat";
  std::string prompt{clients::kDefaultPrompt};
  std::optional<std::string> answer;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int> max_new_tokens;
  std::optional<int> concurrency;
  std::optional<int> min_concurrency;
  std::optional<int> max_concurrency;
  std::optional<int> max_tries;
  std::optional<double> timeout_s;
  std::optional<double> connect_timeout_s;
  std::int64_t max_tokens_total = 0;
  double max_cost_usd = 0;
  std::optional<std::filesystem::path> prices;
  // Servers that are started for the command and end with it.
  std::vector<std::string> engines;
  std::vector<std::string> engine_args;
  double engine_timeout_s = 1800;
  std::optional<std::filesystem::path> engine_log_dir;
  MediaFlags media;
  NativeFlags native;  // declared by the commands that show media: add_native_flags()
  // Programs of the user's.
  int workers = 1;
  bool keeps_programs = false;  // no flag: for commands that ask in several runs
  // What priors are fitted on.
  std::optional<std::filesystem::path> fit;
  std::uint64_t seed = 0;
};

// Declares them; a question asked once (`ask`) has no use for those about many, a step that writes
// text (`generate`) none for those about answers.
enum class ModelUse { kManyQuestions, kOneQuestion, kWriting };
void add_model_flags(CLI::App& app, ModelFlags& flags, ModelUse use);

// A model and what it was made from.
struct OpenedModel {
  clients::ModelSpec spec;
  std::shared_ptr<const data::Dataset> fit;  // null without --fit
  std::optional<clients::TokenPrice> price;  // of the model, from --prices
  // Null when only described (dry run).
  std::unique_ptr<Answerer> answerer;
};

// With --engine the model may be left out; `model` may also be an engine itself ("vllm:NAME"). The
// server starts with the first request and ends with the model. `clock` outlives the model. Throws
// UsageError for flags that contradict each other, and as
// clients::make_answerer.
OpenedModel open_model(const ModelFlags& flags, const Context& context, const Clock& clock);

// A model that writes text, for steps that bring their own prompts and sampling.
struct OpenedGenerator {
  clients::ModelSpec spec;
  std::optional<clients::TokenPrice> price;  // of the model, from --prices
  std::unique_ptr<TextGenerator> generator;
};

// As open_model(); also throws kInvalidArgument for a model that writes no text. To open another
// model beside it, give `flags` with its `model` changed.
OpenedGenerator open_generator(const ModelFlags& flags, const Context& context, const Clock& clock);

// Whether a prompt of ours stands between question and model.
bool is_prompted(const clients::ModelSpec& spec);

}  // namespace contra4::apps
