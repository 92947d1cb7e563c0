#include "contra4/data/dataset_summary.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/file_format.h"
#include "contra4/io/json_writer.h"

namespace contra4::data {

namespace {

using Texts = std::unordered_set<std::string>;

std::string medium_key(const Scene& scene) {
  return fmt::format("{}\x1f{}", scene.source, scene.id.text);
}

struct Contents {
  Texts media;
  Texts questions;
};

std::string cell_of(const Item& item) {
  const std::string q_type =
      item.q_type.empty() ? fmt::format("mc_{}", item.num_scenes()) : item.q_type;
  return fmt::format("{}/{}", q_type, item.selection_type.empty() ? "?" : item.selection_type);
}

std::array<int, kModalities.size()> count_modalities(const Item& item) {
  std::array<int, kModalities.size()> counts{};
  for (const Scene& scene : item.scenes) ++counts[static_cast<std::size_t>(scene.modality)];
  return counts;
}

std::string combination_of(const std::array<int, kModalities.size()>& counts) {
  std::string name;
  for (const Modality modality : kModalities) {
    if (counts[static_cast<std::size_t>(modality)] == 0) continue;
    if (!name.empty()) name += '+';
    name += to_string(modality);
  }
  return name;
}

void count_answer(DatasetSummary& summary, const Item& item) {
  if (!item.answer) {
    ++summary.without_answer;
    return;
  }
  ++summary.answer_positions[std::string(1, scene_letter(*item.answer))];
  const Scene& correct = item.scenes[static_cast<std::size_t>(*item.answer)];
  ++summary.correct_modalities[std::string(to_string(correct.modality))];
}

void count_item(DatasetSummary& summary, Contents& contents, const Item& item) {
  ++summary.items;
  ++summary.cells[cell_of(item)];
  const auto modalities = count_modalities(item);
  ++summary.combinations[combination_of(modalities)];
  if (std::any_of(modalities.begin(), modalities.end(), [](int count) { return count > 1; })) {
    ++summary.repeated_modality;
  }
  count_answer(summary, item);
  if (!item.category.empty()) ++summary.categories[item.category];
  for (const Scene& scene : item.scenes) {
    ++summary.scenes;
    ++summary.scenes_by_modality[std::string(to_string(scene.modality))];
    ++summary.scenes_by_source[scene.source];
    if (scene.caption().empty()) ++summary.without_caption;
    contents.media.insert(medium_key(scene));
  }
  if (!item.question.empty()) contents.questions.insert(item.question);
}

void count_overlap(Overlap& overlap, const Contents& other, const Item& item) {
  const bool shares_medium =
      std::any_of(item.scenes.begin(), item.scenes.end(),
                  [&](const Scene& scene) { return other.media.contains(medium_key(scene)); });
  overlap.items_with_media += shares_medium ? 1 : 0;
  overlap.items_with_question += other.questions.contains(item.question) ? 1 : 0;
}

std::uint64_t count_shared(const Texts& these, const Texts& others) {
  return static_cast<std::uint64_t>(std::count_if(
      these.begin(), these.end(), [&](const std::string& text) { return others.contains(text); }));
}

// Calls `visit(item, schema)` for each well-formed row; how many others there were.
template <class Visit>
std::uint64_t each_item(const std::filesystem::path& path, const ReadLimits& limits,
                        const std::stop_token& stop, Visit visit) {
  const auto items = open_items(path, limits, Extras::kDrop);
  std::uint64_t wrong_rows = 0;
  while (!stop.stop_requested()) {
    const auto item = items->next();
    if (!item) break;
    if (*item) {
      visit(**item, items->schema());
    } else {
      ++wrong_rows;
    }
  }
  return wrong_rows;
}

Contents read_contents(const std::filesystem::path& path, const ReadLimits& limits,
                       const std::stop_token& stop) {
  Contents contents;
  each_item(path, limits, stop, [&](const Item& item, Schema) {
    for (const Scene& scene : item.scenes) contents.media.insert(medium_key(scene));
    if (!item.question.empty()) contents.questions.insert(item.question);
  });
  return contents;
}

void write_counts(io::JsonWriter& json, std::string_view name, const Counts& counts) {
  json.key(name).begin_object();
  for (const auto& [key, count] : counts) json.member(key, count);
  json.end_object();
}

void write_overlap(io::JsonWriter& json, const Overlap& overlap) {
  json.key("overlap").begin_object();
  json.member("name", overlap.name);
  json.member("media", overlap.media);
  json.member("other_media", overlap.other_media);
  json.member("questions", overlap.questions);
  json.member("items_with_media", overlap.items_with_media);
  json.member("items_with_question", overlap.items_with_question);
  json.end_object();
}

}  // namespace

DatasetSummary summarize_dataset(const std::filesystem::path& path,
                                 const std::optional<std::filesystem::path>& against,
                                 const ReadLimits& limits, const std::stop_token& stop) {
  DatasetSummary summary;
  summary.name = dataset_name(path);
  Contents other;
  if (against) {
    other = read_contents(*against, limits, stop);
    summary.overlap = Overlap{.name = dataset_name(*against), .other_media = other.media.size()};
  }
  Contents contents;
  summary.wrong_rows = each_item(path, limits, stop, [&](const Item& item, Schema schema) {
    count_item(summary, contents, item);
    ++summary.schemas[std::string(to_string(schema))];
    if (summary.overlap) count_overlap(*summary.overlap, other, item);
  });
  summary.distinct_media = contents.media.size();
  summary.distinct_questions = contents.questions.size();
  if (summary.overlap) {
    summary.overlap->media = count_shared(contents.media, other.media);
    summary.overlap->questions = count_shared(contents.questions, other.questions);
  }
  summary.was_interrupted = stop.stop_requested();
  return summary;
}

std::string summary_to_json(const DatasetSummary& summary) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("name", summary.name);
  json.member("items", summary.items);
  json.member("wrong_rows", summary.wrong_rows);
  json.member("scenes", summary.scenes);
  json.member("distinct_media", summary.distinct_media);
  json.member("distinct_questions", summary.distinct_questions);
  json.member("repeated_modality", summary.repeated_modality);
  json.member("without_answer", summary.without_answer);
  json.member("without_caption", summary.without_caption);
  write_counts(json, "cells", summary.cells);
  write_counts(json, "scenes_by_modality", summary.scenes_by_modality);
  write_counts(json, "combinations", summary.combinations);
  write_counts(json, "answer_positions", summary.answer_positions);
  write_counts(json, "correct_modalities", summary.correct_modalities);
  write_counts(json, "scenes_by_source", summary.scenes_by_source);
  write_counts(json, "categories", summary.categories);
  write_counts(json, "schemas", summary.schemas);
  json.member("was_interrupted", summary.was_interrupted);
  if (summary.overlap) write_overlap(json, *summary.overlap);
  json.end_object();
  return json.take() + "\n";
}

}  // namespace contra4::data
