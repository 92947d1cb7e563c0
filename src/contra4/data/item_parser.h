// One row's JSON text to an Item, in whichever of the four schemas it is. Strict: what is wrong
// with a row is said, never guessed around.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

// Rows of a table lack what JSON has: its columns `id_is_integer`, `captions` and `extra` (see
// parquet_items.h) bring it back, and a null cell means that the member is absent.
enum class RowForm { kJson, kTable };

class ItemParser {
 public:
  explicit ItemParser(Extras extras, RowForm form = RowForm::kJson);
  ~ItemParser();
  ItemParser(const ItemParser&) = delete;
  ItemParser& operator=(const ItemParser&) = delete;

  // kRecordPadding bytes behind `text` must be readable. kDataLoss when it is not JSON,
  // kInvalidArgument when it is no item; with the reason alone: file and row are the caller's to
  // add, the id is id_text().
  Result<Item> parse(std::string_view text);

  // Of the row that parse() saw last; empty when it had none that could be read.
  const std::string& id_text() const;
  // Of the last row that told.
  Schema schema() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace contra4::data
