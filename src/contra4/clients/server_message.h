// What a server says went wrong, whichever of the usual shapes it says it in.
#pragma once

#include <string>
#include <string_view>

#include "contra4/io/json.h"

namespace contra4::clients {

struct ServerMessage {
  int status = 0;       // of HTTP, or the one in the body when the server sent the error with 200
  std::string message;  // its words; the whole body where that is no JSON
  std::string code;     // "insufficient_quota", "RESOURCE_EXHAUSTED"; empty when there is none
  std::string type;     // "invalid_request_error"; may be empty
  std::string param;    // the parameter it names: "max_tokens", "messages[0].role"; may be empty

  // Whether message, code, type or param holds `phrase`, which is in lower case, in any case.
  bool mentions(std::string_view phrase) const;
  // Whether param is `word`, or message or code hold it with no letter, digit or underscore beside.
  bool names(std::string_view word) const;
};

// OpenAI and vLLM ({"error": {...}} and the object itself), Gemini (also in an array), FastAPI
// ({"detail": text or list}), plain text. `root` is the parsed body, null for no JSON.
ServerMessage parse_server_message(int http_status, const io::JsonValue* root,
                                   std::string_view body);

// The error object of a body that was sent with status 200; null when there is none.
const io::JsonValue* find_error_object(const io::JsonValue& root);

}  // namespace contra4::clients
