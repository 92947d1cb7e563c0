#include "contra4/data/prediction_rows.h"

#include <initializer_list>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::data {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

const io::JsonValue* find_first(const io::JsonValue& row,
                                std::initializer_list<std::string_view> names, bool takes_null) {
  for (const std::string_view name : names) {
    const io::JsonValue* const value = row.find(name);
    if (value != nullptr && (takes_null || !value->is_null())) return value;
  }
  return nullptr;
}

bool is_named_as_lines(const std::filesystem::path& path) {
  return path.extension() == ".jsonl" || path.extension() == ".ndjson";
}

void read_lines(std::string_view text, const std::filesystem::path& path,
                const PredictionRowSink& take) {
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    take(io::parse_json(line, fmt::format("{}, line {}", path.string(), number)).value(), number);
  }
}

}  // namespace

void read_prediction_rows(std::string_view text, const std::filesystem::path& path,
                          const PredictionRowSink& take) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first != std::string_view::npos && text[first] == '[') {
    const io::JsonValue document = io::parse_json(text, path.string()).value();
    std::uint64_t number = 0;
    for (const io::JsonValue& row : *document.find_array()) take(row, ++number);
    return;
  }
  // Lines are often named .json; one value alone is more likely something else.
  if (!is_named_as_lines(path) && io::parse_json(text, path.string())) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: wanted a list of predictions", path.string()));
  }
  read_lines(text, path, take);
}

const io::JsonValue* find_prediction_id(const io::JsonValue& row) {
  return find_first(row, {"question_id", "id", "sample_id"}, false);
}

const io::JsonValue* find_prediction_answer(const io::JsonValue& row) {
  return find_first(row, {"pred_ans", "pred_answer", "answer"}, true);
}

bool is_blocked_prediction(const io::JsonValue& row) {
  const io::JsonValue* const status = row.find("status");
  const std::string* const text = status == nullptr ? nullptr : status->find_string();
  return text != nullptr && *text == "blocked";
}

std::optional<std::string> find_text_or_integer(const io::JsonValue* value) {
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = value->find_string()) return *text;
  if (const auto integer = value->find_integer()) return std::to_string(*integer);
  return std::nullopt;
}

}  // namespace contra4::data
