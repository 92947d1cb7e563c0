#include "contra4/clients/replay_answerer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/data/item.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

// Order names in the file's own order count as none: "ABC".
std::string row_key(std::string_view id, std::string_view order) {
  bool is_as_filed = true;
  for (std::size_t place = 0; place < order.size(); ++place) {
    is_as_filed &= order[place] == scene_letter(static_cast<int>(place));
  }
  return fmt::format("{}\x1f{}", id, is_as_filed ? std::string_view() : order);
}

class RowReader {
 public:
  RowReader(const std::filesystem::path& path, std::size_t number, const io::JsonValue& row)
      : path_(path), number_(number), row_(row) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[replay] {}, row {}{}: {}", path_.string(), number_,
                                id_.empty() ? "" : fmt::format(" (id '{}')", id_), what));
  }

  std::string read_id() {
    for (const std::string_view name : {"id", "question_id", "sample_id"}) {
      const io::JsonValue* value = row_.find(name);
      if (value == nullptr || value->is_null()) continue;
      if (const std::string* text = value->find_string()) return id_ = *text;
      if (const auto integer = value->find_integer()) return id_ = fmt::format("{}", *integer);
      fail(fmt::format("'{}' is neither a text nor an integer", name));
    }
    fail("no 'id', 'question_id' or 'sample_id'");
  }

  // Of the first member that is there and not null; empty when none is.
  std::optional<std::string> read_text(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names) {
      const io::JsonValue* value = row_.find(name);
      if (value == nullptr || value->is_null()) continue;
      const std::string* text = value->find_string();
      if (text == nullptr) fail(fmt::format("'{}' is not a text", name));
      return *text;
    }
    return std::nullopt;
  }

 private:
  const std::filesystem::path& path_;
  std::size_t number_;
  const io::JsonValue& row_;
  std::string id_;
};

// The rows of a list, or of the lines of a file that does not begin with one.
io::JsonValue::Array read_rows(const std::string& text, const std::filesystem::path& path) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '[') {
    const io::JsonValue root = io::parse_json(text, path.string()).value();
    return *root.find_array();
  }
  io::JsonValue::Array rows;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    rows.push_back(io::parse_json(line, fmt::format("{}, line {}", path.string(), number)).value());
  }
  return rows;
}

}  // namespace

ReplayAnswerer::ReplayAnswerer(const std::filesystem::path& path) : path_(path) {
  const std::string text = io::read_file(path);
  sha256_ = sha256_hex(text);
  std::size_t number = 0;
  for (const io::JsonValue& value : read_rows(text, path)) {
    RowReader reader(path, ++number, value);
    if (!value.is_object()) reader.fail("not an object");
    const std::string id = reader.read_id();
    Row row;
    const std::optional<std::string> answer = reader.read_text({"pred_ans", "answer"});
    const std::optional<std::string> choice = reader.read_text({"choice"});
    const std::optional<std::string> status = reader.read_text({"status"});
    row.is_blocked = status == "blocked";
    if (choice) {
      row.choice = parse_gold_answer(*choice);
      if (!row.choice) reader.fail(fmt::format("'choice' names no scene: {}", *choice));
    }
    if (!answer && !row.choice && !row.is_blocked) {
      reader.fail("no 'pred_ans', 'answer' or 'choice'");
    }
    row.text = answer ? *answer : row.choice ? scene_name(*row.choice) : std::string();
    const std::string order = reader.read_text({"permutation"}).value_or("");
    if (!rows_.emplace(row_key(id, order), std::move(row)).second) {
      reader.fail(order.empty() ? "a second row of the item"
                                : fmt::format("a second row of the item's order {}", order));
    }
  }
}

void ReplayAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                         std::stop_token stop) {
  while (!stop.stop_requested()) {
    const std::optional<Question> question = source();
    if (!question) return;
    Answer answer;
    answer.ticket = question->ticket;
    const auto found = rows_.find(row_key(question->item_id, question->order));
    if (found == rows_.end()) {
      answer.error = {
          ErrorCode::kNotFound,
          fmt::format("[replay] {} has no answer for item '{}'{}", path_.string(),
                      question->item_id,
                      question->order.empty() ? "" : fmt::format(", order {}", question->order))};
    } else if (found->second.is_blocked) {
      answer.status = OutcomeStatus::kBlocked;
      answer.error = {ErrorCode::kUnavailable, "[replay] blocked when it was asked"};
    } else {
      answer.status = OutcomeStatus::kAnswered;
      answer.text = found->second.text;
      const bool is_shown =
          found->second.choice && *found->second.choice < static_cast<int>(question->scenes.size());
      if (is_shown) answer.choice = found->second.choice;
    }
    sink(std::move(answer));
  }
}

std::string ReplayAnswerer::description_json() const {
  io::JsonWriter writer;
  writer.begin_object().member("file", path_.filename().string()).member("sha256", sha256_);
  return writer.end_object().take();
}

}  // namespace contra4::clients
