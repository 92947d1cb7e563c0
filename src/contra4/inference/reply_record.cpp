#include "contra4/inference/reply_record.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/item.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4 {

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

// What answers and outcomes have in common; the rest of `reply` stays as it is.
template <class Reply>
ReplyRecord record_of_reply(std::string item_id, std::string part, Reply& reply) {
  ReplyRecord record;
  record.item_id = std::move(item_id);
  record.part = std::move(part);
  record.state = state_of(reply.status);
  record.text = std::move(reply.text);
  record.usage = reply.usage;
  record.latency_s = reply.latency_s;
  record.tries = reply.tries;
  record.endpoint = std::move(reply.endpoint);
  record.raw_reply = std::move(reply.raw_reply);
  record.error = std::move(reply.error);
  return record;
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

RequestState state_of(OutcomeStatus status) {
  switch (status) {
    case OutcomeStatus::kAnswered:
      return RequestState::kAnswered;
    case OutcomeStatus::kBlocked:
      return RequestState::kBlocked;
    case OutcomeStatus::kUnsupported:
      return RequestState::kUnsupported;
    case OutcomeStatus::kFailed:
      break;
  }
  return RequestState::kFailed;
}

void check_choice(Answer& answer, int num_scenes) {
  if (!answer.choice || (*answer.choice >= 0 && *answer.choice < num_scenes)) return;
  answer.status = OutcomeStatus::kFailed;
  answer.error = {ErrorCode::kInternal,
                  fmt::format("the model chose scene {} of {}", *answer.choice + 1, num_scenes)};
  answer.choice.reset();
}

ReplyRecord record_of(std::string item_id, std::string part, Answer answer) {
  ReplyRecord record = record_of_reply(std::move(item_id), std::move(part), answer);
  record.choice = answer.choice;
  record.scores = std::move(answer.scores);
  return record;
}

ReplyRecord record_of(std::string item_id, std::string part, GenerateOutcome outcome) {
  return record_of_reply(std::move(item_id), std::move(part), outcome);
}

std::string to_json_line(const ReplyRecord& record) {
  io::JsonWriter json;
  json.begin_object();
  json.member("id", record.item_id);
  json.member("part", record.part);
  json.member("status", to_string(record.state));
  if (is_final(record.state)) json.member("text", record.text);
  if (record.choice) json.member("choice", std::string(1, scene_letter(*record.choice)));
  if (!record.scores.empty()) {
    json.key("scores").begin_array();
    for (const double score : record.scores) json.value(score);
    json.end_array();
  }
  if (record.state != RequestState::kAnswered) {
    json.key("error").begin_object();
    json.member("code", to_string(record.error.code));
    json.member("message", record.error.message);
    json.end_object();
  }
  if (record.usage.prompt_tokens != 0 || record.usage.completion_tokens != 0) {
    json.key("usage").begin_object();
    json.member("prompt_tokens", record.usage.prompt_tokens);
    json.member("completion_tokens", record.usage.completion_tokens);
    json.end_object();
  }
  if (record.latency_s > 0) json.member("latency_s", record.latency_s);
  if (record.tries > 0) json.member("tries", record.tries);
  if (!record.endpoint.empty()) json.member("endpoint", record.endpoint);
  if (!record.raw_reply.empty()) json.member("raw_reply", record.raw_reply);
  json.end_object();
  return json.take();
}

Result<ReplyRecord> parse_reply_record(std::string_view line) {
  const auto parsed = io::parse_json(line, "journal line");
  if (!parsed) return parsed.error();
  ReplyRecord record;
  record.item_id = text_of(*parsed, "id");
  record.part = text_of(*parsed, "part");
  const auto state = parse_state(text_of(*parsed, "status"));
  const io::JsonValue* const text = parsed->find("text");
  if (record.item_id.empty() || record.part.empty() || !state ||
      (is_final(*state) && (text == nullptr || !text->is_string()))) {
    return Error{ErrorCode::kDataLoss, "journal line without id, part, status or text"};
  }
  record.state = *state;
  record.text = text_of(*parsed, "text");
  const std::string choice = text_of(*parsed, "choice");
  if (choice.size() == 1 && choice[0] >= 'A' && choice[0] <= 'Z') record.choice = choice[0] - 'A';
  if (const auto* scores = parsed->find_path("scores"); scores && scores->find_array()) {
    for (const io::JsonValue& score : *scores->find_array()) {
      record.scores.push_back(score.find_number().value_or(0));
    }
  }
  const auto count = [&](const char* name) {
    const io::JsonValue* const value = parsed->find_path("usage", name);
    return value == nullptr ? 0 : value->find_integer().value_or(0);
  };
  record.usage = {count("prompt_tokens"), count("completion_tokens")};
  if (const auto* latency = parsed->find("latency_s")) {
    record.latency_s = latency->find_number().value_or(0);
  }
  if (const auto* tries = parsed->find("tries")) {
    record.tries = static_cast<int>(tries->find_integer().value_or(0));
  }
  record.endpoint = text_of(*parsed, "endpoint");
  record.raw_reply = text_of(*parsed, "raw_reply");
  if (const auto* error = parsed->find("error")) {
    record.error = {parse_code(text_of(*error, "code")), text_of(*error, "message")};
  }
  return record;
}

}  // namespace contra4
