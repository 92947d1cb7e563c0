// One row of a JSON file with its text at hand: for steps that pass rows on as they are, with
// members added, faster than an Item can be taken apart and put together again.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/record_id.h"

namespace contra4::data {

// Everything a row gives away is valid until it parses the next one, and as long as the text that
// it parsed.
class RawRow {
 public:
  RawRow();
  ~RawRow();
  RawRow(const RawRow&) = delete;
  RawRow& operator=(const RawRow&) = delete;

  // kRecordPadding bytes behind `text` must be readable. kDataLoss when it is not JSON,
  // kInvalidArgument when it is no object.
  Result<void> parse(std::string_view text);
  std::string_view text() const;

  // Names of the members in the order of the text; the first of a name is the one that counts.
  const std::vector<std::string_view>& members() const;
  bool has(std::string_view member) const;
  // A member's value as it stands in the text; empty where there is none.
  std::string_view raw(std::string_view member) const;
  // The elements of a list as they stand in the text; empty for anything but a list.
  std::vector<std::string_view> raw_elements(std::string_view member) const;

  // kInvalidArgument says which member is missing or of another type.
  Result<RecordId> id() const;
  Result<std::string_view> string(std::string_view member) const;
  // A list of strings. Nulls in it are empty optionals where `nulls` is kAllowed, else an error.
  enum class Nulls { kAllowed, kRefused };
  Result<std::vector<std::optional<std::string_view>>> strings(std::string_view member,
                                                               Nulls nulls) const;
  // What models are shown of each scene: the caption, or the first of a list of them; empty where
  // there is none. One for each of `examples`.
  Result<std::vector<std::string_view>> shown_captions() const;

  // The object without its closing bracket and without those members, so that more can be
  // appended: `{"id": 7, "a": 1`. On one line.
  std::string open_without(std::span<const std::string> members) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// JSON text on one line, as it is where it has no line break.
std::string on_one_line(std::string_view json);

}  // namespace contra4::data
