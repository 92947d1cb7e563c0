#include "contra4/apps/commands/models_convert.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/base/clock.h"
#include "contra4/base/error.h"
#include "contra4/io/tensor_convert.h"
#include "contra4/io/tensor_file.h"
#include "contra4/io/torch_file.h"

namespace contra4::apps {

namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::size_t kMaxShownNames = 8;

struct ConvertFlags {
  std::filesystem::path input;
  std::filesystem::path output;
  std::optional<std::string> dtype;
  std::string below;
  bool overwrite = false;
};

std::optional<io::TensorType> type_named(const std::optional<std::string>& dtype) {
  if (!dtype) return std::nullopt;
  if (*dtype == "float32") return io::TensorType::kF32;
  return *dtype == "float16" ? io::TensorType::kF16 : io::TensorType::kBF16;
}

// What stands beside the weights and stays behind: "epoch, args, ..."; empty: nothing.
std::string left_out(const std::vector<std::unique_ptr<io::TensorFile>>& files) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& file : files) {
    const auto* torch_file = dynamic_cast<const io::TorchFile*>(file.get());
    if (torch_file == nullptr) continue;
    for (const auto& [path, text] : torch_file->content().other) {
      std::string root = path.substr(0, path.find('.'));
      if (!root.empty() && seen.insert(root).second) names.push_back(std::move(root));
    }
  }
  if (names.size() > kMaxShownNames) {
    names.resize(kMaxShownNames);
    names.emplace_back("...");
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

int run_models_convert(const ConvertFlags& flags, Context& context) {
  if (std::filesystem::exists(flags.output) && !flags.overwrite) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} exists; --overwrite replaces it", flags.output.string()));
  }
  const auto files = io::open_tensor_files(flags.input);
  io::ConvertResult result;
  {
    const SystemClock clock;
    ProgressLine line(context, clock);
    const auto show = [&](std::uint64_t done, std::uint64_t total) {
      line.update(pipeline::StepProgress{.total = static_cast<std::int64_t>(total / kMegabyte),
                                         .done = static_cast<std::int64_t>(done / kMegabyte),
                                         .note = "megabytes"});
    };
    result = io::write_safetensors(files, flags.output,
                                   {.float_type = type_named(flags.dtype), .below = flags.below},
                                   show, context.stop);
  }
  if (context.quiet) return kExitDone;
  context.err << fmt::format("{}: {}, {} bytes, of {}\n", flags.output.string(),
                             counted(static_cast<std::int64_t>(result.num_tensors), "tensor"),
                             grouped(static_cast<std::int64_t>(result.num_bytes)),
                             counted(static_cast<std::int64_t>(files.size()), "file"));
  if (const std::string names = left_out(files); !names.empty()) {
    context.err << fmt::format("left out, being no tensors: {}\n", names);
  }
  context.err << std::flush;
  return kExitDone;
}

}  // namespace

RunCommand add_models_convert_command(CLI::App& app) {
  auto flags = std::make_shared<ConvertFlags>();
  app.description(
      "Writes the tensors of a checkpoint to one safetensors file, which opens faster and holds no "
      "pickle. Nothing of the checkpoint is executed. Memory stays at some MiB whatever the size.");
  app.add_option("in", flags->input,
                 "a .pth, .pt, .bin or .safetensors file, or a folder with one, with shards and "
                 "their index, or with consolidated.*.pth")
      ->type_name("IN")
      ->required();
  app.add_option("out", flags->output, "the safetensors file to write")
      ->type_name("OUT")
      ->required();
  app.add_option(
         "--dtype", flags->dtype,
         "float32, float16 or bfloat16: what floating-point tensors become; without it each "
         "keeps its type")
      ->type_name("TYPE")
      ->transform(one_of({"float32", "float16", "bfloat16"}));
  app.add_option("--below", flags->below,
                 "only the tensors below this name, which is taken off theirs: of a training "
                 "checkpoint often 'model' or 'state_dict'")
      ->type_name("NAME");
  app.add_flag("--overwrite", flags->overwrite, "replace OUT if it exists");
  app.footer(
      "Examples:\n  contra4 models convert consolidated.00-of-01.pth onellm.safetensors\n"
      "  contra4 models convert image_qformer.pth image_qformer.safetensors --below model");
  return [flags](Context& context) { return run_models_convert(*flags, context); };
}

}  // namespace contra4::apps
