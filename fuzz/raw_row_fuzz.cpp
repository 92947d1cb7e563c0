// Any bytes as one row: refused with a message, or members whose texts are JSON again, and a row
// that others can be added to.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"

namespace {

using contra4::data::RawRow;

void require(bool holds) {
  if (!holds) std::abort();
}

// A row and the text it looks into, which ends in bytes that mean something else.
class PaddedRow {
 public:
  explicit PaddedRow(std::string_view text) : text_(text) {
    text_.append(contra4::data::kRecordPadding, '}');
    parsed = row.parse(std::string_view(text_).substr(0, text.size()));
  }

 private:
  std::string text_;

 public:
  RawRow row;
  contra4::Result<void> parsed;
};

void require_json(std::string_view value) {
  require(PaddedRow("{\"v\": " + std::string(value) + "}").parsed.has_value());
}

void check_member(const RawRow& row, std::string_view name) {
  require(row.has(name));
  const std::string_view raw = row.raw(name);
  require(raw.data() >= row.text().data() &&
          raw.data() + raw.size() <= row.text().data() + row.text().size());
  require_json(raw);
  for (const std::string_view element : row.raw_elements(name)) require_json(element);
  const auto nulls = row.strings(name, RawRow::Nulls::kAllowed);
  if (nulls) require(nulls->size() == row.raw_elements(name).size());
  const auto strict = row.strings(name, RawRow::Nulls::kRefused);
  require(!strict || nulls);
  if (const auto text = row.string(name)) require(raw.front() == '"');
}

// What a step does with a row: members taken out, others put behind.
void check_added(const RawRow& row, const std::vector<std::string>& without) {
  const std::string open = row.open_without(without);
  require(open.find_first_of("\r\n") == std::string::npos);
  const std::string closed = open + (open == "{" ? "" : ", ") + "\"added by a step\": [1]}";
  const PaddedRow again(closed);
  require(again.parsed.has_value());
  std::size_t left = 0;
  for (const std::string_view name : row.members()) {
    bool stays = true;
    for (const std::string& member : without) stays = stays && member != name;
    if (stays) require(again.row.members()[left++] == name);
  }
  require(again.row.members().size() == left + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const PaddedRow padded(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!padded.parsed) {
    const auto& error = padded.parsed.error();
    require(error.code == contra4::ErrorCode::kDataLoss ||
            error.code == contra4::ErrorCode::kInvalidArgument);
    require(!error.message.empty());
    return 0;
  }
  const RawRow& row = padded.row;
  for (const std::string_view name : row.members()) check_member(row, name);
  if (const auto id = row.id()) require(!id->text.empty() || row.raw("id") == "\"\"");
  if (const auto captions = row.shown_captions()) {
    require(captions->size() == row.raw_elements("examples").size());
  }
  check_added(row, {});
  if (!row.members().empty()) {
    check_added(row, {std::string(row.members().front())});
    check_added(row, {std::string(row.members().back()), "absent"});
  }
  return 0;
}
