// Where the files of each step lie below --output-dir, named as the published scripts name them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/shard.h"

namespace contra4::pipeline {

enum class Strategy { kRandom, kSimilarity };
std::string_view to_string(Strategy strategy);  // "random", "similarity"
std::optional<Strategy> parse_strategy(std::string_view text);

// Suffixes in which step files are written; all are read.
inline constexpr std::string_view kStepSuffixes[] = {".json", ".json.gz", ".jsonl", ".jsonl.gz"};

// The files of one strategy and split. A shard's have ".shard-2-of-8" before the suffix.
struct StepFiles {
  std::filesystem::path folder = "data";
  std::string strategy = "random";
  std::string split = "test";
  std::string suffix = ".json";
  Shard shard{};

  std::filesystem::path tuples() const;     // step1/tuples_random_test.json
  std::filesystem::path questions() const;  // step2/random_test.json
  std::filesystem::path answered() const;   // step2_3/random_test.json
  // step4/llama_random_test.json
  std::filesystem::path answers_of(std::string_view model) const;
  // filters_test/word_filtering_random_test.json; never sharded
  std::filesystem::path filtered(std::string_view filter) const;
  // filters_test/unanimous_permute_random_test_balanced.json
  std::filesystem::path balanced() const;
  // filters_test/unanimous_permute_filter_random_test_balanced.json
  std::filesystem::path categorized() const;
};

// `wanted`, or the same name with another of kStepSuffixes, whichever is there; without any, throws
// kNotFound that names the file and the command that makes it ("contra4 sample"). Finding two of
// them is kInvalidArgument: nobody can tell which is meant.
std::filesystem::path find_step_file(const std::filesystem::path& wanted, std::string_view made_by);

// A file's name without suffixes: "random_test" of "step2_3/random_test.json.gz".
std::string step_name(const std::filesystem::path& path);

}  // namespace contra4::pipeline
