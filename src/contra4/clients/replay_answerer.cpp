#include "contra4/clients/replay_answerer.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/data/item.h"
#include "contra4/data/prediction_rows.h"
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
  RowReader(const std::filesystem::path& path, std::uint64_t number, const io::JsonValue& row)
      : path_(path), number_(number), row_(row) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[replay] {}, row {}{}: {}", path_.string(), number_,
                                id_.empty() ? "" : fmt::format(" (id '{}')", id_), what));
  }

  std::string read_id() {
    const io::JsonValue* const value = data::find_prediction_id(row_);
    if (value == nullptr) fail("no 'id', 'question_id' or 'sample_id'");
    const auto text = data::find_text_or_integer(value);
    if (!text) fail("the 'id' is neither a text nor an integer");
    return id_ = *text;
  }

  std::optional<std::string> read_answer() const {
    return read_text(data::find_prediction_answer(row_), "the answer");
  }
  std::optional<std::string> read_member(const char* name) const {
    return read_text(row_.find(name), fmt::format("'{}'", name));
  }

 private:
  std::optional<std::string> read_text(const io::JsonValue* value, std::string_view what) const {
    if (value == nullptr || value->is_null()) return std::nullopt;
    const std::string* const text = value->find_string();
    if (text == nullptr) fail(fmt::format("{} is not a text", what));
    return *text;
  }

  const std::filesystem::path& path_;
  std::uint64_t number_;
  const io::JsonValue& row_;
  std::string id_;
};

}  // namespace

ReplayAnswerer::ReplayAnswerer(const std::filesystem::path& path) : path_(path) {
  const std::string text = io::read_file(path);
  sha256_ = sha256_hex(text);
  data::read_prediction_rows(
      text, path, [this](const io::JsonValue& row, std::uint64_t number) { add(row, number); });
}

void ReplayAnswerer::add(const io::JsonValue& value, std::uint64_t number) {
  RowReader reader(path_, number, value);
  if (!value.is_object()) reader.fail("not an object");
  const std::string id = reader.read_id();
  Row row;
  const std::optional<std::string> answer = reader.read_answer();
  const std::optional<std::string> choice = reader.read_member("choice");
  row.is_blocked = data::is_blocked_prediction(value);
  if (choice) {
    row.choice = parse_gold_answer(*choice);
    if (!row.choice) reader.fail(fmt::format("'choice' names no scene: {}", *choice));
  }
  if (!answer && !row.choice && !row.is_blocked) {
    reader.fail("no 'pred_ans', 'answer' or 'choice'");
  }
  row.text = answer ? *answer : row.choice ? scene_name(*row.choice) : std::string();
  const std::string order = reader.read_member("permutation").value_or("");
  if (!rows_.emplace(row_key(id, order), std::move(row)).second) {
    reader.fail(order.empty() ? "a second row of the item"
                              : fmt::format("a second row of the item's order {}", order));
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
