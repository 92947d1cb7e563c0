#include "contra4/eval/results_json.h"

#include <array>
#include <cmath>

#include "contra4/eval/results.h"

namespace contra4::eval {

namespace {

constexpr std::size_t kNumModalities = kModalities.size();

std::string_view name_of(std::size_t modality) {
  return to_string(kModalities[modality]);
}

void write_groups(io::JsonWriter& json, std::span<const scoring::NamedAccuracy> groups) {
  json.begin_object();
  for (const auto& [name, accuracy] : groups) {
    json.key(name);
    write_accuracy(json, accuracy);
  }
  json.end_object();
}

void write_number_list(io::JsonWriter& json, std::span<const double> values) {
  json.begin_array();
  for (const double value : values) json.value(rounded(value));
  json.end_array();
}

void write_counts(io::JsonWriter& json, const Counts& counts) {
  json.begin_object();
  json.member("items", counts.items);
  json.member("labelled", counts.labelled);
  json.member("scored", counts.scored);
  json.member("missing", counts.missing);
  json.member("requests", counts.requests);
  json.member("predictions", counts.predictions);
  json.member("unanswered", counts.unanswered);
  json.member("blocked", counts.blocked);
  json.member("failed", counts.failed);
  json.member("unsupported", counts.unsupported);
  json.member("not_shown", counts.not_shown);
  json.member("open", counts.open);
  json.end_object();
}

void write_confusion(io::JsonWriter& json, const scoring::Confusion& confusion) {
  json.begin_object();
  for (std::size_t gold = 0; gold < kNumModalities; ++gold) {
    const auto& row = confusion.rows[gold];
    json.key(name_of(gold)).begin_object();
    json.key("chosen").begin_object();
    for (std::size_t i = 0; i < kNumModalities; ++i) json.member(name_of(i), row.chosen[i]);
    json.end_object();
    json.key("offered").begin_object();
    for (std::size_t i = 0; i < kNumModalities; ++i) json.member(name_of(i), row.offered[i]);
    json.end_object();
    json.member("unanswered", row.unanswered);
    json.member("total", row.total);
    json.end_object();
  }
  json.member("wrong_scene_of_right_modality", confusion.wrong_scene_of_right_modality);
  json.end_object();
}

void write_bias(io::JsonWriter& json, std::span<const scoring::PositionBias> biases) {
  json.begin_object();
  for (const scoring::PositionBias& bias : biases) {
    json.key(std::to_string(bias.num_scenes)).begin_object();
    json.member("answered", bias.answered);
    json.key("chosen_share");
    write_number_list(json, bias.chosen_share);
    json.key("gold_share");
    write_number_list(json, bias.gold_share);
    json.key("bias");
    write_number_list(json, bias.bias);
    json.end_object();
  }
  json.end_object();
}

void write_blind(io::JsonWriter& json, std::span<const BlindResult> rules) {
  json.begin_object();
  for (const BlindResult& rule : rules) {
    json.key(rule.name).begin_object();
    json.member("available", rule.is_available);
    json.member("note", rule.note);
    if (rule.is_available) {
      json.key("accuracy");
      write_groups(json, rule.cells);
      json.key("gain");
      write_difference(json, *rule.gain);
    }
    json.end_object();
  }
  json.end_object();
}

void write_permutations(io::JsonWriter& json, const Results& results) {
  if (!results.permutation_scores) {
    json.null();
    return;
  }
  const scoring::PermutationScores& scores = *results.permutation_scores;
  json.begin_object();
  json.key("plain");
  write_accuracy(json, scores.plain);
  json.key("all_orders");
  write_accuracy(json, scores.all_orders);
  json.key("consistency");
  write_accuracy(json, scores.consistency);
  json.member("position_bias", rounded(scores.total_position_bias));
  json.key("by_num_scenes");
  write_bias(json, scores.position_bias);
  json.end_object();
}

void write_missed(io::JsonWriter& json, std::span<const MissedRequest> missed) {
  json.begin_array();
  for (const MissedRequest& request : missed) {
    json.begin_object();
    json.member("id", request.item_id);
    json.member("permutation", request.order);
    json.member("status", to_string(request.state));
    json.member("code", to_string(request.error.code));
    json.member("message", request.error.message);
    json.end_object();
  }
  json.end_array();
}

void write_results(io::JsonWriter& json, const Results& results) {
  json.begin_object();
  json.member("format", 1);
  json.member("name", results.name);
  json.key("dataset").begin_object();
  json.member("name", results.dataset);
  json.member("sha256", results.dataset_sha256);
  json.end_object();
  write_text_or_null(json, "model", results.model);
  write_text_or_null(json, "input", results.input);
  json.member("permutations", to_string(results.permutations));
  json.member("scoring", scoring::to_string(results.rule));
  json.member("missing_as_wrong", results.missing_as_wrong);
  json.key("accuracy");
  write_groups(json, results.cells);
  json.member("chance", rounded(results.chance));
  json.member("unanswered", results.counts.unanswered);
  json.key("counts");
  write_counts(json, results.counts);
  json.key("gain");
  if (results.gain) {
    json.begin_object();
    json.member("over", results.gain->over);
    write_difference_members(json, results.gain->difference);
    json.end_object();
  } else {
    json.null();
  }
  write_text_or_null(json, "fit", results.fit);
  json.key("blind");
  write_blind(json, results.blind);
  json.key("breakdown").begin_object();
  for (const Breakdown& breakdown : results.breakdowns) {
    json.key(scoring::to_string(breakdown.grouping));
    write_groups(json, breakdown.groups);
  }
  json.end_object();
  json.key("confusion");
  write_confusion(json, results.confusion);
  json.key("position_bias");
  write_bias(json, results.position_bias);
  json.key("permutation_scores");
  write_permutations(json, results);
  json.key("msnr");
  if (results.msnr.empty()) {
    json.null();
  } else {
    json.begin_object();
    for (const auto& [name, value] : results.msnr) {
      json.key(name).value(value ? rounded(*value) : std::nan(""));
    }
    json.end_object();
  }
  json.key("unsupported_by_modalities").begin_object();
  for (const auto& [modalities, number] : results.unsupported_by_modalities) {
    json.member(modalities, number);
  }
  json.end_object();
  json.key("missed");
  write_missed(json, results.missed);
  json.key("warnings").begin_array();
  for (const std::string& warning : results.warnings) json.value(warning);
  json.end_array();
  json.end_object();
}

}  // namespace

// Sums in another order may differ in the last bits; nobody needs more than twelve digits.
double rounded(double value) {
  constexpr double kDigits = 1e12;
  return std::round(value * kDigits) / kDigits;
}

void write_accuracy(io::JsonWriter& json, const scoring::Accuracy& accuracy) {
  json.begin_object();
  // A count is written as one; only expectations have a fraction.
  if (accuracy.correct == std::floor(accuracy.correct)) {
    json.member("correct", static_cast<std::int64_t>(accuracy.correct));
  } else {
    json.member("correct", rounded(accuracy.correct));
  }
  json.member("total", accuracy.total);
  const bool is_empty = accuracy.total == 0;
  const auto number = [&](double value) { return is_empty ? std::nan("") : rounded(value); };
  json.member("accuracy", number(accuracy.accuracy));
  json.member("stderr", number(accuracy.stderr_plain));
  json.member("stderr_shared_media", number(accuracy.stderr_shared_media));
  json.key("ci95").begin_array();
  json.value(number(accuracy.ci95_low)).value(number(accuracy.ci95_high));
  json.end_array();
  json.end_object();
}

void write_difference_members(io::JsonWriter& json, const scoring::PairedDifference& difference) {
  json.member("items", difference.num_items);
  json.member("accuracy_a", rounded(difference.accuracy_a));
  json.member("accuracy_b", rounded(difference.accuracy_b));
  json.member("difference", rounded(difference.difference));
  json.member("only_a", difference.only_a);
  json.member("only_b", difference.only_b);
  json.member("stderr", rounded(difference.stderr_plain));
  json.member("stderr_shared_media", rounded(difference.stderr_shared_media));
  json.key("ci95").begin_array();
  json.value(rounded(difference.ci95_low)).value(rounded(difference.ci95_high));
  json.end_array();
  json.member("p_value", difference.p_value);
}

void write_difference(io::JsonWriter& json, const scoring::PairedDifference& difference) {
  json.begin_object();
  write_difference_members(json, difference);
  json.end_object();
}

void write_text_or_null(io::JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

std::string results_to_json(const Results& results) {
  io::JsonWriter json(2);
  write_results(json, results);
  return json.take();
}

std::string results_to_json(std::span<const Results> results) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("format", 1);
  json.key("runs").begin_array();
  for (const Results& run : results) write_results(json, run);
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace contra4::eval
