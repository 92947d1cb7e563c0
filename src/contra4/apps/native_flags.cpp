#include "contra4/apps/native_flags.h"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "contra4/apps/arguments.h"
#include "contra4/apps/environment.h"
#include "contra4/io/file.h"
#include "contra4/media/decoder.h"

namespace contra4::apps {

namespace {

constexpr int kMaxThreads = 1024;
constexpr std::uint64_t kMaxTemplateBytes = 1U << 20;

ComputeType compute_type_of(const std::string& name) {
  if (name == "float32" || name == "fp32") return ComputeType::kFloat32;
  if (name == "bf16" || name == "bfloat16") return ComputeType::kBFloat16;
  if (name == "fp16" || name == "float16") return ComputeType::kFloat16;
  return ComputeType::kAuto;
}

void add_content_flags(CLI::App& app, NativeFlags& flags) {
  app.add_flag("--compat", flags.compat,
               "as published, defects included: for comparing with published figures");
  app.add_option("--prompt-template", flags.prompt_template,
                 "with {question} and {choices} [default: the model's]")
      ->type_name("FILE|TEXT");
  app.add_option("--text-budget", flags.text_budget,
                 "tokens of a prompt without its scenes; a longer question loses its end [default: "
                 "no bound]")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000));
  app.add_option("--tokenizer", flags.tokenizer, "tokenizer.model [default: beside the checkpoint]")
      ->type_name("FILE");
  app.add_option("--llama-config", flags.llama_config,
                 "params.json, the sizes of the language model [default: beside the checkpoint, "
                 "else those of 7B]")
      ->type_name("FILE");
  app.add_option("--pretrained-path", flags.pretrained_path,
                 "as --model onellm/PATH: the published spelling")
      ->type_name("PATH");
}

void add_computing_flags(CLI::App& app, NativeFlags& flags) {
  app.add_option("--dtype", flags.dtype,
                 "auto, float32, bf16 or fp16 [default: auto: bf16 on a GPU, float32 on a CPU]")
      ->type_name("TYPE")
      ->transform(one_of({"auto", "float32", "fp32", "bf16", "bfloat16", "fp16", "float16"}));
  app.add_option("--device", flags.device,
                 "auto, cpu, cuda, cuda:1, or cuda:0,1: layers spread over both [default: auto: a "
                 "GPU where there is one]")
      ->type_name("DEVICE");
  app.add_option("--threads", flags.threads, "that compute on a CPU [default: all cores]")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  app.add_option("--decoders", flags.decoders,
                 "threads that read and decode media meanwhile [default: half of --threads]")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  app.add_option("--batch-size", flags.batch_size,
                 "questions computed at once, also as --bs [default: what suits the device]")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  app.add_option("--feature-store", flags.feature_store,
                 "folder that keeps encoded media for later runs and other processes [default: "
                 "features in the cache folder, CONTRA4_CACHE]")
      ->type_name("DIR");
  app.add_flag("--no-feature-store", flags.no_feature_store, "keep none on disk");
}

}  // namespace

std::string NativeFlags::first_given() const {
  const std::pair<bool, const char*> given[] = {
      {compat, "--compat"},
      {prompt_template.has_value(), "--prompt-template"},
      {text_budget.has_value(), "--text-budget"},
      {tokenizer.has_value(), "--tokenizer"},
      {llama_config.has_value(), "--llama-config"},
      {pretrained_path.has_value(), "--pretrained-path"},
      {dtype.has_value(), "--dtype"},
      {device.has_value(), "--device"},
      {threads.has_value(), "--threads"},
      {decoders.has_value(), "--decoders"},
      {batch_size.has_value(), "--batch-size"},
      {feature_store.has_value(), "--feature-store"},
      {no_feature_store, "--no-feature-store"},
  };
  const auto* const first =
      std::find_if(std::begin(given), std::end(given), [](const auto& flag) { return flag.first; });
  return first == std::end(given) ? "" : first->second;
}

void add_native_flags(CLI::App& app, NativeFlags& flags) {
  app.option_defaults()->group("Native models");
  add_content_flags(app, flags);
  add_computing_flags(app, flags);
}

std::vector<std::string> parse_devices(const std::string& text) {
  if (text == "auto") return {};
  std::vector<std::string> devices;
  std::string rest = text + ",";
  while (!rest.empty()) {
    std::string name = rest.substr(0, rest.find(','));
    rest.erase(0, name.size() + 1);
    const bool is_number =
        !name.empty() &&
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_number && !devices.empty() && devices.front().starts_with("cuda:")) {
      name.insert(0, "cuda:");
    }
    const bool is_gpu = name.starts_with("cuda:") && name.size() > 5 &&
                        std::all_of(name.begin() + 5, name.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (name != "cpu" && name != "cuda" && !is_gpu) {
      throw UsageError(fmt::format(
          "--device '{}': expected auto, cpu, cuda, cuda:1 or several GPUs as cuda:0,1", text));
    }
    devices.push_back(std::move(name));
  }
  return devices;
}

std::string read_prompt_template(const std::string& given) {
  std::error_code ignored;
  const bool is_file = std::filesystem::is_regular_file(given, ignored);
  std::string text = is_file ? io::read_file(given, kMaxTemplateBytes) : given;
  if (is_file && text.ends_with('\n')) text.pop_back();  // an editor's
  if (text.find("{question}") == std::string::npos) {
    throw UsageError(is_file
                         ? fmt::format("--prompt-template {}: no {{question}} in it", given)
                         : "--prompt-template: neither a file nor a text with {question} in it");
  }
  return text;
}

int default_threads(const std::optional<Worker>& worker) {
  if (!worker || worker->local_size <= 1) return 0;
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, cores / worker->local_size);
}

NativeModelOptions native_options(const NativeFlags& flags, const Context& context) {
  if (flags.feature_store && flags.no_feature_store) {
    throw UsageError("--feature-store and --no-feature-store contradict each other");
  }
  const auto worker = find_worker(context.environment);
  NativeModelOptions options;
  options.is_compat = flags.compat;
  options.config = flags.llama_config.value_or("");
  options.tokenizer = flags.tokenizer.value_or("");
  if (flags.prompt_template) options.prompt_template = read_prompt_template(*flags.prompt_template);
  options.max_text_tokens = flags.text_budget.value_or(0);
  options.compute_type = compute_type_of(flags.dtype.value_or("auto"));
  options.devices = parse_devices(flags.device.value_or("auto"));
  options.preferred_gpu = worker ? worker->local_rank : 0;
  options.num_threads = flags.threads ? *flags.threads : default_threads(worker);
  options.num_decoders = flags.decoders.value_or(0);
  options.batch_size = flags.batch_size.value_or(0);
  if (!flags.no_feature_store) {
    options.feature_store =
        flags.feature_store.value_or(cache_folder(context.environment) / "features");
  }
  options.tell = [&context](const std::string& words) {
    if (!context.quiet) context.err << words << std::endl;
  };
  return options;
}

}  // namespace contra4::apps
