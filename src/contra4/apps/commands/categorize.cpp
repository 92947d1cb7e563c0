#include "contra4/apps/commands/categorize.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/model_flags.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/step_flags.h"
#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/data/item_reader.h"
#include "contra4/inference/torch_loader.h"
#include "contra4/pipeline/categorize.h"
#include "contra4/pipeline/category_agreement.h"
#include "contra4/pipeline/embedding_store.h"
#include "contra4/report/table.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEmbedding = "embed/minilm";

struct Flags {
  StepFlags step;
  ModelFlags model;
  std::optional<fs::path> taxonomy;
  std::optional<fs::path> prompts;
  bool free_text = false;
  int max_attempts = 3;
  std::optional<fs::path> check;
};

// Where rows come from and go to.
struct Files {
  fs::path input;
  fs::path output;
};

Files files_of(const Flags& flags) {
  const pipeline::StepFiles files = flags.step.files().front();
  if (!flags.check) {
    return {pipeline::find_step_file(files.balanced(), "contra4 balance"), files.categorized()};
  }
  if (!fs::exists(*flags.check)) {
    throw Exception(ErrorCode::kNotFound, fmt::format("{} is not there", flags.check->string()));
  }
  const std::string name = data::dataset_name(*flags.check);
  return {*flags.check, flags.step.output_dir / "category_checks" / (name + files.suffix)};
}

pipeline::CategorizeOptions options_of(const Flags& flags) {
  pipeline::CategorizeOptions options;
  if (flags.taxonomy) {
    if (flags.free_text) throw UsageError("--free-text chooses from no --taxonomy");
    options.taxonomy = pipeline::read_taxonomy(*flags.taxonomy);
  }
  if (flags.prompts) options.prompts = pipeline::read_category_prompts(*flags.prompts);
  options.free_text = flags.free_text;
  options.max_attempts = flags.max_attempts;
  options.seed = flags.model.seed;
  const ModelFlags& model = flags.model;
  options.sampling.temperature = model.temperature.value_or(options.sampling.temperature);
  options.sampling.top_p = model.top_p.value_or(options.sampling.top_p);
  options.sampling.max_tokens = model.max_new_tokens.value_or(options.sampling.max_tokens);
  return options;
}

// What puts questions into categories; one of them is there.
struct Sorter {
  std::optional<OpenedGenerator> model;
  std::unique_ptr<pipeline::EmbeddingStore> embeddings;
};

Sorter open_sorter(const Flags& flags, const Context& context, const Clock& clock) {
  const bool is_by_default =
      flags.check && flags.model.model.empty() && flags.model.engines.empty();
  Sorter sorter;
  if (flags.model.model == kEmbedding || is_by_default) {
    if (flags.free_text) throw UsageError("--free-text needs a model that writes text");
    sorter.embeddings = std::make_unique<pipeline::EmbeddingStore>(
        [&context] {
          return open_torch_module().make_minilm({.folder = minilm_folder(context.environment)});
        },
        pipeline::EmbeddingStoreOptions{.folder = flags.step.output_dir / "embeddings",
                                        .description_json = {}});
  } else {
    sorter.model = open_generator(flags.model, context, clock);
  }
  return sorter;
}

std::string text_of(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) {
    for (const ContentPart& part : message.parts) text += part.text + "\n\n";
  }
  return text;
}

int dry_run(Context& context, const Files& files, const pipeline::CategorizeOptions& options,
            const Sorter& sorter) {
  std::int64_t count = 0;
  std::string question;
  const auto items = data::open_items(files.input, {}, data::Extras::kDrop);
  while (auto item = items->next()) {
    if (!*item) throw Exception(item->error());
    if (count++ == 0) question = (*item)->question;
  }
  std::string text = fmt::format("{}: {} to {}\n", files.input.string(), counted(count, "question"),
                                 files.output.string());
  if (sorter.model) {
    text += fmt::format("{}, more where a reply names no category\n\nThe first:\n\n{}",
                        counted(count, "request"),
                        text_of(pipeline::category_messages(options, question)));
  } else {
    text += fmt::format("by the nearest of {} categories, {}\n", options.taxonomy.categories.size(),
                        kEmbedding);
  }
  write_result(context, {}, text);
  return kExitDone;
}

pipeline::Stage open_stage(const Flags& flags, const Context& context, const Files& files,
                           const pipeline::CategorizeOptions& options, const Sorter& sorter) {
  pipeline::StageConfig config;
  config.stage = "categorize";
  config.settings_json =
      sorter.model
          ? pipeline::settings_json(options, sorter.model->generator->description_json())
          : pipeline::settings_json(options.taxonomy, sorter.embeddings->description_json());
  config.inputs = {{"balanced", files.input}};
  // A check is there to be looked at, not to be kept.
  const auto when = flags.check && !flags.step.overwrite ? pipeline::WhenChanged::kRedo
                                                         : when_changed(flags.step, context);
  return pipeline::Stage::open({files.output}, config, when);
}

std::string percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.1f}", 100 * share);
}

report::Table shares_table(const pipeline::CategoryAgreement& agreement) {
  report::Table table;
  table.columns = {{"category", report::Align::kLeft},
                   {"in the file"},
                   {"chosen"},
                   {"agreed"},
                   {"recall %"},
                   {"precision %"}};
  for (std::size_t i = 0; i < agreement.names.size(); ++i) {
    table.rows.push_back(
        {.cells = {agreement.names[i], grouped(agreement.given(i)), grouped(agreement.chosen(i)),
                   grouped(agreement.counts[i][i]), percent(agreement.recall(i)),
                   percent(agreement.precision(i))}});
  }
  return table;
}

// "1" to "9" as titles: the names are in the rows.
report::Table confusion_table(const pipeline::CategoryAgreement& agreement) {
  report::Table table;
  table.columns = {{"in the file \\ chosen", report::Align::kLeft}};
  for (std::size_t i = 0; i < agreement.names.size(); ++i) {
    table.columns.push_back({std::to_string(i + 1)});
  }
  table.columns.push_back({"none"});
  for (std::size_t i = 0; i < agreement.names.size(); ++i) {
    report::Row row;
    row.cells.push_back(fmt::format("{} {}", i + 1, agreement.names[i]));
    for (const std::int64_t count : agreement.counts[i]) row.cells.push_back(grouped(count));
    table.rows.push_back(std::move(row));
  }
  return table;
}

void show_agreement(Context& context, const Flags& flags, const Files& files,
                    const pipeline::CategorizeOptions& options) {
  std::vector<std::string> names;
  if (!options.free_text) {
    for (const auto& category : options.taxonomy.categories) names.push_back(category.name);
  }
  const auto agreement = pipeline::compare_categories(files.input, files.output, names);
  if (flags.step.json) {
    write_result(context, {}, to_json(agreement));
    return;
  }
  std::string text = fmt::format(
      "{} of {} agree: {}%; naming the commonest category always: {}%; kappa {:.3f}\n\n",
      grouped(agreement.agreed), grouped(agreement.total), percent(agreement.agreement()),
      percent(agreement.commonest_share()), agreement.kappa());
  text += report::to_terminal(shares_table(agreement), context.colors_out()) + "\n";
  text += report::to_terminal(confusion_table(agreement), context.colors_out());
  write_result(context, {}, text);
}

int run_categorize(const Flags& flags, Context& context) {
  const SystemClock clock;
  const auto options = options_of(flags);
  const Sorter sorter = open_sorter(flags, context, clock);
  const Files files = files_of(flags);
  if (flags.step.dry_run) return dry_run(context, files, options, sorter);

  auto stage = open_stage(flags, context, files, options, sorter);
  // The agreement is the result of a check, not the counts.
  StepFlags told = flags.step;
  told.json = flags.step.json && !flags.check;
  int code = kExitDone;
  if (stage.is_done()) {
    code = report_done(context, told, stage);
  } else {
    const auto outcome = [&] {
      ProgressLine line(context, clock);
      const auto show = [&line](const pipeline::StepProgress& progress) { line.update(progress); };
      return sorter.model
                 ? pipeline::categorize_by_model(stage, files.input, *sorter.model->generator,
                                                 options, show, context.stop)
                 : pipeline::categorize_by_embedding(stage, files.input, *sorter.embeddings,
                                                     options.taxonomy, show, context.stop);
    }();
    code = report_step(context, told, "categorize", stage.output(), outcome);
  }
  if (flags.check && stage.is_done()) show_agreement(context, flags, files, options);
  return code;
}

}  // namespace

RunCommand add_categorize_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Says which category of a taxonomy each balanced question belongs to, by a language model or "
      "by the nearest embedding. A question for which a model names none stays in the file without "
      "a category. An interrupted run goes on when the same command is given again.");
  app.add_option("--taxonomy", flags->taxonomy,
                 "YAML with the categories: name, description, examples "
                 "[default: the nine of the released test set]")
      ->type_name("FILE");
  app.add_flag("--free-text", flags->free_text,
               "the first line of the model's reply instead of a choice from the taxonomy");
  app.add_option("--prompts", flags->prompts, "folder with a category.yaml of your own")
      ->type_name("DIR");
  app.add_option("--max-attempts", flags->max_attempts,
                 "replies that name no category, after which a question stays without one")
      ->type_name("N")
      ->check(whole_number(1, 100))
      ->capture_default_str();
  app.add_option("--check", flags->check,
                 "put the questions of this data file into categories and say how far they agree "
                 "with those in it [default model: embed/minilm]")
      ->type_name("FILE");
  add_model_flags(app, flags->model, ModelUse::kWriting);
  add_step_flags(app, flags->step, StepUse::kOneStrategy, Sharding::kNo);
  app.footer(
      "Without --temperature, --top-p and --max-new-tokens: 0.3, 0.9 and 30.\n\n"
      "Examples:\n"
      "  contra4 categorize --strategy random --split test --model embed/minilm\n"
      "  contra4 categorize --model_id meta-llama/Llama-3.1-8B-Instruct --base-url "
      "http://localhost:8000/v1\n"
      "  contra4 categorize --engine vllm:Qwen/Qwen2.5-7B-Instruct --strategy similarity\n"
      "  contra4 categorize --check test.json");
  return [flags](Context& context) { return run_categorize(*flags, context); };
}

}  // namespace contra4::apps
