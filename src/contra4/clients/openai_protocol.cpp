#include "contra4/clients/openai_protocol.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/clients/endpoint_pool.h"
#include "contra4/io/json.h"

namespace contra4::clients {

namespace {

using namespace std::string_view_literals;
using Next = ReplyVerdict::Next;

constexpr std::array kMeanings = {
    // OpenAI says 429 to an account without credit, which no waiting mends.
    ErrorMeaning{"insufficient_quota", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kResourceExhausted,
                 "the account has no credit left; what was answered is kept"},
    ErrorMeaning{"billing_hard_limit_reached", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kResourceExhausted, "raise the limit; what was answered is kept"},
    ErrorMeaning{"billing_not_active", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kResourceExhausted, "the account is not active"},
    ErrorMeaning{"insufficient balance", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kResourceExhausted,
                 "the account has no credit left; what was answered is kept"},
    ErrorMeaning{"insufficient credits", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kResourceExhausted,
                 "the account has no credit left; what was answered is kept"},
    ErrorMeaning{"content_filter", Next::kFinal, OutcomeStatus::kBlocked,
                 ErrorCode::kInvalidArgument, "refused by the content filter"},
    ErrorMeaning{"content_policy_violation", Next::kFinal, OutcomeStatus::kBlocked,
                 ErrorCode::kInvalidArgument, "refused by the content policy"},
    ErrorMeaning{"context_length_exceeded", Next::kFinal, OutcomeStatus::kFailed,
                 ErrorCode::kInvalidArgument, "longer than the model's context"},
    ErrorMeaning{"exceed_context_size", Next::kFinal, OutcomeStatus::kFailed,
                 ErrorCode::kInvalidArgument, "longer than the server's context"},
    ErrorMeaning{"maximum context length", Next::kFinal, OutcomeStatus::kFailed,
                 ErrorCode::kInvalidArgument, "longer than the model's context"},
    ErrorMeaning{"model_not_found", Next::kEndRun, OutcomeStatus::kFailed, ErrorCode::kNotFound,
                 "is the model's name right?"},
    ErrorMeaning{"not a valid model id", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kNotFound, "is the model's name right?"},
};

// Content is a string, or a list of parts with "text"; anything else is no text.
std::string text_of_content(const io::JsonValue* content) {
  if (content == nullptr) return {};
  if (const std::string* text = content->find_string()) return *text;
  std::string text;
  if (const auto* parts = content->find_array()) {
    for (const io::JsonValue& part : *parts) {
      const io::JsonValue* piece = part.is_string() ? &part : part.find("text");
      if (piece != nullptr && piece->is_string()) text += *piece->find_string();
    }
  }
  return text;
}

std::string_view string_at(const io::JsonValue& object, std::string_view name) {
  const io::JsonValue* value = object.find(name);
  return value != nullptr && value->is_string() ? std::string_view(*value->find_string())
                                                : std::string_view();
}

TokenUsage usage_of(const io::JsonValue& root) {
  const auto count = [&](const char* name) {
    const io::JsonValue* value = root.find_path("usage", name);
    const auto number = value != nullptr ? value->find_integer() : std::nullopt;
    return std::max<std::int64_t>(number.value_or(0), 0);
  };
  return {count("prompt_tokens"), count("completion_tokens")};
}

}  // namespace

std::string openai_url(std::string_view base, OpenAiApi api) {
  base = base.substr(0, base.find('#'));
  const std::size_t question = std::min(base.find('?'), base.size());
  std::string url(base.substr(0, question));
  while (url.ends_with('/')) url.pop_back();
  const std::size_t scheme = url.find("://");
  if (scheme != std::string::npos && url.find('/', scheme + 3) == std::string::npos) url += "/v1";
  const std::string_view path = api == OpenAiApi::kChat ? "/chat/completions"sv : "/completions"sv;
  if (!url.ends_with(path)) url += path;
  return url.append(base.substr(question));
}

OpenAiProtocol::OpenAiProtocol(const OpenAiProtocolOptions& options)
    : LearningProtocol(
          options.model, ApiKey(options.key, options.key_variable),
          [&] {
            std::vector<Endpoint> endpoints;
            for (const std::string& base : options.base_urls) {
              endpoints.push_back(make_endpoint(openai_url(base, options.api), endpoint_name(base),
                                                kOpenAiMediaStyles));
            }
            return endpoints;
          }()),
      api_(options.api),
      media_(options.media) {}

Result<net::HttpRequest> OpenAiProtocol::write(const GenerateRequest& request,
                                               const Endpoint& endpoint) const {
  OpenAiDialect dialect{.model = model(),
                        .api = api_,
                        .quirks = endpoint.quirks,
                        .media_styles = {},
                        .media = media_.get()};
  for (std::size_t i = 0; i < kNumChannels; ++i) {
    dialect.media_styles[i] = endpoint.media.style(static_cast<Channel>(i));
  }
  auto body = write_openai_body(request, dialect);
  if (!body) return body.error();
  net::HttpRequest http;
  http.url = endpoint.url;
  http.headers.emplace_back("Content-Type", "application/json");
  if (key().is_set()) http.headers.emplace_back("Authorization", "Bearer " + key().reveal());
  http.body = *std::move(body);
  return http;
}

bool OpenAiProtocol::holds_answer(const io::JsonValue& root) const {
  const io::JsonValue* choice = root.find_path("choices", 0);
  if (choice == nullptr) return false;
  const io::JsonValue* message = choice->find("message");
  return (message != nullptr && message->is_object()) || choice->find("text") != nullptr;
}

ReplyVerdict OpenAiProtocol::parse_answer(const GenerateRequest& request, Endpoint& endpoint,
                                          const io::JsonValue& root) const {
  const io::JsonValue& choice = *root.find_path("choices", 0);
  const io::JsonValue* message = choice.find("message");
  const bool is_chat = message != nullptr && message->is_object();
  ReplyVerdict verdict;
  verdict.usage = usage_of(root);
  verdict.text = text_of_content(is_chat ? message->find("content") : choice.find("text"));
  const std::string_view finish = string_at(choice, "finish_reason");
  const std::string_view refusal = is_chat ? string_at(*message, "refusal") : ""sv;
  if (finish == "content_filter" || (!refusal.empty() && verdict.text.empty())) {
    verdict.status = OutcomeStatus::kBlocked;
    verdict.text.clear();
    verdict.error = {ErrorCode::kInvalidArgument,
                     fmt::format("{} refused the content: {}", endpoint.name,
                                 refusal.empty() ? std::string(finish)
                                                 : shorten(redacted(std::string(refusal))))};
    return verdict;
  }
  if (finish == "error") {
    return failure(Next::kRetry, ErrorCode::kUnavailable,
                   fmt::format("{} broke off its reply", endpoint.name));
  }
  verdict.status = OutcomeStatus::kAnswered;
  if (goes_on_from_prefix(request, api_, endpoint.quirks)) {
    verdict.text = with_reply_prefix(request.reply_prefix, std::move(verdict.text), api_);
  }
  if (request.format != AnswerFormat::kLogprobs) return verdict;
  return with_logprobs(request, endpoint, choice.find("logprobs"), std::move(verdict));
}

std::span<const ErrorMeaning> OpenAiProtocol::error_meanings() const {
  return kMeanings;
}

}  // namespace contra4::clients
