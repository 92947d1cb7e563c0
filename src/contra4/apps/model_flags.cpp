#include "contra4/apps/model_flags.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/clients/budget.h"
#include "contra4/clients/local_engine.h"
#include "contra4/clients/prompted_answerer.h"
#include "contra4/inference/torch_loader.h"
#include "contra4/media/decoder.h"

namespace contra4::apps {

namespace {

constexpr double kMaxSeconds = 86'400;

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void add_prompt_flags(CLI::App& app, ModelFlags& flags) {
  app.add_option("--prompt", flags.prompt,
                 "contrastive, published (the caption baseline's), or a file: YAML with the fields "
                 "of a prompt, or plain text")
      ->type_name("NAME|FILE")
      ->capture_default_str();
  app.add_option("--answer", flags.answer,
                 "how the model answers: text, a reply restricted by a JSON schema, or the most "
                 "probable letter (logprobs) [default: text; of native models logprobs, with "
                 "--compat text]")
      ->type_name("FORM")
      ->transform(one_of({"text", "schema", "logprobs"}));
}

void add_server_flags(CLI::App& app, ModelFlags& flags, ModelUse use) {
  app.option_defaults()->group("Servers");
  app.add_option(
         "--base-url", flags.base_urls,
         "where the server is, up to and with /v1; several share the load (repeat the flag) "
         "[default: OPENAI_BASE_URL, else the service's own]")
      ->type_name("URL")
      ->allow_extra_args(false);
  app.add_option("--api", flags.api, "chat, or the older completions")
      ->type_name("NAME")
      ->transform(one_of({"chat", "completions"}))
      ->capture_default_str();
  if (use != ModelUse::kWriting) add_prompt_flags(app, flags);
  app.add_option("--temperature", flags.temperature, "0: greedy [default: the prompt's]")
      ->type_name("T")
      ->check(number(0, 10));
  app.add_option("--top-p", flags.top_p, "[default: the prompt's]")
      ->type_name("P")
      ->check(number(0, 1));
  app.add_option(
         "--max-new-tokens,--max-tokens", flags.max_new_tokens,
         "tokens of a reply, reasoning included [default: the prompt's, or the native model's]")
      ->type_name("N")
      ->check(whole_number(1, 10'000'000));
  app.add_option("--timeout-s", flags.timeout_s,
                 "of one call, in seconds [default: 600; of programs 300]")
      ->type_name("S")
      ->check(number(0.001, kMaxSeconds));
  app.add_option("--connect-timeout-s", flags.connect_timeout_s,
                 "of connecting, in seconds [default: 10]")
      ->type_name("S")
      ->check(number(0.001, kMaxSeconds));
  app.add_option("--max-tries", flags.max_tries,
                 "calls for one question, the first included [default: 6]")
      ->type_name("N")
      ->check(whole_number(1, 1000));
}

void add_engine_flags(CLI::App& app, ModelFlags& flags) {
  app.option_defaults()->group("Servers of our own");
  app.add_option("--engine", flags.engines,
                 "vllm:MODEL, llama.cpp:FILE or transformers:MODEL: start that server on a free "
                 "port and end it with the command; several share the load (repeat the flag)")
      ->type_name("ENGINE:MODEL")
      ->allow_extra_args(false);
  app.add_option("--engine-args", flags.engine_args,
                 "more arguments of the server in one text, NAME=VALUE words for its environment "
                 "first: 'CUDA_VISIBLE_DEVICES=0,1 --tensor-parallel-size 2'; once for all "
                 "engines, or once for each")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_option("--engine-timeout-s", flags.engine_timeout_s,
                 "until the server is ready, loading included, in seconds")
      ->type_name("S")
      ->check(number(0.001, kMaxSeconds))
      ->capture_default_str();
  app.add_option("--engine-log-dir", flags.engine_log_dir,
                 "where the whole log of each server goes [default: engines in the cache folder]")
      ->type_name("DIR");
}

void add_load_flags(CLI::App& app, ModelFlags& flags) {
  app.add_option("--concurrency,--bs", flags.concurrency,
                 "questions in flight per server at the start; adapts to replies [default: 16]")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  app.add_option("--min-concurrency", flags.min_concurrency, "never fewer [default: 1]")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  app.add_option("--max-concurrency", flags.max_concurrency, "never more [default: 256]")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  app.add_option("--max-tokens-total", flags.max_tokens_total,
                 "the run ends at so many tokens, prompts and replies together; 0: no cap")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_option("--max-cost", flags.max_cost_usd,
                 "the run ends at so many US dollars, by --prices; 0: no cap")
      ->type_name("USD")
      ->check(number(0))
      ->capture_default_str();
  app.add_option("--prices", flags.prices,
                 "YAML: model name, with prompt and completion in US dollars per million tokens")
      ->type_name("FILE");
}

void add_program_flags(CLI::App& app, ModelFlags& flags) {
  app.option_defaults()->group("Programs");
  app.add_option("--workers", flags.workers, "processes of exec/COMMAND side by side")
      ->type_name("N")
      ->check(whole_number(1, 1024))
      ->capture_default_str();
}

clients::LimiterOptions limiter_of(const ModelFlags& flags) {
  clients::LimiterOptions limiter;
  limiter.floor = flags.min_concurrency.value_or(limiter.floor);
  limiter.ceiling = flags.max_concurrency.value_or(
      std::max({limiter.ceiling, flags.concurrency.value_or(1), limiter.floor}));
  if (limiter.floor > limiter.ceiling) {
    throw UsageError("--min-concurrency is above --max-concurrency");
  }
  if (flags.concurrency &&
      (*flags.concurrency < limiter.floor || *flags.concurrency > limiter.ceiling)) {
    throw UsageError("--concurrency lies outside --min-concurrency and --max-concurrency");
  }
  limiter.start =
      flags.concurrency.value_or(std::clamp(limiter.start, limiter.floor, limiter.ceiling));
  return limiter;
}

std::optional<clients::TokenPrice> price_of(const ModelFlags& flags, const std::string& name) {
  if (!flags.prices) {
    if (flags.max_cost_usd > 0) throw UsageError("--max-cost needs --prices");
    return std::nullopt;
  }
  const auto table = clients::read_price_file(*flags.prices);
  const auto found = table.find(name);
  if (found == table.end()) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{} has no price of '{}'", flags.prices->string(), name));
  }
  return found->second;
}

clients::EngineOptions engine_of(const ModelFlags& flags,
                                 const std::optional<clients::TokenPrice>& price) {
  clients::EngineOptions engine;
  engine.limiter = limiter_of(flags);
  engine.retry.max_tries = flags.max_tries.value_or(engine.retry.max_tries);
  engine.budget = {.max_tokens_total = flags.max_tokens_total,
                   .max_cost_usd = flags.max_cost_usd,
                   .price = price};
  if (flags.timeout_s) engine.total_timeout = milliseconds_of(*flags.timeout_s);
  if (flags.connect_timeout_s) engine.connect_timeout = milliseconds_of(*flags.connect_timeout_s);
  engine.seed = flags.seed;
  return engine;
}

}  // namespace

void add_model_flags(CLI::App& app, ModelFlags& flags, ModelUse use) {
  app.add_option("--model,--model-id", flags.model,
                 "FAMILY/NAME, see `contra4 models`; any other name is a model on --base-url; with "
                 "--engine it may be left out")
      ->type_name("SPEC");
  if (use != ModelUse::kWriting) {
    app.add_option("--fit", flags.fit,
                   "data set that priors are fitted on (the validation set), never the one scored")
        ->type_name("FILE");
  }
  app.add_option("--seed", flags.seed, "of all that is drawn")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  add_server_flags(app, flags, use);
  add_engine_flags(app, flags);
  if (use != ModelUse::kOneQuestion) add_load_flags(app, flags);
  if (use != ModelUse::kWriting) {
    add_program_flags(app, flags);
    add_media_flags(app, flags.media);
  }
}

bool is_prompted(const clients::ModelSpec& spec) {
  return spec.family == "openai" || spec.family == "gemini";
}

namespace {

// A SPEC of the wrong shape is wrong usage, as any other flag's value.
clients::ModelSpec spec_of(const ModelFlags& flags, bool has_base_url) {
  try {
    return clients::parse_model_spec(flags.model, has_base_url);
  } catch (const Exception& error) {
    throw UsageError(error.what());
  }
}

struct ServedSpec {
  clients::ModelSpec spec;
  std::vector<std::string> base_urls;
  std::vector<clients::LocalEngineOptions> engines = {};  // instead of base_urls
};

// "vllm-Llama-3.1-8B-Instruct-4711.log": the digits are those of this process.
std::filesystem::path engine_log_of(const ModelFlags& flags, const Context& context,
                                    const clients::EngineSpec& spec, std::size_t number) {
  const std::string text = spec.text();
  std::string name = std::filesystem::path(spec.served_name()).filename().string();
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '-');
  const auto folder = flags.engine_log_dir.value_or(cache_folder(context.environment) / "engines");
  return folder / fmt::format("{}-{}-{}{}.log", text.substr(0, text.find(':')), name, ::getpid(),
                              number == 0 ? "" : fmt::format("-{}", number + 1));
}

std::vector<clients::LocalEngineOptions> engines_of(const ModelFlags& flags,
                                                    const Context& context) {
  std::vector<std::string> texts = flags.engines;
  const bool is_model_engine = clients::names_engine(flags.model);
  if (is_model_engine) texts = {flags.model};
  if (texts.empty()) return {};
  if (!flags.base_urls.empty()) throw UsageError("--engine and --base-url contradict each other");
  const std::size_t num_args = flags.engine_args.size();
  if (num_args > 1 && num_args != texts.size()) {
    throw UsageError(fmt::format("--engine-args is given {} times for {}", num_args,
                                 counted(static_cast<std::int64_t>(texts.size()), "engine")));
  }
  std::vector<clients::LocalEngineOptions> engines;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto spec = clients::parse_engine_spec(texts[i]);
    if (!spec) throw UsageError("--engine: " + spec.error().message);
    const auto arguments = clients::parse_engine_arguments(
        num_args == 0 ? "" : flags.engine_args[num_args == 1 ? 0 : i]);
    if (!arguments) throw UsageError("--engine-args: " + arguments.error().message);
    clients::LocalEngineOptions engine;
    engine.spec = *spec;
    engine.arguments = *arguments;
    engine.path_list = context.environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
    engine.log = engine_log_of(flags, context, *spec, i);
    engine.start_timeout = milliseconds_of(flags.engine_timeout_s);
    engines.push_back(std::move(engine));
  }
  return engines;
}

// The model that is asked by the name its own servers give it, or by --model (an adapter).
ServedSpec engine_spec_of(const ModelFlags& flags,
                          std::vector<clients::LocalEngineOptions> engines) {
  ServedSpec served;
  const bool has_name = !flags.model.empty() && !clients::names_engine(flags.model);
  served.spec = has_name ? spec_of(flags, true)
                         : clients::ModelSpec{"openai", engines.front().spec.served_name()};
  if (served.spec.family != "openai") {
    throw UsageError(
        fmt::format("--model {}: an engine serves models of the family openai", flags.model));
  }
  served.engines = std::move(engines);
  return served;
}

ServedSpec served_spec_of(const ModelFlags& flags, const Context& context) {
  if (auto engines = engines_of(flags, context); !engines.empty()) {
    return engine_spec_of(flags, std::move(engines));
  }
  if (flags.native.pretrained_path) {
    if (!flags.model.empty())
      throw UsageError("--model and --pretrained-path contradict each other");
    return {clients::ModelSpec{"onellm", flags.native.pretrained_path->string()}, {}};
  }
  if (flags.model.empty()) throw UsageError("--model is required (or --engine)");
  std::vector<std::string> base_urls = flags.base_urls;
  const auto environment_url = context.environment("OPENAI_BASE_URL");
  ServedSpec served;
  served.spec = spec_of(flags, !base_urls.empty() || environment_url);
  // The environment wins over --config, and what is typed over the environment.
  const bool is_typed = context.typed_flags.contains("base-url");
  if (served.spec.family == "openai" && environment_url && !is_typed) {
    base_urls = {*environment_url};
  }
  served.base_urls = std::move(base_urls);
  return served;
}

// What is wrong with flags is said at once, the module is opened when the model is.
decltype(clients::AnswererContext::open_native) native_opener(const ModelFlags& flags,
                                                              const Context& context) {
  NativeModelOptions options = native_options(flags.native, context);
  if (options.batch_size == 0) options.batch_size = flags.concurrency.value_or(0);
  options.max_new_tokens = flags.max_new_tokens.value_or(0);
  const std::string answer = flags.answer.value_or(flags.native.compat ? "text" : "logprobs");
  options.answer = answer == "text" ? AnswerMode::kText : AnswerMode::kLogprobs;
  return [options](std::string_view name, const std::filesystem::path& checkpoint) {
    NativeModelOptions complete = options;
    complete.checkpoint = checkpoint;
    complete.decoder = &media::media_decoder();
    return open_torch_module().make_native(name, complete);
  };
}

void check_native_flags(const ModelFlags& flags, const clients::ModelSpec& spec) {
  if (!clients::is_native(spec.family)) {
    if (const std::string given = flags.native.first_given(); !given.empty()) {
      throw UsageError(fmt::format("{} is of native models; {} is none", given, spec.text()));
    }
    return;
  }
  if (flags.prompt != clients::kDefaultPrompt) {
    throw UsageError(
        fmt::format("--prompt is of servers; the prompt of {} is --prompt-template", spec.text()));
  }
  if (flags.answer == "schema") {
    throw UsageError(fmt::format("{} answers by text or logprobs, not by a schema", spec.text()));
  }
  if (flags.native.compat && flags.answer == "logprobs") {
    throw UsageError("--compat is the published script, which reads text: not --answer logprobs");
  }
}

clients::AnswererContext parts_of(const ModelFlags& flags, const Context& context,
                                  const Clock& clock, ServedSpec served,
                                  const std::optional<clients::TokenPrice>& price) {
  clients::AnswererContext parts;
  parts.environment = context.environment;
  parts.clock = &clock;
  parts.base_urls = std::move(served.base_urls);
  parts.engines = std::move(served.engines);
  parts.api =
      flags.api == "completions" ? clients::OpenAiApi::kCompletions : clients::OpenAiApi::kChat;
  parts.prompt = flags.prompt;
  parts.sampling = {
      .temperature = flags.temperature, .top_p = flags.top_p, .max_tokens = flags.max_new_tokens};
  parts.format = *clients::parse_answer_format(flags.answer.value_or("text"));
  parts.engine = engine_of(flags, price);
  parts.make_transport = [] { return net::make_curl_transport(); };
  parts.media = std::make_shared<const media::RequestMedia>(media_options(flags.media, context));
  if (flags.media.exec_pictures) parts.exec.pictures = parts.media;
  parts.exec.num_workers = flags.workers;
  parts.exec.keeps_running = flags.keeps_programs;
  if (flags.timeout_s) parts.exec.timeout = milliseconds_of(*flags.timeout_s);
  if (flags.max_tries) parts.exec.max_tries = *flags.max_tries;
  parts.open_embedder = [&context] {
    return open_torch_module().make_minilm({.folder = minilm_folder(context.environment)});
  };
  parts.open_native = native_opener(flags, context);
  return parts;
}

}  // namespace

OpenedModel open_model(const ModelFlags& flags, const Context& context, const Clock& clock) {
  ServedSpec served = served_spec_of(flags, context);
  OpenedModel model;
  model.spec = served.spec;
  check_native_flags(flags, model.spec);
  if (flags.fit) {
    model.fit = std::make_shared<const data::Dataset>(
        data::load_dataset(*flags.fit, {.answer = true, .captions = false}));
  }
  model.price = price_of(flags, model.spec.name);
  clients::AnswererContext parts = parts_of(flags, context, clock, std::move(served), model.price);
  parts.fit = model.fit;
  model.answerer = clients::make_answerer(model.spec, parts);
  return model;
}

OpenedGenerator open_generator(const ModelFlags& flags, const Context& context,
                               const Clock& clock) {
  ServedSpec served = served_spec_of(flags, context);
  OpenedGenerator model;
  model.spec = served.spec;
  model.price = price_of(flags, model.spec.name);
  model.generator = clients::make_generator(
      model.spec, parts_of(flags, context, clock, std::move(served), model.price));
  return model;
}

}  // namespace contra4::apps
