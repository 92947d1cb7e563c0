// Rows and files that the tests of this room share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/io/byte_sink.h"

namespace contra4::data {

// A whole row in the README's schema with one member replaced or (`value` empty) left out.
inline std::string row_with(std::string_view name, std::string_view value) {
  const std::vector<std::pair<std::string, std::string>> members = {
      {"id", "\"r1\""},
      {"selection_type", "\"random\""},
      {"q_type", "\"mc_2\""},
      {"examples", R"([{"source": "coco_val", "id": 7, "caption": "a cat", "meta": {"w": 1.50}},)"
                   R"( {"source": "clotho", "id": "007", "caption": ["rain", "wind"]}])"},
      {"modalities", R"(["image", "audio"])"},
      {"question", "\"Which scene is louder?\""},
      {"gt_answer", "\"Scene B\""},
  };
  std::string row = "{";
  bool has_found = false;
  for (const auto& [member, standard] : members) {
    has_found |= member == name;
    const std::string_view text = member == name ? value : std::string_view(standard);
    if (text.empty()) continue;
    row += (row.size() > 1 ? ", \"" : "\"") + member + "\": " + std::string(text);
  }
  if (!has_found && !value.empty()) {
    row += ", \"" + std::string(name) + "\": " + std::string(value);
  }
  return row + "}";
}

// As step 1 of the pipeline leaves it.
inline std::string tuple_row() {
  return R"({"id": "random_0", "selection_type": "random", "q_type": "mc_2", "examples": [)"
         R"({"source": "clotho", "id": "a.wav", "caption": ["rain", "wind"], "url": null, "meta": {}},)"
         R"( {"source": "coco_val", "id": 7, "caption": ["a cat"], "url": "u", "meta": {}}],)"
         R"( "modalities": ["audio", "image"]})";
}

inline std::string row_with_id(std::string_view id) {
  return row_with("id", id);
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  const auto sink = io::create_bytes(path);
  sink->write(bytes);
  sink->commit();
}

// The items' ids, or the messages of wrong rows, in order.
inline std::vector<std::string> ids_of(ItemReader& reader) {
  std::vector<std::string> ids;
  while (const auto item = reader.next()) {
    ids.push_back(item->has_value() ? (*item)->id.text : item->error().message);
  }
  return ids;
}

inline std::vector<Item> read_all(const std::filesystem::path& path) {
  std::vector<Item> items;
  const auto reader = open_items(path);
  while (auto item = reader->next()) items.push_back(std::move(*item).value());
  return items;
}

inline void write_all(const std::vector<Item>& items, const std::filesystem::path& path,
                      Schema schema) {
  const auto writer = create_items(path, schema);
  for (const Item& item : items) writer->write(item);
  writer->commit();
}

}  // namespace contra4::data
