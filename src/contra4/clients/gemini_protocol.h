// Gemini's own protocol: models/NAME:generateContent.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/clients/learning_protocol.h"
#include "contra4/media/request_media.h"

namespace contra4::clients {

inline constexpr std::string_view kGeminiBaseUrl =
    "https://generativelanguage.googleapis.com/v1beta";

// {base}/models/{model}:generateContent; a model with a slash ("tunedModels/x") stands without
// "models/", a base without a path gets "/v1beta". What is no plain character of a path is escaped.
std::string gemini_url(std::string_view base, std::string_view model);

// A duration as protobuf writes it, "17s" or "1.5s", rounded up to milliseconds. Empty for anything
// else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

struct GeminiProtocolOptions {
  std::string model;
  std::vector<std::string> base_urls = {std::string(kGeminiBaseUrl)};
  Secret key;  // no header when empty
  std::string key_variable = "GOOGLE_API_KEY";
  std::shared_ptr<const media::RequestMedia> media;  // how files are sent; null: by its defaults
};

class GeminiProtocol final : public LearningProtocol {
 public:
  // Throws kInvalidArgument for an empty model or list of URLs, or a key that is none.
  explicit GeminiProtocol(const GeminiProtocolOptions& options);

 private:
  Result<net::HttpRequest> write(const GenerateRequest& request,
                                 const Endpoint& endpoint) const override;
  bool holds_answer(const io::JsonValue& root) const override;
  ReplyVerdict parse_answer(const GenerateRequest& request, Endpoint& endpoint,
                            const io::JsonValue& root) const override;
  // Also tells a quota of the day, which ends the run, from one of the minute, whose RetryInfo is
  // the delay.
  ReplyVerdict parse_error(const Endpoint& endpoint, const ServerMessage& message,
                           const io::JsonValue* root) const override;
  std::span<const QuirkRow> quirk_table() const override;
  QuirkSet possible_quirks(const GenerateRequest& request, QuirkSet used) const override;
  std::span<const ErrorMeaning> error_meanings() const override;

  std::shared_ptr<const media::RequestMedia> media_;  // never null
};

}  // namespace contra4::clients
