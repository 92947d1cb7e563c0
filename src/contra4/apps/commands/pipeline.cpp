#include "contra4/apps/commands/pipeline.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/command_text.h"
#include "contra4/apps/commands/balance.h"
#include "contra4/apps/commands/categorize.h"
#include "contra4/apps/commands/filter.h"
#include "contra4/apps/commands/generate.h"
#include "contra4/apps/commands/sample.h"
#include "contra4/apps/commands/verify.h"
#include "contra4/apps/output.h"
#include "contra4/base/suggest.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/inference/service_settings.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/yaml.h"
#include "contra4/pipeline/filter.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"
#include "contra4/report/dataset_folder.h"
#include "contra4/report/table.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path config;
  std::optional<fs::path> output_dir;
  std::optional<std::string> until;
  bool overwrite = false;
  bool dry_run = false;
  bool json = false;
};

enum class Runs { kPerStrategy, kOnce };

struct Step {
  std::string_view name;  // of the command and of its section
  AddCommand add;
  Runs runs;
};

// In their order.
constexpr std::array kSteps = {
    Step{"sample", add_sample_command, Runs::kPerStrategy},
    Step{"generate", add_generate_command, Runs::kPerStrategy},
    Step{"verify", add_verify_command, Runs::kPerStrategy},
    Step{"filter", add_filter_command, Runs::kOnce},
    Step{"balance", add_balance_command, Runs::kOnce},
    Step{"categorize", add_categorize_command, Runs::kPerStrategy},
};

// What stands at the top of the configuration, for all steps.
struct Config {
  std::string file;
  io::JsonValue json;
  fs::path output_dir = "data";
  std::string split = "test";
  std::vector<std::string> strategies = {"random", "similarity"};
  std::optional<std::int64_t> seed;
  report::DatasetInfo dataset;

  // Null when the step is to take its defaults.
  const io::JsonValue* section(std::string_view step) const { return json.find(step); }
  bool leaves_out(std::string_view step) const {
    const io::JsonValue* const value = section(step);
    return value != nullptr && value->find_bool() == false;
  }
};

[[noreturn]] void refuse(const Config& config, const std::string& what) {
  throw UsageError(fmt::format("{}: {}", config.file, what));
}

std::string text_at(const Config& config, std::string_view name, const io::JsonValue& value) {
  const std::string* const text = value.find_string();
  if (text == nullptr || text->empty()) refuse(config, fmt::format("'{}' is to be a text", name));
  return *text;
}

std::vector<std::string> strategies_at(const Config& config, const io::JsonValue& value) {
  std::vector<std::string> names;
  if (const io::JsonValue::Array* const list = value.find_array()) {
    for (const io::JsonValue& entry : *list) {
      names.push_back(text_at(config, "strategies", entry));
    }
  } else {
    names.push_back(text_at(config, "strategies", value));
  }
  for (const std::string& name : names) {
    if (!pipeline::parse_strategy(name)) {
      refuse(config, fmt::format("no strategy '{}': random and similarity are there", name));
    }
  }
  if (names.empty() || std::set(names.begin(), names.end()).size() != names.size()) {
    refuse(config, "'strategies' names each strategy once");
  }
  return names;
}

Config read_config(const Flags& flags) {
  Config config;
  config.file = flags.config.string();
  config.json = io::read_yaml_file(flags.config);
  if (!config.json.is_object()) {
    refuse(config, "expected one 'name: value' a line, as the example in --help has them");
  }
  std::vector<std::string> known = {"output-dir", "split", "strategies", "seed", "dataset"};
  for (const Step& step : kSteps) known.emplace_back(step.name);
  for (const auto& [key, value] : *config.json.find_object()) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', '-');
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto nearest = find_nearest(name, known);
      refuse(config, fmt::format("no setting '{}'{}", key,
                                 nearest ? fmt::format("; is {} meant?", *nearest) : ""));
    }
    if (name == "output-dir") config.output_dir = text_at(config, key, value);
    if (name == "split") config.split = text_at(config, key, value);
    if (name == "strategies") config.strategies = strategies_at(config, value);
    if (name == "seed") {
      config.seed = value.find_integer();
      if (!config.seed || *config.seed < 0) refuse(config, "'seed' is a whole number from 0");
    }
    if (name == "dataset") config.dataset = report::parse_dataset_info(value, config.file);
  }
  if (flags.output_dir) config.output_dir = *flags.output_dir;
  return config;
}

// A step ready to run: its flags are parsed.
struct PreparedStep {
  std::string_view name;
  std::string strategy;  // empty: of all
  std::vector<std::string> arguments;
  std::set<std::string> typed_flags;
  std::unique_ptr<CLI::App> app;
  RunCommand run;

  std::string title() const {
    return strategy.empty() ? std::string(name) : fmt::format("{}, {}", name, strategy);
  }
};

// The models that verify asks, by their names in files: "llama" of "llama=openai/...".
std::vector<std::string> verified_models(std::span<const PreparedStep> steps) {
  std::vector<std::string> names;
  for (const PreparedStep& step : steps) {
    if (step.name != "verify" || !names.empty()) continue;
    for (const std::string& text : step.app->get_option("--model")->results()) {
      names.push_back(verified_model_name(text));
    }
  }
  return names;
}

// `earlier`: the steps before it, ready.
PreparedStep prepare(const Step& step, const std::string& strategy, const Config& config,
                     const Flags& flags, std::span<const PreparedStep> earlier) {
  PreparedStep prepared;
  prepared.name = step.name;
  prepared.strategy = strategy;
  prepared.app = std::make_unique<CLI::App>();
  CLI::App& app = *prepared.app;
  app.set_help_flag();
  prepared.run = step.add(app);

  auto& arguments = prepared.arguments;
  if (step.runs == Runs::kPerStrategy) {
    arguments.push_back("--strategy=" + strategy);
  } else {
    arguments.push_back(fmt::format("--strategies={}", fmt::join(config.strategies, ",")));
  }
  arguments.push_back("--split=" + config.split);
  arguments.push_back("--output-dir=" + config.output_dir.string());
  if (flags.overwrite) arguments.emplace_back("--overwrite");

  const io::JsonValue* const section = config.section(step.name);
  const bool is_set = section != nullptr && section->is_object();
  if (section != nullptr && !is_set && !section->is_null()) {
    refuse(config,
           fmt::format("'{}' holds flags of that command, or false to leave it out", step.name));
  }
  if (is_set) {
    for (const char* name : {"strategy", "strategies", "split", "output-dir", "output_dir",
                             "overwrite", "dry-run", "dry_run", "json", "shard"}) {
      if (section->find(name) == nullptr) continue;
      refuse(config, fmt::format("'{}' is no setting of {} here: the whole pipeline has one", name,
                                 step.name));
    }
    auto from_config =
        arguments_of_config(app, *section, {}, fmt::format("{}: {}", config.file, step.name));
    std::move(from_config.begin(), from_config.end(), std::back_inserter(arguments));
  }
  if (config.seed && app.get_option_no_throw("--seed") != nullptr &&
      (!is_set || section->find("seed") == nullptr)) {
    arguments.push_back(fmt::format("--seed={}", *config.seed));
  }
  if (step.name == "filter" && (!is_set || section->find("models") == nullptr)) {
    const auto models = verified_models(earlier);
    if (!models.empty()) arguments.push_back(fmt::format("--models={}", fmt::join(models, ",")));
  }
  try {
    parse_arguments(app, arguments, prepared.typed_flags);
  } catch (const UsageError& error) {
    refuse(config, fmt::format("{}: {}", step.name, error.what()));
  }
  return prepared;
}

// All flags are parsed before anything runs: a mistake in the last section shows at once.
std::vector<PreparedStep> prepare_all(const Config& config, const Flags& flags) {
  std::vector<PreparedStep> steps;
  for (const Step& step : kSteps) {
    if (!config.leaves_out(step.name)) {
      if (step.runs == Runs::kOnce) {
        steps.push_back(prepare(step, "", config, flags, steps));
      } else {
        for (const std::string& strategy : config.strategies) {
          steps.push_back(prepare(step, strategy, config, flags, steps));
        }
      }
    } else if (step.name != "categorize") {
      refuse(config, fmt::format("'{}' cannot be left out, only categorize can", step.name));
    }
    if (flags.until == step.name) break;
  }
  return steps;
}

pipeline::StepFiles files_of(const Config& config, const std::string& strategy) {
  return {.folder = config.output_dir, .strategy = strategy, .split = config.split};
}

// The manifests of a strategy's steps, in their order; those that are there.
std::vector<pipeline::Manifest> manifests_of(const Config& config, const std::string& strategy,
                                             std::span<const std::string> models) {
  const pipeline::StepFiles files = files_of(config, strategy);
  std::vector<fs::path> outputs = {files.tuples(), files.questions(), files.answered()};
  if (!models.empty()) outputs.push_back(files.answers_of(models.front()));
  outputs.push_back(pipeline::filter_stage_output(files));
  outputs.push_back(files.balanced());
  if (!config.leaves_out("categorize")) outputs.push_back(files.categorized());
  std::vector<pipeline::Manifest> manifests;
  for (const fs::path& output : outputs) {
    if (auto manifest = pipeline::find_manifest(output)) manifests.push_back(std::move(*manifest));
  }
  return manifests;
}

// What a step's file knows beside the question (replies of models, orders) stays there.
Item published_item(Item item) {
  item.extra.clear();
  for (Scene& scene : item.scenes) {
    if (scene.captions.size() > 1) scene.captions.resize(1);
    scene.captions_were_list = false;
  }
  return item;
}

// All strategies in one file, as the README of the published set lays it out.
fs::path write_questions(const Config& config, const std::stop_token& stop) {
  fs::path path = config.output_dir / fmt::format("filters_{}", config.split) /
                  fmt::format("all_{}.jsonl", config.split);
  const auto writer = data::create_items(path, data::Schema::kReadme);
  for (const std::string& strategy : config.strategies) {
    const pipeline::StepFiles files = files_of(config, strategy);
    const bool is_categorized = !config.leaves_out("categorize");
    const fs::path last =
        pipeline::find_step_file(is_categorized ? files.categorized() : files.balanced(),
                                 is_categorized ? "contra4 categorize" : "contra4 balance");
    const auto reader = data::open_items(last);
    while (auto item = reader->next()) {
      if (stop.stop_requested()) {
        throw Exception(ErrorCode::kCancelled, "interrupted; all steps are done");
      }
      writer->write(published_item(std::move(*item).value()));
    }
  }
  writer->commit();
  return path;
}

report::Table counts_table(std::span<const report::StrategySteps> strategies) {
  report::Table table;
  table.columns = {{"step", report::Align::kLeft}};
  std::vector<std::pair<std::string, std::string>> names;  // stage, count
  for (const report::StrategySteps& steps : strategies) {
    table.columns.push_back({steps.strategy, report::Align::kRight});
    for (const pipeline::Manifest& manifest : steps.manifests) {
      for (const auto& [count, unused] : manifest.counts) {
        const std::pair name(manifest.stage, count);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
  }
  std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
    const auto place = [](const std::string& stage) {
      return std::find_if(kSteps.begin(), kSteps.end(),
                          [&](const Step& step) { return step.name == stage; });
    };
    return place(a.first) < place(b.first);
  });
  for (const auto& [stage, count] : names) {
    report::Row row;
    row.cells = {fmt::format("{}: {}", stage, count)};
    for (const report::StrategySteps& steps : strategies) {
      std::string cell;
      for (const pipeline::Manifest& manifest : steps.manifests) {
        if (manifest.stage != stage) continue;
        for (const auto& [name, value] : manifest.counts) {
          if (name == count) cell = grouped(value);
        }
      }
      row.cells.push_back(cell);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What the data set was made with: neither where the servers are nor where the files went.
io::JsonValue told_settings(const io::JsonValue& config) {
  return io::without_members(config, [](std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '-', '_');
    return is_service_setting(name) || name == "output_dir" || name.ends_with("_concurrency") ||
           name == "engine_args";
  });
}

std::string outcome_json(std::span<const report::StrategySteps> strategies, const fs::path& folder,
                         const report::DatasetFolderOutcome& outcome) {
  io::JsonWriter json(2);
  json.begin_object().member("dataset", folder.string()).member("items", outcome.num_items);
  json.key("steps").begin_object();
  for (const report::StrategySteps& steps : strategies) {
    json.key(steps.strategy).begin_array();
    for (const pipeline::Manifest& manifest : steps.manifests) {
      json.begin_object().member("stage", manifest.stage).key("counts").begin_object();
      for (const auto& [name, count] : manifest.counts) json.member(name, count);
      json.end_object().end_object();
    }
    json.end_array();
  }
  json.end_object().key("notes").begin_array();
  for (const std::string& note : outcome.notes) json.value(note);
  json.end_array().end_object();
  return json.take() + "\n";
}

int finish(const Config& config, const Flags& flags, std::span<const PreparedStep> steps,
           Context& context) {
  const auto models = verified_models(steps);
  std::vector<report::StrategySteps> strategies;
  for (const std::string& strategy : config.strategies) {
    strategies.push_back({strategy, manifests_of(config, strategy, models)});
  }
  const fs::path folder = config.output_dir / "dataset";
  report::DatasetFolderOptions options;
  options.folder = folder;
  options.info = config.dataset;
  options.splits = {{config.split, write_questions(config, context.stop)}};
  options.steps = strategies;
  options.config_json = io::compact_json(told_settings(config.json));
  const auto outcome = report::write_dataset_folder(options, context.stop);
  if (flags.json) {
    write_result(context, {}, outcome_json(strategies, folder, outcome));
    return kExitDone;
  }
  std::string page = report::to_terminal(counts_table(strategies), context.colors_out());
  page +=
      fmt::format("\n{} in {}\n", counted(static_cast<std::int64_t>(outcome.num_items), "question"),
                  folder.string());
  for (const std::string& note : outcome.notes) page += fmt::format("note: {}\n", note);
  page += fmt::format("card: {}\npicture of the counts: {}\n", (folder / "README.md").string(),
                      (folder / "funnel.svg").string());
  write_result(context, {}, page);
  return kExitDone;
}

int run_pipeline(const Flags& flags, Context& context) {
  const Config config = read_config(flags);
  const auto steps = prepare_all(config, flags);
  if (flags.dry_run) {
    std::string text;
    for (const PreparedStep& step : steps) {
      std::vector<std::string> line = {std::string(step.name)};
      line.insert(line.end(), step.arguments.begin(), step.arguments.end());
      text += command_text(line) + "\n";
    }
    write_result(context, {}, text);
    return kExitDone;
  }
  std::size_t number = 0;
  for (const PreparedStep& step : steps) {
    if (context.stop.stop_requested()) {
      throw Exception(ErrorCode::kCancelled,
                      "interrupted; what was done is kept, and the same command goes on");
    }
    if (!context.quiet) {
      context.err << fmt::format("[{}/{}] {}", ++number, steps.size(), step.title()) << std::endl;
    }
    // Results of a step are words here; standard output is for the page at the end.
    Context inner{context.err, context.err, context.environment, context.stop};
    inner.err_is_terminal = context.err_is_terminal;
    inner.quiet = context.quiet;
    inner.verbose = context.verbose;
    inner.command_line = {std::string(step.name)};
    inner.command_line.insert(inner.command_line.end(), step.arguments.begin(),
                              step.arguments.end());
    inner.typed_flags = step.typed_flags;
    inner.when_changed = pipeline::WhenChanged::kRedo;
    const int code = step.run(inner);
    if (code != kExitDone) return code;
  }
  if (flags.until && *flags.until != kSteps.back().name) return kExitDone;
  return finish(config, flags, steps, context);
}

}  // namespace

RunCommand add_pipeline_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Makes a data set from captions: samples scenes, lets models write questions and answers, "
      "keeps what other models answer the same in every order, filters, balances, categorizes, and "
      "writes a folder with its card. An interrupted run goes on when the same command is given "
      "again; a changed setting redoes what depends on it and nothing else.");
  app.add_option("config", flags->config,
                 "YAML: output-dir, split, strategies, seed, dataset (what the card says), and a "
                 "section of flags for each of sample, generate, verify, filter, balance, "
                 "categorize")
      ->type_name("CONFIG.yaml")
      ->required();
  app.add_option("--output-dir", flags->output_dir, "instead of the configuration's")
      ->type_name("DIR");
  std::vector<std::string> names;
  for (const Step& step : kSteps) names.emplace_back(step.name);
  app.add_option("--until", flags->until, "end after that step")
      ->type_name("STEP")
      ->transform(one_of(names));
  app.add_flag("--overwrite", flags->overwrite, "start anew, whatever was done");
  app.add_flag("--dry-run", flags->dry_run,
               "print the command of each step, for instance to run one as a job array");
  app.add_flag("--json", flags->json, "counts as JSON on standard output instead of a table");
  app.footer(
      "Example of a configuration:\n"
      "  output-dir: data/mine\n"
      "  sample: {n-samples: 2000, raw-data: raw_data}\n"
      "  generate: {model-id: meta-llama/Meta-Llama-3-8B, base-url: http://gpu1:8000/v1}\n"
      "  verify:\n"
      "    model: [llama=meta-llama/Llama-3.1-8B-Instruct, phi=microsoft/Phi-3-medium]\n"
      "    base-url: http://gpu2:8000/v1\n"
      "  balance: {by: [position, modality]}\n"
      "  categorize: {model-id: embed/minilm}\n"
      "  dataset: {name: mine, license: cc-by-4.0}\n"
      "\n"
      "Without any server: generate {model-id: rules}, verify {model: [minilm=embed/minilm,\n"
      "bm25=lexical/bm25]}; such a set is marked as not for publication.");
  return [flags](Context& context) { return run_pipeline(*flags, context); };
}

}  // namespace contra4::apps
