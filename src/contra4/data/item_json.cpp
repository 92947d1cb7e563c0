#include "contra4/data/item_json.h"

#include <algorithm>

#include "contra4/data/item_writer.h"
#include "contra4/io/json_writer.h"

namespace contra4::data {

namespace {

void write_id(io::JsonWriter& json, const RecordId& id) {
  json.key("id");
  if (id.is_integer) {
    json.raw(id.text);
  } else {
    json.value(id.text);
  }
}

void write_extra(io::JsonWriter& json, const ExtraMembers& extra) {
  for (const auto& [name, text] : extra) json.key(name).raw(text);
}

void write_list(io::JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_scene(io::JsonWriter& json, const Scene& scene) {
  json.begin_object();
  json.member("source", scene.source);
  write_id(json, scene.id);
  if (scene.captions_were_list || scene.captions.size() > 1) {
    json.key("caption");
    write_list(json, scene.captions);
  } else if (!scene.captions.empty()) {
    json.member("caption", scene.captions[0]);
  }
  const bool has_caption = scene.captions_were_list || !scene.captions.empty();
  for (const auto& [name, text] : scene.extra) {
    if (name != "caption" || !has_caption) json.key(name).raw(text);
  }
  json.end_object();
}

bool is_plain_answer(const Item& item) {
  return item.answer && (item.answer_text.empty() || item.answer_text == scene_name(*item.answer) ||
                         item.answer_text == std::string(1, scene_letter(*item.answer)));
}

}  // namespace

std::string_view answer_member(Schema schema) {
  switch (schema) {
    case Schema::kReadme:
      return "gt_answer";
    case Schema::kReleasedTest:
    case Schema::kReleasedVal:
      return "answer";
    case Schema::kGenerated:
      return "answers";
  }
  CONTRA4_CHECK(false, "schema out of range");
}

std::string answer_in_schema(const Item& item, Schema schema) {
  if (schema == Schema::kGenerated) {
    // Words that no longer name the answer (scenes were moved) give way to its name.
    if (!item.answer || parse_gold_answer(item.answer_text) == item.answer) return item.answer_text;
    return scene_name(*item.answer);
  }
  if (!item.answer) return {};
  return schema == Schema::kReleasedTest ? std::string(1, scene_letter(*item.answer))
                                         : scene_name(*item.answer);
}

bool has_extra(const ExtraMembers& extra, std::string_view name) {
  return std::any_of(extra.begin(), extra.end(),
                     [&](const auto& member) { return member.first == name; });
}

ExtraMembers members_beside_schema(const Item& item, Schema schema) {
  const auto is_taken = [&](std::string_view name) {
    if (name == "id" || name == "examples" || name == "modalities") return true;
    if (name == "selection_type") return !item.selection_type.empty();
    if (name == "q_type") return !item.q_type.empty();
    if (name == "category") return !item.category.empty();
    if (schema == Schema::kGenerated) return false;  // longer lists replace those of the schema
    return name == "question" || (name == answer_member(schema) && item.answer.has_value());
  };
  ExtraMembers members;
  for (const auto& member : item.extra) {
    if (!is_taken(member.first)) members.push_back(member);
  }
  if (schema != Schema::kGenerated && !item.answer_text.empty() && !is_plain_answer(item) &&
      !has_extra(item.extra, "answers")) {
    members.emplace_back("answers", "[" + io::json_quote(item.answer_text) + "]");
  }
  return members;
}

std::string item_to_json(const Item& item, Schema schema) {
  io::JsonWriter json;
  json.begin_object();
  write_id(json, item.id);
  if (!item.selection_type.empty()) json.member("selection_type", item.selection_type);
  if (!item.q_type.empty()) json.member("q_type", item.q_type);
  json.key("examples").begin_array();
  for (const Scene& scene : item.scenes) write_scene(json, scene);
  json.end_array();
  json.key("modalities").begin_array();
  for (const Scene& scene : item.scenes) json.value(to_string(scene.modality));
  json.end_array();
  if (!item.category.empty()) json.member("category", item.category);

  const std::string answer = answer_in_schema(item, schema);
  if (schema == Schema::kGenerated) {
    if (!item.question.empty() && !has_extra(item.extra, "questions")) {
      json.key("questions");
      write_list(json, {item.question});
    }
    if (!answer.empty() && !has_extra(item.extra, "answers")) {
      json.key("answers");
      write_list(json, {answer});
    }
  } else {
    if (!item.question.empty()) json.member("question", item.question);
    if (!answer.empty()) json.member(answer_member(schema), answer);
  }
  write_extra(json, members_beside_schema(item, schema));
  json.end_object();
  return json.take();
}

}  // namespace contra4::data
