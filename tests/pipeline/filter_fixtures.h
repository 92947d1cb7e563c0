// Files of step 4 that the tests of filter and balance share.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_source.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/filter.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {

struct AnsweredRow {
  std::string id = {};
  std::vector<std::string> modalities = {"audio", "image"};
  std::string question = "Which scene is louder?";
  std::string answer = "Scene A";
  std::string replies = {};  // a JSON list
  std::string more = {};     // members, with a comma in front
};

inline std::string row_json(const AnsweredRow& row, std::string_view model) {
  io::JsonWriter json;
  json.begin_object().member("id", row.id).member("selection_type", "random");
  json.member("q_type", "mc_" + std::to_string(row.modalities.size()));
  json.key("examples").begin_array();
  for (const std::string& modality : row.modalities) {
    json.begin_object().member("source", "s").member("id", row.id + modality);
    json.member("caption", "what is there to be told of " + modality).end_object();
  }
  json.end_array().key("modalities").begin_array();
  for (const std::string& modality : row.modalities) json.value(modality);
  json.end_array().key("questions").begin_array().value(row.question).end_array();
  json.key("answers").begin_array().value(row.answer).end_array();
  json.key("answer_" + std::string(model)).raw(row.replies.empty() ? "[]" : row.replies);
  std::string text = json.end_object().take();
  text.insert(text.size() - 1, row.more);
  return text;
}

inline void write_answers(const StepFiles& files, const std::string& model,
                          const std::vector<AnsweredRow>& rows) {
  std::string text = "[";
  for (const AnsweredRow& row : rows) {
    text += (text.size() > 1 ? ",\n" : "\n") + row_json(row, model);
  }
  io::write_file_atomically(files.answers_of(model), text + "\n]\n");
}

inline std::vector<std::string> ids_of(const std::filesystem::path& path) {
  std::vector<std::string> ids;
  const auto records =
      data::read_records(io::open_bytes(path), data::RecordFormat::kList, 1U << 20);
  data::RawRow row;
  while (const auto record = records->next()) {
    row.parse(record->value()).value();
    ids.push_back(row.id().value().text);
  }
  return ids;
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  const std::string text = io::read_file(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

inline FilterOptions filter_options(std::vector<std::string> models, bool compat = false) {
  FilterOptions options;
  options.models = std::move(models);
  options.compat = compat;
  options.words = parse_word_list(default_word_list(), "default");
  options.durability = io::Durability::kUnsynced;
  return options;
}

inline StepOutcome filter(const StepFiles& files, const FilterOptions& options) {
  Stage stage = open_filter(files, options);
  return run_filter(stage, files, options, {}, {});
}

// Members sorted, so that equal values have equal texts.
inline void append_sorted(const io::JsonValue& value, std::string& text) {
  if (const auto* const object = value.find_object()) {
    std::vector<const io::JsonValue::Member*> members;
    for (const auto& member : *object) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    text += '{';
    for (const auto* member : members) {
      io::append_json_quoted(text, member->first);
      text += ':';
      append_sorted(member->second, text);
      text += ',';
    }
    text += '}';
  } else if (const auto* const list = value.find_array()) {
    text += '[';
    for (const auto& child : *list) {
      append_sorted(child, text);
      text += ',';
    }
    text += ']';
  } else {
    io::JsonWriter json;
    json.value(value);
    text += json.text();
  }
}
inline std::string sorted_json(const io::JsonValue& value) {
  std::string text;
  append_sorted(value, text);
  return text;
}

// The golden files of step 4, laid out as the pipeline has them.
inline void copy_golden_answers(const StepFiles& files) {
  const auto source = contra4::testing::shared_dir() / "goldens" / "generation" / "step4";
  for (const char* model : {"llama", "mistral", "phi"}) {
    StepFiles zipped = files;
    zipped.suffix = ".json.gz";
    const auto path = zipped.answers_of(model);
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::copy_file(source / path.filename(), path);
  }
}

}  // namespace contra4::pipeline
