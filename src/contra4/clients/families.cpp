#include "contra4/clients/families.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/clients/blind_answerer.h"
#include "contra4/clients/embedding_answerer.h"
#include "contra4/clients/engine_generator.h"
#include "contra4/clients/gemini_generator.h"
#include "contra4/clients/late_answerer.h"
#include "contra4/clients/lexical_answerer.h"
#include "contra4/clients/openai_generator.h"
#include "contra4/clients/prompted_answerer.h"
#include "contra4/clients/replay_answerer.h"
#include "contra4/inference/native_model.h"
#include "contra4/scoring/blind_rules.h"

namespace contra4::clients {

namespace {

[[noreturn]] void throw_missing(const ModelSpec& spec, std::string_view what) {
  throw Exception(ErrorCode::kInvalidArgument, fmt::format("[{}] {}", spec.text(), what));
}

// The first of these variables that is set, and its value.
struct Variable {
  std::string name;
  std::string value;
};
std::optional<Variable> find_variable(const AnswererContext& context,
                                      std::initializer_list<const char*> names) {
  if (!context.environment) return std::nullopt;
  for (const char* name : names) {
    if (std::optional<std::string> value = context.environment(name)) return Variable{name, *value};
  }
  return std::nullopt;
}

std::unique_ptr<Answerer> prompted(std::unique_ptr<TextGenerator> generator, Prompt prompt,
                                   const AnswererContext& context) {
  Sampling sampling = prompt.sampling();
  if (context.sampling.temperature) sampling.temperature = *context.sampling.temperature;
  if (context.sampling.top_p) sampling.top_p = *context.sampling.top_p;
  if (context.sampling.max_tokens) sampling.max_tokens = *context.sampling.max_tokens;
  return std::make_unique<PromptedAnswerer>(std::move(generator), std::move(prompt), sampling,
                                            context.format);
}

void require_server_parts(const AnswererContext& context) {
  CONTRA4_CHECK(context.make_transport && context.clock != nullptr,
                "servers need a transport and a clock");
}

std::unique_ptr<Answerer> make_blind(const ModelSpec& spec, const AnswererContext& context) {
  if (scoring::is_fitted_rule(spec.name) && !context.fit) {
    throw_missing(spec, "needs --fit FILE, the set to fit it on (the validation set)");
  }
  const std::span<const Item> fit =
      context.fit ? std::span<const Item>(context.fit->items) : std::span<const Item>();
  return std::make_unique<BlindAnswerer>(scoring::make_blind_rule(spec.name, fit));
}

std::unique_ptr<Answerer> make_embed(const ModelSpec& spec, const AnswererContext& context) {
  constexpr std::string_view kMiniLm = "minilm";
  if (spec.name != kMiniLm) throw_missing(spec, "no such embedding; there is embed/minilm");
  CONTRA4_CHECK(context.open_embedder != nullptr, "embed/minilm needs a way to open it");
  return std::make_unique<EmbeddingAnswerer>(context.open_embedder());
}

// What is there of OPENAI_* is about other servers.
std::unique_ptr<TextGenerator> generate_by_engine(OpenAiProtocolOptions options,
                                                  const AnswererContext& context) {
  if (const auto key = find_variable(context, {"VLLM_API_KEY", "LLAMA_API_KEY"})) {
    options.key = Secret(key->value);
    options.key_variable = key->name;
  }
  const auto make = [&](const std::vector<std::string>& base_urls) {
    options.base_urls = base_urls;
    return make_openai_generator(options, context.engine, context.make_transport(), *context.clock);
  };
  return std::make_unique<EngineGenerator>(context.engines, make, context.make_transport());
}

std::unique_ptr<TextGenerator> generate_by_openai(const ModelSpec& spec,
                                                  const AnswererContext& context) {
  require_server_parts(context);
  OpenAiProtocolOptions options;
  options.model = spec.name;
  options.api = context.api;
  options.media = context.media;
  if (!context.engines.empty()) return generate_by_engine(std::move(options), context);
  if (!context.base_urls.empty()) {
    options.base_urls = context.base_urls;
  } else if (const auto url = find_variable(context, {"OPENAI_BASE_URL"})) {
    options.base_urls = {url->value};
  }
  if (const auto key = find_variable(context, {"OPENAI_API_KEY"})) {
    options.key = Secret(key->value);
  } else if (options.base_urls == OpenAiProtocolOptions().base_urls) {
    throw_missing(spec, "needs OPENAI_API_KEY in the environment, or --base-url URL of a server");
  }
  return make_openai_generator(options, context.engine, context.make_transport(), *context.clock);
}

std::unique_ptr<Answerer> make_lexical(const ModelSpec& spec, const AnswererContext&) {
  if (spec.name != "bm25") throw_missing(spec, "no such rule; there is lexical/bm25");
  return std::make_unique<Bm25Answerer>();
}

std::unique_ptr<Answerer> make_openai(const ModelSpec& spec, const AnswererContext& context) {
  return prompted(generate_by_openai(spec, context), make_prompt(context.prompt), context);
}

std::unique_ptr<TextGenerator> generate_by_gemini(const ModelSpec& spec,
                                                  const AnswererContext& context) {
  require_server_parts(context);
  GeminiProtocolOptions options;
  options.model = spec.name;
  options.media = context.media;
  if (!context.base_urls.empty()) options.base_urls = context.base_urls;
  if (const auto key = find_variable(context, {"GOOGLE_API_KEY", "GEMINI_API_KEY"})) {
    options.key = Secret(key->value);
    options.key_variable = key->name;
  } else if (context.base_urls.empty()) {
    throw_missing(spec, "needs GOOGLE_API_KEY or GEMINI_API_KEY in the environment");
  }
  return make_gemini_generator(options, context.engine, context.make_transport(), *context.clock);
}

std::unique_ptr<Answerer> make_gemini(const ModelSpec& spec, const AnswererContext& context) {
  return prompted(generate_by_gemini(spec, context), make_prompt(context.prompt), context);
}

std::unique_ptr<Answerer> make_exec(const ModelSpec& spec, const AnswererContext& context) {
  return std::make_unique<ExecAnswerer>(spec.name, context.exec);
}

std::unique_ptr<Answerer> make_replay(const ModelSpec& spec, const AnswererContext&) {
  return std::make_unique<ReplayAnswerer>(spec.name);
}

// The checkpoint is looked for at once, so that a misspelt path is told before anything is read.
std::unique_ptr<Answerer> make_native(const ModelSpec& spec, const AnswererContext& context) {
  CONTRA4_CHECK(context.open_native != nullptr, "native models need a way to open them");
  std::error_code ignored;
  if (!std::filesystem::exists(spec.name, ignored)) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("[{}] no file or folder {}", spec.text(), spec.name));
  }
  return std::make_unique<LateAnswerer>(
      [spec, open = context.open_native] { return open(spec.family, spec.name); },
      InputNeed::kMedia);
}

constexpr std::array kFamilies = {
    Family{
        "blind", "blind/RULE",
        "no model: modality-prior, position-prior, longest-caption, always-A to always-D, chance",
        "the priors: --fit FILE, never the scored set", make_blind},
    Family{"embed", "embed/minilm", "cosine of question and caption, all-MiniLM-L6-v2",
           "CONTRA4_MINILM, a folder; found by itself after set-up", make_embed},
    Family{"lexical", "lexical/bm25", "the caption that shares most words with the question, BM25",
           "nothing", make_lexical},
    Family{"openai", "openai/NAME", "any server that speaks OpenAI's protocol",
           "OPENAI_API_KEY, or --base-url URL (repeat it to spread the load), or --engine",
           make_openai, generate_by_openai},
    Family{"gemini", "gemini/NAME", "Gemini by its own protocol",
           "GOOGLE_API_KEY or GEMINI_API_KEY", make_gemini, generate_by_gemini},
    Family{"exec", "exec/COMMAND", "a program of yours, JSON lines in and out",
           "the command, quoted", make_exec},
    Family{"replay", "replay/FILE", "answers from a file of predictions", "the file", make_replay},
#define CONTRA4_NATIVE_MODEL(name, summary)                                              \
  Family{#name, #name "/DIR", summary,                                                   \
         "DIR, or FILE: the checkpoint, with its tokenizer beside it or by --tokenizer", \
         make_native},
#include "contra4/inference/native_models.inc"
#undef CONTRA4_NATIVE_MODEL
};

}  // namespace

ModelSpec parse_model_spec(std::string_view text, bool has_base_url) {
  const std::size_t slash = text.find('/');
  const std::string word(text.substr(0, slash));
  const bool is_family = slash != std::string_view::npos &&
                         std::any_of(kFamilies.begin(), kFamilies.end(),
                                     [&](const Family& family) { return family.name == word; });
  if (is_family) {
    std::string name(text.substr(slash + 1));
    if (name.find_first_not_of(" \t") == std::string::npos) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("--model: '{}' names no model after the family", text));
    }
    return {word, std::move(name)};
  }
  if (text.empty()) throw Exception(ErrorCode::kInvalidArgument, "--model: no model given");
  if (has_base_url) return {"openai", std::string(text)};
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  const std::optional<std::string> nearest = find_nearest(word, names);
  throw Exception(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "--model: '{}' is no family/name{}; families are {}; for a model of that name on a "
          "server give --base-url URL",
          text, nearest ? fmt::format(" (did you mean '{}/...'?)", *nearest) : "",
          fmt::join(names, ", ")));
}

std::span<const Family> families() {
  return kFamilies;
}

bool is_native(std::string_view family) {
  const auto models = native_models();
  return std::any_of(models.begin(), models.end(),
                     [&](const NativeModelInfo& model) { return model.name == family; });
}

std::unique_ptr<Answerer> make_answerer(const ModelSpec& spec, const AnswererContext& context) {
  for (const Family& family : kFamilies) {
    if (family.name == spec.family) return family.make(spec, context);
  }
  throw Exception(ErrorCode::kInvalidArgument, fmt::format("[model] no family '{}'", spec.family));
}

std::unique_ptr<TextGenerator> make_generator(const ModelSpec& spec,
                                              const AnswererContext& context) {
  std::vector<std::string_view> writers;
  for (const Family& family : kFamilies) {
    if (family.make_generator == nullptr) continue;
    if (family.name == spec.family) return family.make_generator(spec, context);
    writers.push_back(family.pattern);
  }
  throw_missing(spec, fmt::format("writes no text; {} do", fmt::join(writers, " and ")));
}

}  // namespace contra4::clients
