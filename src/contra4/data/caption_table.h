// Captions by medium: what a captioner said of (source, id).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "contra4/data/record_id.h"

namespace contra4::data {

class CaptionTable {
 public:
  // .jsonl, .json (list), .csv or .parquet with columns source, id, caption; others are ignored. A
  // medium that occurs twice keeps its first caption. Throws with file and row.
  static CaptionTable load(const std::filesystem::path& path);

  // Null when the table has none.
  const std::string* find(std::string_view source, const RecordId& id) const;
  void add(std::string_view source, const RecordId& id, std::string caption);
  std::size_t size() const { return captions_.size(); }

 private:
  std::unordered_map<std::string, std::string> captions_;  // key: source, 0x1f, id text
};

}  // namespace contra4::data
