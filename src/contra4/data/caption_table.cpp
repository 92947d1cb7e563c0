#include "contra4/data/caption_table.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/table_reader.h"

namespace contra4::data {

namespace {

std::string key_of(std::string_view source, std::string_view id) {
  return fmt::format("{}\x1f{}", source, id);
}

// A string, or the first of a list of strings.
const std::string* find_caption(const io::JsonValue& row) {
  const io::JsonValue* value = row.find("caption");
  if (value == nullptr) return nullptr;
  const auto* list = value->find_array();
  if (list != nullptr) return list->empty() ? nullptr : list->front().find_string();
  return value->find_string();
}

std::optional<RecordId> find_id(const io::JsonValue& row) {
  const io::JsonValue* value = row.find("id");
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->find_string()) return RecordId{*text, false};
  if (const auto integer = value->find_integer()) return RecordId{std::to_string(*integer), true};
  return std::nullopt;
}

}  // namespace

CaptionTable CaptionTable::load(const std::filesystem::path& path) {
  CaptionTable table;
  const auto reader = open_table(path);
  while (const auto row = reader->next()) {
    const io::JsonValue& record = row->value();
    const auto require = [&](bool is_there, std::string_view what) {
      if (is_there) return;
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: row {}: {}; columns source, id and caption are needed",
                                  path.string(), reader->row(), what));
    };
    const io::JsonValue* source = record.find("source");
    require(source != nullptr && source->is_string(), "no text under 'source'");
    const auto id = find_id(record);
    require(id.has_value(), "no string or integer under 'id'");
    const std::string* caption = find_caption(record);
    require(caption != nullptr, "no text under 'caption'");
    table.add(*source->find_string(), *id, *caption);
  }
  return table;
}

const std::string* CaptionTable::find(std::string_view source, const RecordId& id) const {
  const auto at = captions_.find(key_of(source, id.text));
  return at == captions_.end() ? nullptr : &at->second;
}

void CaptionTable::add(std::string_view source, const RecordId& id, std::string caption) {
  captions_.emplace(key_of(source, id.text), std::move(caption));
}

}  // namespace contra4::data
