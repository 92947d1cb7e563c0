// The model server's side of the loopback server: what the two protocols say.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/support/loopback_server.h"

namespace contra4::testing {

namespace {

std::uint64_t hash_body(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash ^ (hash >> 29);
}

// How many of "Scene A" to "Scene D" the prompt mentions without a gap; all four when none.
std::size_t num_scenes(std::string_view body) {
  constexpr std::array<std::string_view, 4> kNames = {"Scene A", "Scene B", "Scene C", "Scene D"};
  std::size_t count = 0;
  while (count < kNames.size() && body.find(kNames[count]) != std::string_view::npos) ++count;
  return count == 0 ? kNames.size() : count;
}

// The string after "name": at the top of a flat look; enough for what our clients send.
std::string_view find_text(std::string_view json, std::string_view quoted_name) {
  std::size_t at = json.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" :", at + quoted_name.size());
  if (at == std::string_view::npos || json[at] != '"') return {};
  const std::size_t end = json.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : json.substr(at + 1, end - at - 1);
}

bool asks_for(std::string_view body, std::string_view quoted_name) {
  const std::size_t at = body.find(quoted_name);
  if (at == std::string_view::npos) return false;
  const std::size_t value = body.find_first_not_of(" :", at + quoted_name.size());
  return value != std::string_view::npos && body.compare(value, 5, "false") != 0 &&
         body.compare(value, 4, "null") != 0;
}

std::string usage_members(std::string_view body, const char* prompt, const char* completion,
                          const char* total) {
  const std::size_t asked = body.size() / 4;
  return std::string("{\"") + prompt + "\": " + std::to_string(asked) + ", \"" + completion +
         "\": 3, \"" + total + "\": " + std::to_string(asked + 3) + "}";
}

// Log-probabilities of the letters: the chosen one 0.7, the others share the rest.
std::string top_logprobs(std::size_t chosen, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = i == chosen ? 0.7 : 0.3 / static_cast<double>(count);
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.6f", std::log(share));
    const std::string letter(1, static_cast<char>('A' + i));
    list += (i == 0 ? "" : ", ") + std::string(R"({"token": ")") + letter + R"(", "logprob": )" +
            number.data() + R"(, "bytes": null})";
  }
  return list;
}

// Whether the prompt is one of `contra4 generate` that wants a question.
bool wants_question(std::string_view body) {
  return body.find("Generated Question:") != std::string_view::npos;
}

// Every seventh is none: it ends without a question mark.
std::string question_text(std::string_view body) {
  const std::uint64_t hash = hash_body(body);
  return "Which scene would be number " + std::to_string(hash % 1000) + " of a list" +
         (hash % 7 == 0 ? "." : "?");
}

LoopbackReply chat_completion(const LoopbackRequest& request) {
  const std::size_t count = num_scenes(request.body);
  const std::size_t chosen = hash_body(request.body) % count;
  const std::string letter(1, static_cast<char>('A' + chosen));
  std::string content = "Scene " + letter;
  std::string logprobs = "null";
  if (wants_question(request.body)) {
    content = question_text(request.body);
  } else if (asks_for(request.body, "\"response_format\"")) {
    content = R"({"answer": ")" + letter + R"("})";
  } else if (asks_for(request.body, "\"logprobs\"")) {
    content = letter;
    logprobs = R"({"content": [{"token": ")" + letter +
               R"(", "logprob": -0.356675, "bytes": null, "top_logprobs": [)" +
               top_logprobs(chosen, count) + "]}]}";
  }
  return {.body =
              R"({"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, )"
              R"("model": ")" +
              std::string(find_text(request.body, "\"model\"")) +
              R"(", "choices": [{"index": 0, "message": {"role": "assistant", "content": )" +
              json_text(content) + R"(}, "logprobs": )" + logprobs +
              R"(, "finish_reason": "stop"}], "usage": )" +
              usage_members(request.body, "prompt_tokens", "completion_tokens", "total_tokens") +
              "}"};
}

LoopbackReply completion(const LoopbackRequest& request) {
  const std::size_t chosen = hash_body(request.body) % num_scenes(request.body);
  const std::string text = wants_question(request.body)
                               ? question_text(request.body)
                               : std::string("Scene ") + static_cast<char>('A' + chosen);
  return {.body =
              R"({"id": "cmpl-1", "object": "text_completion", "created": 1700000000, )"
              R"("model": ")" +
              std::string(find_text(request.body, "\"model\"")) +
              R"(", "choices": [{"index": 0, "text": " )" + text +
              R"(", "logprobs": null, "finish_reason": "stop"}], "usage": )" +
              usage_members(request.body, "prompt_tokens", "completion_tokens", "total_tokens") +
              "}"};
}

LoopbackReply generate_content(const LoopbackRequest& request) {
  const std::size_t chosen = hash_body(request.body) % num_scenes(request.body);
  return {.body = R"({"candidates": [{"content": {"parts": [{"text": "Scene )" +
                  std::string(1, static_cast<char>('A' + chosen)) +
                  R"("}], "role": "model"}, "finishReason": "STOP", "index": 0}], )"
                  R"("usageMetadata": )" +
                  usage_members(request.body, "promptTokenCount", "candidatesTokenCount",
                                "totalTokenCount") +
                  R"(, "modelVersion": "loopback"})"};
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      quoted += escape.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

LoopbackReply answer_as_model_server(const LoopbackRequest& request) {
  const std::string_view path = request.path();
  if (request.method == "POST") {
    if (path.ends_with("/chat/completions")) return chat_completion(request);
    if (path.ends_with("/completions")) return completion(request);
    if (path.ends_with(":generateContent")) return generate_content(request);
  }
  if (request.method == "GET" && path.ends_with("/models")) {
    return {.body = R"({"object": "list", "data": [{"id": "loopback", "object": "model", )"
                    R"("created": 1700000000, "owned_by": "contra4"}]})"};
  }
  return {.status = 404,
          .body = R"({"error": {"message": "no such path", "type": "invalid_request_error", )"
                  R"("code": null}})"};
}

}  // namespace contra4::testing
