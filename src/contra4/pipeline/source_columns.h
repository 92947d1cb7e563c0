// What a column of a source says of a row: see SourceColumns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/json.h"

namespace contra4::pipeline {

class ColumnExpression {
 public:
  // kInvalidArgument for braces that do not match.
  static Result<ColumnExpression> parse(std::string_view text);

  // Null where the row has no such column or nothing in it. kInvalidArgument for a sum of something
  // else than a number.
  Result<io::JsonValue> value_in(const io::JsonValue& row) const;
  // Names that a table must have: "start_time" of "start_time+10", each column of a template.
  std::vector<std::string> columns() const;
  const std::string& text() const { return text_; }

 private:
  struct Piece {
    std::string text;
    bool is_column = false;
  };
  std::string text_;
  std::vector<Piece> pieces_;  // of a template; empty for a plain column
};

// The member of that name or, where there is none, what a dotted path leads to; null without.
const io::JsonValue* find_column(const io::JsonValue& row, std::string_view name);

// A number that text stands for as JSON has it ("30", "116.03"); empty for any other text.
std::optional<io::JsonValue> number_in(std::string_view text);

}  // namespace contra4::pipeline
