#include "contra4/clients/server_message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace contra4::clients {

namespace {

// Phrases stand at the front of what servers say; a body of megabytes is not searched.
constexpr std::size_t kMaxWords = 8192;

std::string lower(std::string_view text) {
  std::string result(text.substr(0, kMaxWords));
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// Text as it is, numbers as written: some servers give the HTTP status as the code.
std::string text_of(const io::JsonValue* value) {
  if (value == nullptr) return {};
  if (const std::string* text = value->find_string()) return *text;
  if (const auto number = value->find_integer()) return std::to_string(*number);
  return {};
}

// FastAPI's validation errors: [{"loc": ["body", "seed"], "msg": "...", "type": "..."}].
std::string text_of_details(const io::JsonValue::Array& details) {
  std::string text;
  for (const io::JsonValue& detail : details) {
    std::string place;
    if (const io::JsonValue* loc = detail.find("loc"); loc != nullptr && loc->find_array()) {
      for (const io::JsonValue& step : *loc->find_array()) {
        if (!place.empty()) place += '.';
        place += text_of(&step);
      }
    }
    if (!text.empty()) text += "; ";
    text += fmt::format("{}: {} ({})", place, text_of(detail.find("msg")),
                        text_of(detail.find("type")));
    if (text.size() > kMaxWords) break;
  }
  return text;
}

bool is_http_status(std::int64_t number) {
  return number >= 400 && number < 600;
}

// The object that holds "message", and for OpenAI "code", "type", "param", for Gemini "status".
const io::JsonValue* find_body_of_error(const io::JsonValue& root) {
  if (const io::JsonValue* error = find_error_object(root)) return error;
  return root.find("message") != nullptr ? &root : nullptr;
}

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool holds_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool is_free_before = at == 0 || !is_word_byte(text[at - 1]);
    const bool is_free_behind = end == text.size() || !is_word_byte(text[end]);
    if (is_free_before && is_free_behind) return true;
  }
  return false;
}

}  // namespace

bool ServerMessage::mentions(std::string_view phrase) const {
  for (const std::string* text : {&message, &code, &type, &param}) {
    if (lower(*text).find(phrase) != std::string::npos) return true;
  }
  return false;
}

bool ServerMessage::names(std::string_view word) const {
  const std::string wanted = lower(word);
  return lower(param) == wanted || holds_word(lower(message), wanted) ||
         holds_word(lower(code), wanted);
}

const io::JsonValue* find_error_object(const io::JsonValue& root) {
  const io::JsonValue* holder = &root;
  if (const auto* list = root.find_array()) {
    if (list->empty()) return nullptr;
    holder = list->data();
  }
  const io::JsonValue* error = holder->find("error");
  return error != nullptr && (error->is_object() || error->is_string()) ? error : nullptr;
}

ServerMessage parse_server_message(int http_status, const io::JsonValue* root,
                                   std::string_view body) {
  ServerMessage result;
  result.status = http_status;
  const io::JsonValue* error = root != nullptr ? find_body_of_error(*root) : nullptr;
  if (error != nullptr && error->is_string()) {
    result.message = *error->find_string();
  } else if (error != nullptr) {
    result.message = text_of(error->find("message"));
    result.type = text_of(error->find("type"));
    result.param = text_of(error->find("param"));
    result.code = text_of(error->find("code"));
    // Gemini gives the number as the code and the name as the status.
    if (const std::string name = text_of(error->find("status")); !name.empty()) result.code = name;
    const io::JsonValue* number = error->find("code");
    if (http_status < 400 && number != nullptr && number->find_integer() &&
        is_http_status(*number->find_integer())) {
      result.status = static_cast<int>(*number->find_integer());
    }
  } else if (root != nullptr && root->find("detail") != nullptr) {
    const io::JsonValue* detail = root->find("detail");
    result.message =
        detail->find_array() ? text_of_details(*detail->find_array()) : text_of(detail);
  }
  if (result.message.empty()) result.message = std::string(body.substr(0, kMaxWords));
  return result;
}

}  // namespace contra4::clients
