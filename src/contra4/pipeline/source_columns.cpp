#include "contra4/pipeline/source_columns.h"

#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "contra4/io/json_writer.h"

namespace contra4::pipeline {

namespace {

// "start_time", 10 of "start_time+10".
struct Sum {
  std::string_view column;
  std::int64_t addend = 0;
};

std::optional<std::int64_t> integer_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Sum> find_sum(std::string_view text) {
  const auto sign = text.find_last_of('+');
  if (sign == std::string_view::npos || sign == 0) return std::nullopt;
  const auto addend = integer_in(text.substr(sign + 1));
  if (!addend) return std::nullopt;
  return Sum{text.substr(0, sign), *addend};
}

std::string text_for_template(const io::JsonValue& value) {
  if (const std::string* text = value.find_string()) return *text;
  io::JsonWriter json;
  json.value(value);
  return json.take();
}

bool is_nothing(const io::JsonValue* value) {
  if (value == nullptr || value->is_null()) return true;
  const std::string* const text = value->find_string();
  return text != nullptr && text->empty();
}

Result<io::JsonValue> add(const io::JsonValue& value, const Sum& sum) {
  io::JsonValue number = value;
  if (const std::string* text = value.find_string()) {
    const auto parsed = number_in(*text);
    if (!parsed) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}' is '{:.40}', not a number", sum.column, *text)};
    }
    number = *parsed;
  }
  if (const auto integer = number.find_integer()) {
    std::int64_t total = 0;
    if (!__builtin_add_overflow(*integer, sum.addend, &total)) return io::JsonValue(total);
  }
  if (const auto real = number.find_number()) {
    return io::JsonValue(*real + static_cast<double>(sum.addend));
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not a number", sum.column)};
}

}  // namespace

std::optional<io::JsonValue> number_in(std::string_view text) {
  if (text.empty() || text.size() > 40 ||
      text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  auto value = io::parse_json(text, "");
  if (!value || !value->find_number()) return std::nullopt;
  return std::move(*value);
}

const io::JsonValue* find_column(const io::JsonValue& row, std::string_view name) {
  if (const io::JsonValue* const member = row.find(name)) return member;
  if (name.find('.') == std::string_view::npos) return nullptr;
  const io::JsonValue* value = &row;
  while (value != nullptr && !name.empty()) {
    const auto dot = name.find('.');
    const std::string_view step = name.substr(0, dot);
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
    if (const io::JsonValue::Array* const list = value->find_array()) {
      const auto index = integer_in(step);
      const auto size = static_cast<std::int64_t>(list->size());
      if (!index || *index >= size || *index < -size) return nullptr;
      value = &(*list)[static_cast<std::size_t>(*index < 0 ? size + *index : *index)];
    } else {
      value = value->find(step);
    }
  }
  return value;
}

Result<ColumnExpression> ColumnExpression::parse(std::string_view text) {
  ColumnExpression expression;
  expression.text_ = text;
  if (text.find_first_of("{}") == std::string_view::npos) return expression;
  while (!text.empty()) {
    const auto open = text.find('{');
    const std::string_view plain = text.substr(0, open);
    const auto close = open == std::string_view::npos ? open : text.find('}', open);
    const bool is_wrong =
        plain.find('}') != std::string_view::npos ||
        (open != std::string_view::npos && (close == std::string_view::npos || close == open + 1));
    if (is_wrong) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}': each {{ needs a column and a }}", expression.text_)};
    }
    if (!plain.empty()) expression.pieces_.push_back({std::string(plain), false});
    if (open == std::string_view::npos) break;
    expression.pieces_.push_back({std::string(text.substr(open + 1, close - open - 1)), true});
    text = text.substr(close + 1);
  }
  return expression;
}

Result<io::JsonValue> ColumnExpression::value_in(const io::JsonValue& row) const {
  if (!pieces_.empty()) {
    std::string filled;
    for (const Piece& piece : pieces_) {
      if (!piece.is_column) {
        filled += piece.text;
        continue;
      }
      const io::JsonValue* const value = find_column(row, piece.text);
      if (is_nothing(value)) return io::JsonValue();
      filled += text_for_template(*value);
    }
    return io::JsonValue(std::move(filled));
  }
  if (const io::JsonValue* const value = find_column(row, text_)) {
    return is_nothing(value) ? io::JsonValue() : *value;
  }
  if (const auto sum = find_sum(text_)) {
    const io::JsonValue* const value = find_column(row, sum->column);
    if (is_nothing(value)) return io::JsonValue();
    return add(*value, *sum);
  }
  return io::JsonValue();
}

std::vector<std::string> ColumnExpression::columns() const {
  if (pieces_.empty()) {
    const auto sum = find_sum(text_);
    return {sum ? std::string(sum->column) : text_};
  }
  std::vector<std::string> names;
  for (const Piece& piece : pieces_) {
    if (piece.is_column) names.push_back(piece.text);
  }
  return names;
}

}  // namespace contra4::pipeline
