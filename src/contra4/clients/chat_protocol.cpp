#include "contra4/clients/chat_protocol.h"

#include <fmt/format.h>

#include "contra4/clients/retry.h"

namespace contra4::clients {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed UTF-8 character at the start of `text`; 0 when there is none.
// Source: table 3-7 of the Unicode standard.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

ErrorCode code_of_status(int status) {
  if (status == 404) return ErrorCode::kNotFound;
  if (status == 408 || status == 504) return ErrorCode::kDeadlineExceeded;
  if (status == 429) return ErrorCode::kResourceExhausted;
  if (status == 501) return ErrorCode::kUnimplemented;
  return status >= 400 && !is_retried_status(status) ? ErrorCode::kInvalidArgument
                                                     : ErrorCode::kUnavailable;
}

}  // namespace

std::string shorten(std::string_view text, std::size_t max_bytes) {
  std::string line;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    std::string_view character = length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
    const auto first = static_cast<unsigned char>(character[0]);
    const bool is_control =
        first < 0x20 || first == 0x7F ||
        (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);  // C1: terminals obey
    if (is_control) character = " ";
    if (line.size() + character.size() > max_bytes) break;
    line += character;
  }
  return line;
}

ReplyVerdict verdict_of_status(int status, std::string_view server_message,
                               std::string_view endpoint_name, std::string_view key_variable) {
  std::string message = fmt::format("{} answers {}", endpoint_name, status);
  if (!server_message.empty()) message += ": " + shorten(server_message);
  ReplyVerdict verdict;
  verdict.status = OutcomeStatus::kFailed;
  if (status == 401 || status == 403) {
    verdict.next = ReplyVerdict::Next::kEndRun;
    if (!key_variable.empty()) message += fmt::format("; is the key in {} right?", key_variable);
    verdict.error = {ErrorCode::kUnauthenticated, std::move(message)};
    return verdict;
  }
  if (status >= 300 && status <= 399) {
    message += "; redirects are not followed, give the final URL";
  }
  verdict.next =
      is_retried_status(status) ? ReplyVerdict::Next::kRetry : ReplyVerdict::Next::kFinal;
  verdict.error = {code_of_status(status), std::move(message)};
  return verdict;
}

}  // namespace contra4::clients
