#include "contra4/eval/comparison.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/eval/results_json.h"
#include "contra4/io/json_writer.h"

namespace contra4::eval {

Comparison compare_runs(const ScoringContext& context, std::span<const Results> results,
                        const CompareOptions& options) {
  if (results.size() < 2) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "a comparison needs two runs or more; the shards of one run count as one");
  }
  Comparison comparison;
  comparison.dataset = context.dataset().name;
  comparison.rule = results.front().rule;
  comparison.level = options.level;
  for (const Results& run : results) {
    comparison.runs.push_back({run.name, run.has_scores() ? run.overall() : scoring::Accuracy{}});
  }
  std::vector<scoring::PairedDifference> differences;
  const std::size_t last_first = options.against_first ? 1 : results.size() - 1;
  for (std::size_t a = 0; a < last_first; ++a) {
    for (std::size_t b = a + 1; b < results.size(); ++b) {
      const auto difference = scoring::compare_paired(results[a].observations,
                                                      results[b].observations, context.media());
      if (difference.num_items == 0) {
        throw Exception(ErrorCode::kInvalidArgument,
                        fmt::format("'{}' and '{}' have no scored item in common", results[a].name,
                                    results[b].name));
      }
      if (difference.num_items < std::max(results[a].counts.scored, results[b].counts.scored)) {
        comparison.warnings.push_back(
            fmt::format("{} and {} are compared over the {} items that both have ({} and {})",
                        results[a].name, results[b].name, difference.num_items,
                        results[a].counts.scored, results[b].counts.scored));
      }
      differences.push_back(difference);
      comparison.pairs.push_back({a, b, {}});
    }
  }
  scoring::correct_for_many(differences, options.level);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    comparison.pairs[i].difference = differences[i];
  }
  return comparison;
}

std::string comparison_to_json(const Comparison& comparison) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("format", 1);
  json.member("dataset", comparison.dataset);
  json.member("scoring", scoring::to_string(comparison.rule));
  json.member("level", comparison.level);
  json.key("runs").begin_array();
  for (const ComparedRun& run : comparison.runs) {
    json.begin_object();
    json.member("name", run.name);
    json.key("accuracy");
    write_accuracy(json, run.accuracy);
    json.end_object();
  }
  json.end_array();
  json.key("pairs").begin_array();
  for (const ComparedPair& pair : comparison.pairs) {
    json.begin_object();
    json.member("a", comparison.runs[pair.a].name);
    json.member("b", comparison.runs[pair.b].name);
    write_difference_members(json, pair.difference);
    json.member("p_adjusted", pair.difference.p_adjusted);
    json.member("significant", pair.difference.is_significant);
    json.end_object();
  }
  json.end_array();
  json.key("warnings").begin_array();
  for (const std::string& warning : comparison.warnings) json.value(warning);
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace contra4::eval
