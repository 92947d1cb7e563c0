#include "contra4/apps/commands/sample.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/environment.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/step_flags.h"
#include "contra4/base/hash.h"
#include "contra4/base/python_random.h"
#include "contra4/base/random.h"
#include "contra4/inference/torch_loader.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/embedding_store.h"
#include "contra4/pipeline/sampler.h"
#include "contra4/pipeline/sources.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPublishedSamples = 30'000;
constexpr std::size_t kPublishedTopK = 30;

struct Flags {
  StepFlags step;
  std::int64_t n_samples = kPublishedSamples;
  std::optional<std::int64_t> total;
  std::string seed = "123";
  std::optional<fs::path> raw_data;
  std::vector<fs::path> sources;
  std::vector<fs::path> exclude;
  std::vector<std::string> modalities;
  std::vector<std::string> combinations;
  std::vector<int> num_scenes;
  std::vector<std::string> weights;
  std::size_t top_k = kPublishedTopK;
  std::optional<double> max_similarity;
  std::optional<double> min_similarity;
  std::optional<std::int64_t> limit_per_source;
  std::optional<fs::path> embeddings;
  bool no_same_medium = false;
  bool allow_same_medium = false;
  bool skip_bad_rows = false;
  bool compat = false;
};

void check_flags(const Flags& flags) {
  if (const auto seed = PythonRandom::seeded(flags.seed); !seed) {
    throw UsageError("--seed: " + seed.error().message);
  }
  if (flags.no_same_medium && flags.allow_same_medium) {
    throw UsageError("--no-same-medium and --allow-same-medium contradict each other");
  }
  if (flags.max_similarity && flags.min_similarity &&
      *flags.max_similarity < *flags.min_similarity) {
    throw UsageError("--max-similarity is below --min-similarity: no caption can be both");
  }
  if (!flags.combinations.empty() && (!flags.modalities.empty() || !flags.num_scenes.empty())) {
    throw UsageError("--combinations says all that --modalities and --num-scenes could");
  }
  if (!flags.compat) return;
  const std::pair<bool, const char*> others[] = {
      {!flags.sources.empty(), "--sources"},
      {!flags.exclude.empty(), "--exclude"},
      {!flags.modalities.empty(), "--modalities"},
      {!flags.combinations.empty(), "--combinations"},
      {!flags.num_scenes.empty(), "--num-scenes"},
      {!flags.weights.empty(), "--modality-weights"},
      {flags.total.has_value(), "--total"},
      {flags.top_k != kPublishedTopK, "--top-k"},
      {flags.max_similarity.has_value(), "--max-similarity"},
      {flags.min_similarity.has_value(), "--min-similarity"},
      {flags.limit_per_source.has_value(), "--limit-per-source"},
      {flags.no_same_medium, "--no-same-medium"},
      {flags.skip_bad_rows, "--skip-bad-rows"}};
  for (const auto& [is_used, name] : others) {
    if (is_used) {
      throw UsageError(
          fmt::format("--compat draws as the published script does, which knows no {}", name));
    }
  }
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? word : std::string(between) + word;
  }
  return text;
}

struct Corpora {
  pipeline::FoundSources found;
  fs::path raw_data;  // empty: only --sources
};

Corpora find_corpora(const Flags& flags) {
  Corpora corpora;
  for (const fs::path& file : flags.sources) {
    auto found = pipeline::read_sources_file(file, flags.step.split);
    std::move(found.specs.begin(), found.specs.end(), std::back_inserter(corpora.found.specs));
    std::move(found.missing.begin(), found.missing.end(),
              std::back_inserter(corpora.found.missing));
  }
  if (flags.raw_data || flags.sources.empty()) {
    corpora.raw_data = flags.raw_data.value_or("raw_data");
    auto found = pipeline::find_published_sources(corpora.raw_data, flags.step.split);
    std::move(found.specs.begin(), found.specs.end(), std::back_inserter(corpora.found.specs));
    std::move(found.missing.begin(), found.missing.end(),
              std::back_inserter(corpora.found.missing));
  }
  if (corpora.found.specs.empty()) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("no captions for the split {}{}: none of these is there: {}", flags.step.split,
                    corpora.raw_data.empty() ? "" : " below " + corpora.raw_data.string(),
                    joined(corpora.found.missing, ", ")));
  }
  if (flags.limit_per_source) {
    for (auto& spec : corpora.found.specs) spec.limit = *flags.limit_per_source;
  }
  return corpora;
}

std::vector<Modality> named_modalities(const Flags& flags) {
  std::vector<Modality> modalities;
  for (const std::string& word : flags.modalities) {
    const auto modality = parse_modality(word);
    if (!modality) {
      throw UsageError(fmt::format(
          "--modalities {}: no such modality; audio, pc, image and video are known", word));
    }
    modalities.push_back(*modality);
  }
  std::sort(modalities.begin(), modalities.end());
  modalities.erase(std::unique(modalities.begin(), modalities.end()), modalities.end());
  return modalities;
}

pipeline::ModalityWeights weights_of(const Flags& flags) {
  pipeline::ModalityWeights weights;
  weights.fill(1);
  for (const std::string& text : flags.weights) {
    const auto equals = text.find('=');
    const auto modality = parse_modality(std::string_view(text).substr(0, equals));
    double weight = -1;
    if (equals != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto parsed = std::from_chars(text.data() + equals + 1, end, weight);
      if (parsed.ec != std::errc() || parsed.ptr != end) weight = -1;
    }
    if (!modality || !(weight >= 0) || !std::isfinite(weight)) {
      throw UsageError(fmt::format(
          "--modality-weights {}: MODALITY=NUMBER is wanted, as in image=2 or audio=0.5", text));
    }
    weights[static_cast<std::size_t>(*modality)] = weight;
  }
  return weights;
}

// Which combinations are made: what was named, or all that there are captions for.
std::vector<pipeline::Combination> combinations_of(const Flags& flags,
                                                   const std::vector<Modality>& available) {
  std::vector<pipeline::Combination> combinations;
  for (const std::string& text : flags.combinations) {
    const auto combination = pipeline::parse_combination(text);
    if (!combination) throw UsageError("--combinations: " + combination.error().message);
    if (std::find(combinations.begin(), combinations.end(), *combination) != combinations.end()) {
      throw UsageError(
          fmt::format("--combinations names {} twice", pipeline::combination_name(*combination)));
    }
    combinations.push_back(*combination);
  }
  if (combinations.empty()) {
    auto modalities = named_modalities(flags);
    if (flags.compat) modalities.assign(kModalities.begin(), kModalities.end());
    if (modalities.empty()) modalities = available;
    combinations = pipeline::combinations_of(modalities);
    std::erase_if(combinations, [&](const pipeline::Combination& combination) {
      const auto& sizes = flags.num_scenes;
      return !sizes.empty() && std::find(sizes.begin(), sizes.end(),
                                         static_cast<int>(combination.size())) == sizes.end();
    });
    if (combinations.empty()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{} of the modalities {} captions, which is not enough for a "
                                  "tuple; two scenes of one modality are --combinations "
                                  "image+image",
                                  modalities.size(), modalities.size() == 1 ? "has" : "have"));
    }
  }
  return combinations;
}

void require_available(const std::vector<pipeline::Combination>& combinations,
                       const std::vector<Modality>& available, const Corpora& corpora) {
  for (const auto& combination : combinations) {
    for (const Modality modality : combination) {
      if (std::find(available.begin(), available.end(), modality) != available.end()) continue;
      throw Exception(ErrorCode::kNotFound,
                      fmt::format("no captions of the modality {}, which {} needs{}",
                                  to_string(modality), pipeline::combination_name(combination),
                                  corpora.found.missing.empty()
                                      ? ""
                                      : "; not there: " + joined(corpora.found.missing, ", ")));
    }
  }
}

std::vector<Modality> available_modalities(const Corpora& corpora) {
  std::vector<Modality> available;
  for (const Modality modality : kModalities) {
    const bool is_there = std::any_of(corpora.found.specs.begin(), corpora.found.specs.end(),
                                      [&](const auto& spec) { return spec.modality == modality; });
    if (is_there) available.push_back(modality);
  }
  return available;
}

pipeline::SampleOptions options_of(const Flags& flags, const Corpora& corpora) {
  pipeline::SampleOptions options;
  options.strategy = *pipeline::parse_strategy(flags.step.strategies.front());
  options.split = flags.step.split;
  options.seed = flags.seed;
  options.top_k = flags.top_k;
  options.max_similarity = flags.max_similarity;
  options.min_similarity = flags.min_similarity;
  options.allow_same_medium = flags.allow_same_medium;
  options.shard = flags.step.files().front().shard;
  options.compat = flags.compat;
  const auto available = available_modalities(corpora);
  const auto combinations = combinations_of(flags, available);
  require_available(combinations, available, corpora);
  options.plans =
      pipeline::plan_combinations(combinations, flags.n_samples, flags.total, weights_of(flags));
  return options;
}

std::string settings_json(const Flags& flags, const pipeline::SampleOptions& options,
                          const pipeline::SampleTools& tools,
                          const std::vector<pipeline::LoadedSource>& sources) {
  io::JsonWriter json;
  json.begin_object();
  json.member("strategy", to_string(options.strategy));
  json.member("split", options.split);
  json.member("seed", options.seed);
  json.member("compat", options.compat);
  json.key("combinations").begin_object();
  for (const auto& plan : options.plans) {
    json.member(pipeline::combination_name(plan.modalities), plan.count);
  }
  json.end_object();
  if (pipeline::needs_embeddings(options)) {
    if (options.strategy == pipeline::Strategy::kSimilarity) json.member("top_k", options.top_k);
    json.key("embeddings").raw(tools.embeddings->description_json());
  }
  if (options.max_similarity) json.member("max_similarity", *options.max_similarity);
  if (options.min_similarity) json.member("min_similarity", *options.min_similarity);
  json.member("allow_same_medium", options.allow_same_medium);
  if (flags.limit_per_source) json.member("limit_per_source", *flags.limit_per_source);
  json.member("skip_bad_rows", flags.skip_bad_rows);
  json.key("sources").raw(pipeline::sources_json(sources));
  json.end_object();
  return json.take();
}

std::vector<pipeline::StageInput> inputs_of(const Flags& flags, const Corpora& corpora) {
  std::vector<pipeline::StageInput> inputs;
  const auto add = [&](const std::string& name, const fs::path& path) {
    const bool is_known = std::any_of(inputs.begin(), inputs.end(),
                                      [&](const auto& input) { return input.path == path; });
    if (!is_known) inputs.push_back({name, path});
  };
  for (std::size_t i = 0; i < flags.sources.size(); ++i) {
    add(i == 0 ? "sources" : fmt::format("sources {}", i + 1), flags.sources[i]);
  }
  for (const auto& spec : corpora.found.specs) {
    add(fmt::format("{}: {}", spec.name, spec.shown_file), spec.file);
    if (!spec.url_file.empty()) add("pages of objects", spec.url_file);
  }
  if (flags.compat) {
    add("training objects", pipeline::published_training_objects(corpora.raw_data));
  }
  for (std::size_t i = 0; i < flags.exclude.size(); ++i) {
    add(fmt::format("exclude {}", i + 1), flags.exclude[i]);
  }
  return inputs;
}

// Which entries of a source with a limit are kept. By default in the order of the file.
std::vector<std::uint64_t> choose_entries(const Flags& flags, const pipeline::SourceSpec& spec,
                                          std::uint64_t count, std::uint64_t limit) {
  if (flags.compat) return pipeline::published_training_draw(flags.seed, count);
  std::vector<std::uint64_t> indices(count);
  for (std::uint64_t i = 0; i < count; ++i) indices[i] = i;
  Random random(
      stable_hash64(fmt::format("sample/{}/limit/{}/{}", flags.seed, spec.name, spec.shown_file)));
  random.shuffle(indices);
  indices.resize(limit);
  std::sort(indices.begin(), indices.end());
  return indices;
}

struct Loaded {
  pipeline::Corpus corpus;
  std::vector<pipeline::LoadedSource> sources;
  pipeline::Counts counts;  // of what was left out
};

Loaded load(const Flags& flags, const Context& context, const Corpora& corpora,
            const pipeline::StepProgressCallback& progress) {
  pipeline::ExcludedMedia excluded;
  for (const fs::path& file : flags.exclude) excluded.add_file(file, context.stop);
  const pipeline::LoadOptions options{
      .choose = [&](const pipeline::SourceSpec& spec, std::uint64_t count,
                    std::uint64_t limit) { return choose_entries(flags, spec, count, limit); },
      .excluded = &excluded,
      .keep_without_caption = flags.compat,
      .skip_bad_rows = flags.skip_bad_rows,
      .progress = progress,
      .stop = context.stop};
  Loaded loaded;
  pipeline::LoadedSource sums;
  for (const auto& spec : corpora.found.specs) {
    loaded.sources.push_back(pipeline::load_source(spec, options, loaded.corpus));
    const auto& source = loaded.sources.back();
    sums.rows += source.rows;
    sums.bad_rows += source.bad_rows;
    sums.without_caption += source.without_caption;
    sums.excluded += source.excluded;
    sums.not_drawn += source.not_drawn;
  }
  loaded.counts.emplace_back("rows read", sums.rows);
  const std::pair<std::int64_t, const char*> left_out[] = {
      {sums.bad_rows, "wrong rows left out"},
      {sums.without_caption, "without caption"},
      {sums.excluded, "excluded"},
      {sums.not_drawn, "over the limit"}};
  for (const auto& [count, name] : left_out) {
    if (count > 0) loaded.counts.emplace_back(name, count);
  }
  return loaded;
}

std::vector<std::string> notes_of(const Corpora& corpora) {
  std::vector<std::string> notes;
  for (const std::string& name : corpora.found.missing) {
    notes.push_back(fmt::format("left out, because it is not there: {}", name));
  }
  return notes;
}

int dry_run(const Flags& flags, Context& context, const Corpora& corpora,
            const pipeline::SampleOptions& options) {
  std::string text;
  for (const auto& spec : corpora.found.specs) {
    text += fmt::format("reads  {} ({}, {})\n", spec.file.string(), to_string(spec.modality),
                        spec.name);
  }
  for (const fs::path& file : flags.exclude)
    text += fmt::format("leaves out what is in {}\n", file.string());
  for (const std::string& note : notes_of(corpora)) text += note + "\n";
  std::int64_t total = 0;
  for (const auto& plan : options.plans) {
    text += fmt::format("{:<22} {:>9} tuples\n", pipeline::combination_name(plan.modalities),
                        grouped(plan.count));
    total += plan.count;
  }
  const auto [first, last] = options.shard.range(static_cast<std::size_t>(total));
  text += fmt::format("writes {} ({} tuples)\n", flags.step.files().front().tuples().string(),
                      grouped(static_cast<std::int64_t>(last - first)));
  write_result(context, {}, text);
  return kExitDone;
}

void require_training_objects(const Flags& flags, const Corpora& corpora, const Context& context,
                              pipeline::SampleOptions& options) {
  if (!flags.compat) return;
  const auto path = pipeline::published_training_objects(corpora.raw_data);
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("--compat needs {}: the published sampler draws {} of its entries before "
                    "anything else, whatever the split, and this moves its generator on; "
                    "PointLLM publishes the file, and without --compat it is needed for the "
                    "split train only",
                    path.string(), grouped(pipeline::kPublishedTrainingDraw)));
  }
  options.compat_population = pipeline::count_records(path, context.stop);
  pipeline::published_training_draw(flags.seed, options.compat_population);  // large enough?
}

// Opened when somebody asks for similarity.
struct Tools {
  std::unique_ptr<pipeline::EmbeddingStore> embeddings;
  std::unique_ptr<NeighborSearch> search;
  pipeline::SampleTools view() const { return {embeddings.get(), search.get()}; }
};

Tools open_tools(const Flags& flags, const Context& context,
                 const pipeline::SampleOptions& options) {
  if (!pipeline::needs_embeddings(options)) return {};
  Tools tools;
  tools.embeddings = std::make_unique<pipeline::EmbeddingStore>(
      [&context] {
        return open_torch_module().make_minilm({.folder = minilm_folder(context.environment)});
      },
      pipeline::EmbeddingStoreOptions{
          .folder = flags.embeddings.value_or(flags.step.output_dir / "embeddings"),
          .description_json = {}});
  tools.search = open_torch_module().make_neighbor_search(0);
  return tools;
}

int run_sample(const Flags& flags, Context& context) {
  check_flags(flags);
  const Corpora corpora = find_corpora(flags);
  auto options = options_of(flags, corpora);
  if (flags.step.dry_run) return dry_run(flags, context, corpora, options);
  require_training_objects(flags, corpora, context, options);
  const Tools tools = open_tools(flags, context, options);

  const SystemClock clock;
  ProgressLine line(context, clock);
  const pipeline::StepProgressCallback progress = [&line](const pipeline::StepProgress& step) {
    line.update(step);
  };
  const Loaded loaded = load(flags, context, corpora, progress);
  auto stage = pipeline::Stage::open(
      {flags.step.files().front().tuples()},
      {.stage = "sample",
       .settings_json = settings_json(flags, options, tools.view(), loaded.sources),
       .inputs = inputs_of(flags, corpora),
       .shard = options.shard},
      when_changed(flags.step, context));
  if (stage.is_done()) {
    line.clear();
    return report_done(context, flags.step, stage);
  }
  auto outcome = pipeline::sample(options, loaded.corpus, tools.view(), stage.output(), progress,
                                  context.stop);
  line.clear();
  outcome.counts.insert(outcome.counts.begin(), loaded.counts.begin(), loaded.counts.end());
  auto notes = notes_of(corpora);
  outcome.notes.insert(outcome.notes.begin(), notes.begin(), notes.end());
  if (outcome.is_complete()) stage.finish(outcome.counts, outcome.notes);
  return report_step(context, flags.step, "sample", stage.output(), outcome);
}

void add_source_flags(CLI::App& app, Flags& flags) {
  app.option_defaults()->group("Captions");
  app.add_option("--raw-data", flags.raw_data,
                 "the published corpora; raw_data unless there is --sources")
      ->type_name("DIR");
  app.add_option("--sources", flags.sources,
                 "other corpora, described as docs/adding-a-source.md says; with --raw-data both")
      ->type_name("FILE.yaml")
      ->check(CLI::ExistingFile);
  app.add_option("--exclude", flags.exclude,
                 "data sets whose media are never drawn, so that nothing is shared with them")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_option("--limit-per-source", flags.limit_per_source,
                 "captions drawn from each source, 0 for all; 60,000 of the 660K file of 3D "
                 "objects and all of others unless given")
      ->type_name("N")
      ->check(whole_number(0));
  app.add_flag("--skip-bad-rows", flags.skip_bad_rows, "leave wrong rows out instead of giving up");
}

void add_tuple_flags(CLI::App& app, Flags& flags) {
  app.option_defaults()->group("Tuples");
  app.add_option("--n-samples", flags.n_samples, "tuples per combination of modalities")
      ->type_name("N")
      ->check(whole_number(1))
      ->capture_default_str();
  app.add_option("--total", flags.total, "tuples in all, instead of --n-samples")
      ->type_name("N")
      ->check(whole_number(1));
  app.add_option("--modalities", flags.modalities, "only these: audio,pc,image,video")
      ->type_name("NAMES")
      ->delimiter(',');
  app.add_option("--num-scenes", flags.num_scenes, "only tuples of so many scenes: 2,3,4")
      ->type_name("N")
      ->delimiter(',')
      ->check(whole_number(kMinScenes, kMaxScenes));
  app.add_option("--combinations", flags.combinations,
                 "only these: audio+image,image+image+video; a modality may occur twice")
      ->type_name("NAMES")
      ->delimiter(',');
  app.add_option("--modality-weights", flags.weights,
                 "a combination's share is the product of the weights of its modalities, 1 unless "
                 "given: image=2,audio=0.5")
      ->type_name("NAME=X")
      ->delimiter(',');
  app.add_flag("--no-same-medium", flags.no_same_medium,
               "no medium twice in a tuple; so it is unless --allow-same-medium or --compat");
  app.add_flag("--allow-same-medium", flags.allow_same_medium, "a medium may be in a tuple twice");
  app.add_option("--seed", flags.seed, "of all that is drawn")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--compat", flags.compat, "draw by draw as the published script");
}

void add_similarity_flags(CLI::App& app, Flags& flags) {
  app.option_defaults()->group("Similarity of captions");
  app.add_option("--top-k", flags.top_k,
                 "--strategy similarity chooses among so many of the nearest captions")
      ->type_name("N")
      ->check(whole_number(1, 10'000))
      ->capture_default_str();
  app.add_option("--max-similarity", flags.max_similarity,
                 "cosine above which two captions are too much alike for one tuple")
      ->type_name("COS")
      ->check(number(-1, 1));
  app.add_option("--min-similarity", flags.min_similarity,
                 "cosine that each further caption has with the first one at least")
      ->type_name("COS")
      ->check(number(-1, 1));
  app.add_option("--embeddings", flags.embeddings,
                 "where vectors of captions are kept; OUTPUT-DIR/embeddings unless given")
      ->type_name("DIR");
}

}  // namespace

RunCommand add_sample_command(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  add_step_flags(app, flags->step, StepUse::kOneStrategy, Sharding::kYes);
  add_source_flags(app, *flags);
  add_tuple_flags(app, *flags);
  add_similarity_flags(app, *flags);
  app.option_defaults()->group("Flags");
  return [flags](Context& context) { return run_sample(*flags, context); };
}

}  // namespace contra4::apps
