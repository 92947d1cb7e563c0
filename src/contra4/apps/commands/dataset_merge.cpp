#include "contra4/apps/commands/dataset_merge.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/data/merge.h"
#include "contra4/pipeline/stage_merge.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

struct MergeFlags {
  std::vector<fs::path> files;
  bool overwrite = false;
};

// One file of a step with its shards in order.
struct MergedFile {
  std::vector<fs::path> shards;
  fs::path output;
};

// All files that the step wrote, as its shards' manifests list them, beside `output`.
std::vector<MergedFile> files_of_step(const std::vector<fs::path>& shards, const fs::path& output) {
  std::vector<MergedFile> files;
  for (const fs::path& shard : shards) {
    const auto manifest = pipeline::find_manifest(shard);
    CONTRA4_CHECK(manifest.has_value(), "a manifest that was there");
    files.resize(std::max(files.size(), manifest->outputs.size()));
    for (std::size_t i = 0; i < manifest->outputs.size(); ++i) {
      const fs::path name = manifest->outputs[i].first;
      files[i].shards.push_back(shard.parent_path() / name);
      files[i].output = output.parent_path() / data::unsharded_path(name);
    }
  }
  for (const MergedFile& file : files) data::order_shards(file.shards);
  return files;
}

int run_merge(const MergeFlags& flags, Context& context) {
  std::vector<fs::path> shards = flags.files;
  std::erase_if(shards, pipeline::is_beside_output);
  if (shards.empty()) throw UsageError("these are manifests and journals; shards are wanted");
  fs::path output;
  if (!data::find_shard(shards.back())) {
    output = shards.back();
    shards.pop_back();
    if (shards.empty()) throw UsageError("shards are wanted before the name of the output");
  } else {
    output = data::unsharded_path(shards.front());
  }
  shards = data::order_shards(std::move(shards));

  const auto manifest = pipeline::merge_manifests(shards);
  // The manifest of a step lies beside the file of its own name.
  const bool keeps_manifest =
      manifest && output.filename() == data::unsharded_path(shards.front()).filename();
  const std::vector<MergedFile> files =
      keeps_manifest ? files_of_step(shards, output) : std::vector<MergedFile>{{shards, output}};
  for (const MergedFile& file : files) {
    if (!fs::exists(file.output) || flags.overwrite) continue;
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} exists; --overwrite replaces it", file.output.string()));
  }
  // A manifest of an earlier merge says nothing about these files.
  if (keeps_manifest) fs::remove(pipeline::manifest_path(output));
  std::vector<fs::path> outputs;
  for (const MergedFile& file : files) {
    const auto rows = data::merge_rows(file.shards, file.output, {}, context.stop);
    outputs.push_back(file.output);
    if (context.quiet) continue;
    context.err << fmt::format("{}: {} of {}\n", file.output.string(),
                               counted(static_cast<std::int64_t>(rows), "row"),
                               counted(static_cast<std::int64_t>(shards.size()), "shard"));
  }
  if (keeps_manifest) {
    pipeline::finish_merge(shards, outputs, *manifest);
  } else if (manifest && !context.quiet) {
    context.err << fmt::format("no manifest is written: {} is not named {}\n", output.string(),
                               data::unsharded_path(shards.front()).filename().string());
  }
  context.err << std::flush;
  return kExitDone;
}

}  // namespace

RunCommand add_dataset_merge_command(CLI::App& app) {
  auto flags = std::make_shared<MergeFlags>();
  app.description(
      "Puts the shards of a file together, in any order given, to the bytes of the file that a run "
      "without --shard writes. Refused are missing and repeated shards, shards of different "
      "settings, and ids that occur twice. Where the shards have manifests, the other files of "
      "their step, the dropped rows and the manifest are merged as well, so that the step counts "
      "as done.");
  app.add_option("files", flags->files,
                 "all shards, named NAME.shard-1-of-4.json and so on, then the file to write; "
                 "without it NAME.json")
      ->type_name("SHARD... OUT")
      ->required();
  app.add_flag("--overwrite", flags->overwrite, "replace files that exist");
  app.footer(
      "Examples:\n  contra4 dataset merge data/step2_3/random_train.shard-*.json\n"
      "  contra4 dataset merge part.shard-2-of-2.jsonl part.shard-1-of-2.jsonl whole.jsonl");
  return [flags](Context& context) { return run_merge(*flags, context); };
}

}  // namespace contra4::apps
