#include "contra4/eval/run_journal.h"

#include <array>

#include <fmt/format.h>

#include "contra4/io/journal.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::eval {

namespace {

constexpr std::array kStates = {RequestState::kOpen,    RequestState::kAnswered,
                                RequestState::kBlocked, RequestState::kUnsupported,
                                RequestState::kFailed,  RequestState::kNotShown};
constexpr std::array kCodes = {ErrorCode::kInvalidArgument,   ErrorCode::kNotFound,
                               ErrorCode::kDataLoss,          ErrorCode::kUnauthenticated,
                               ErrorCode::kResourceExhausted, ErrorCode::kUnavailable,
                               ErrorCode::kDeadlineExceeded,  ErrorCode::kUnimplemented,
                               ErrorCode::kCancelled,         ErrorCode::kInternal};

std::string text_of(const io::JsonValue& line, std::string_view name) {
  const io::JsonValue* const member = line.find(name);
  const std::string* const text = member == nullptr ? nullptr : member->find_string();
  return text == nullptr ? std::string() : *text;
}

std::optional<RequestState> parse_state(std::string_view text) {
  for (const RequestState state : kStates) {
    if (state != RequestState::kOpen && text == to_string(state)) return state;
  }
  return std::nullopt;
}

ErrorCode parse_code(std::string_view text) {
  for (const ErrorCode code : kCodes) {
    if (text == to_string(code)) return code;
  }
  return ErrorCode::kInternal;
}

}  // namespace

std::string_view to_string(RequestState state) {
  switch (state) {
    case RequestState::kOpen:
      return "open";
    case RequestState::kAnswered:
      return "answered";
    case RequestState::kBlocked:
      return "blocked";
    case RequestState::kUnsupported:
      return "unsupported";
    case RequestState::kFailed:
      return "failed";
    case RequestState::kNotShown:
      break;
  }
  return "not_shown";
}

std::string to_json_line(const JournalEntry& entry) {
  io::JsonWriter json;
  json.begin_object();
  json.member("id", entry.item_id);
  json.member("permutation", entry.order);
  json.member("status", to_string(entry.state));
  if (is_final(entry.state)) json.member("text", entry.text);
  if (entry.choice) json.member("choice", std::string(1, scene_letter(*entry.choice)));
  if (!entry.scores.empty()) {
    json.key("scores").begin_array();
    for (const double score : entry.scores) json.value(score);
    json.end_array();
  }
  if (entry.state != RequestState::kAnswered) {
    json.key("error").begin_object();
    json.member("code", to_string(entry.error.code));
    json.member("message", entry.error.message);
    json.end_object();
  }
  if (entry.usage.prompt_tokens != 0 || entry.usage.completion_tokens != 0) {
    json.key("usage").begin_object();
    json.member("prompt_tokens", entry.usage.prompt_tokens);
    json.member("completion_tokens", entry.usage.completion_tokens);
    json.end_object();
  }
  if (entry.latency_s > 0) json.member("latency_s", entry.latency_s);
  if (entry.tries > 0) json.member("tries", entry.tries);
  if (!entry.endpoint.empty()) json.member("endpoint", entry.endpoint);
  if (!entry.raw_reply.empty()) json.member("raw_reply", entry.raw_reply);
  json.end_object();
  return json.take();
}

Result<JournalEntry> parse_journal_line(std::string_view line) {
  const auto parsed = io::parse_json(line, "journal line");
  if (!parsed) return parsed.error();
  JournalEntry entry;
  entry.item_id = text_of(*parsed, "id");
  entry.order = text_of(*parsed, "permutation");
  const auto state = parse_state(text_of(*parsed, "status"));
  const io::JsonValue* const text = parsed->find("text");
  if (entry.item_id.empty() || entry.order.empty() || !state ||
      (is_final(*state) && (text == nullptr || !text->is_string()))) {
    return Error{ErrorCode::kDataLoss, "journal line without id, permutation, status or text"};
  }
  entry.state = *state;
  entry.text = text_of(*parsed, "text");
  const std::string choice = text_of(*parsed, "choice");
  if (choice.size() == 1 && choice[0] >= 'A' && choice[0] <= 'Z') entry.choice = choice[0] - 'A';
  if (const auto* scores = parsed->find_path("scores"); scores && scores->find_array()) {
    for (const io::JsonValue& score : *scores->find_array()) {
      entry.scores.push_back(score.find_number().value_or(0));
    }
  }
  const auto count = [&](const char* name) {
    const io::JsonValue* const value = parsed->find_path("usage", name);
    return value == nullptr ? 0 : value->find_integer().value_or(0);
  };
  entry.usage = {count("prompt_tokens"), count("completion_tokens")};
  if (const auto* latency = parsed->find("latency_s")) {
    entry.latency_s = latency->find_number().value_or(0);
  }
  if (const auto* tries = parsed->find("tries")) {
    entry.tries = static_cast<int>(tries->find_integer().value_or(0));
  }
  entry.endpoint = text_of(*parsed, "endpoint");
  entry.raw_reply = text_of(*parsed, "raw_reply");
  if (const auto* error = parsed->find("error")) {
    entry.error = {parse_code(text_of(*error, "code")), text_of(*error, "message")};
  }
  return entry;
}

JournalIndex::JournalIndex(const RequestPlan& plan)
    : plan_(plan),
      states_(plan.num_requests(), RequestState::kOpen),
      offsets_(plan.num_requests(), 0) {}

void JournalIndex::read(const std::filesystem::path& path) {
  const RequestPlan::Finder finder(plan_);
  std::uint64_t offset = 0;
  const auto summary = io::read_journal(path, [&](std::uint64_t number, std::string_view line) {
    const std::uint64_t begin = offset;
    offset += line.size() + 1;
    const auto entry = parse_journal_line(line);
    if (!entry) {
      if (damaged_lines_++ == 0) {
        first_damage_ = fmt::format("line {}: {}", number, entry.error().message);
      }
      return;
    }
    const auto request = finder.find(entry->item_id, entry->order);
    if (!request) {
      ++foreign_lines_;
      return;
    }
    if (is_final(states_[*request])) return;
    states_[*request] = entry->state;
    offsets_[*request] = begin;
  });
  torn_bytes_ = summary.torn_bytes;
}

JournalLines::JournalLines(const std::filesystem::path& path) : file_(path) {}

JournalEntry JournalLines::at(std::uint64_t offset) const {
  std::string_view rest = file_.bytes();
  CONTRA4_CHECK(offset < rest.size(), "journal shorter than its index");
  rest.remove_prefix(offset);
  return parse_journal_line(rest.substr(0, rest.find('\n'))).value();
}

}  // namespace contra4::eval
