// Items to .json, .json.gz, .jsonl, .jsonl.gz and .parquet, streaming, in one of the four schemas.
#pragma once

#include <filesystem>
#include <memory>

#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

class ItemWriter {
 public:
  virtual ~ItemWriter() = default;
  virtual void write(const Item& item) = 0;
  // Ends the file and renames it into place; without it nothing appears at the path.
  virtual void commit() = 0;
};

// By suffix. Throws kInvalidArgument for a suffix nobody writes, kResourceExhausted on a full disk.
std::unique_ptr<ItemWriter> create_items(const std::filesystem::path& path, Schema schema);

// One item as JSON text on one line, in that schema.
std::string item_to_json(const Item& item, Schema schema);

}  // namespace contra4::data
