#include "contra4/pipeline/step_files.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

// The suffix of a step file, ".json.gz" as a whole; empty for another one.
std::string_view suffix_of(std::string_view name) {
  std::string_view found;
  for (const std::string_view suffix : kStepSuffixes) {
    if (name.ends_with(suffix) && suffix.size() > found.size()) found = suffix;
  }
  return found;
}

std::string shard_part(const Shard& shard) {
  return shard.is_whole() ? "" : fmt::format(".shard-{}-of-{}", shard.index, shard.count);
}

fs::path step_path(const StepFiles& files, const fs::path& name_in_folder) {
  return files.folder / fs::path(name_in_folder.string() + shard_part(files.shard) + files.suffix);
}

fs::path filter_path(const StepFiles& files, const std::string& name) {
  return files.folder / fmt::format("filters_{}", files.split) / (name + files.suffix);
}

}  // namespace

std::string_view to_string(Strategy strategy) {
  return strategy == Strategy::kRandom ? "random" : "similarity";
}

std::optional<Strategy> parse_strategy(std::string_view text) {
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kSimilarity}) {
    if (text == to_string(strategy)) return strategy;
  }
  return std::nullopt;
}

fs::path StepFiles::tuples() const {
  return step_path(*this, fs::path("step1") / fmt::format("tuples_{}_{}", strategy, split));
}

fs::path StepFiles::questions() const {
  return step_path(*this, fs::path("step2") / fmt::format("{}_{}", strategy, split));
}

fs::path StepFiles::answered() const {
  return step_path(*this, fs::path("step2_3") / fmt::format("{}_{}", strategy, split));
}

fs::path StepFiles::answers_of(std::string_view model) const {
  return step_path(*this, fs::path("step4") / fmt::format("{}_{}_{}", model, strategy, split));
}

fs::path StepFiles::filtered(std::string_view filter) const {
  return filter_path(*this, fmt::format("{}_{}_{}", filter, strategy, split));
}

fs::path StepFiles::balanced() const {
  return filter_path(*this, fmt::format("unanimous_permute_{}_{}_balanced", strategy, split));
}

fs::path StepFiles::categorized() const {
  return filter_path(*this,
                     fmt::format("unanimous_permute_filter_{}_{}_balanced", strategy, split));
}

fs::path find_step_file(const fs::path& wanted, std::string_view made_by) {
  const std::string name = wanted.filename().string();
  const std::string stem = name.substr(0, name.size() - suffix_of(name).size());
  fs::path found;
  for (const std::string_view suffix : kStepSuffixes) {
    const fs::path candidate = wanted.parent_path() / (stem + std::string(suffix));
    std::error_code ignored;
    if (!fs::exists(candidate, ignored)) continue;
    if (candidate == wanted) return wanted;
    if (!found.empty()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{} and {} are both there; remove the one that is not meant",
                                  found.string(), candidate.string()));
    }
    found = candidate;
  }
  if (found.empty()) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{} is not there; `{}` makes it", wanted.string(), made_by));
  }
  return found;
}

std::string step_name(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.substr(0, name.size() - suffix_of(name).size());
}

}  // namespace contra4::pipeline
