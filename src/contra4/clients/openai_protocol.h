// OpenAI's protocol, as OpenAI, vLLM, llama.cpp, transformers and many gateways serve it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/clients/learning_protocol.h"
#include "contra4/clients/openai_body.h"

namespace contra4::clients {

inline constexpr std::string_view kOpenAiBaseUrl = "https://api.openai.com/v1";

// Where requests go: `base` as given, as the official client does, with "/chat/completions" or
// "/completions" added unless it ends so; a URL without any path gets "/v1" first. A query
// (?api-version=...) stays behind the path.
std::string openai_url(std::string_view base, OpenAiApi api);

struct OpenAiProtocolOptions {
  std::string model;
  std::vector<std::string> base_urls = {std::string(kOpenAiBaseUrl)};
  OpenAiApi api = OpenAiApi::kChat;
  Secret key;  // no header when empty
  std::string key_variable = "OPENAI_API_KEY";
  std::shared_ptr<const media::RequestMedia> media;  // how files are sent; null: by its defaults
};

class OpenAiProtocol final : public LearningProtocol {
 public:
  // Throws kInvalidArgument for an empty model or list of URLs, or a key that is none.
  explicit OpenAiProtocol(const OpenAiProtocolOptions& options);

 private:
  Result<net::HttpRequest> write(const GenerateRequest& request,
                                 const Endpoint& endpoint) const override;
  bool takes_media() const override { return api_ == OpenAiApi::kChat; }
  bool holds_answer(const io::JsonValue& root) const override;
  ReplyVerdict parse_answer(const GenerateRequest& request, Endpoint& endpoint,
                            const io::JsonValue& root) const override;
  std::span<const QuirkRow> quirk_table() const override { return openai_quirk_table(); }
  QuirkSet possible_quirks(const GenerateRequest& request, QuirkSet used) const override {
    return possible_openai_quirks(request, api_, used);
  }
  std::span<const ErrorMeaning> error_meanings() const override;

  OpenAiApi api_;
  std::shared_ptr<const media::RequestMedia> media_;
};

}  // namespace contra4::clients
