// Any HTTP reply through both protocols: nothing may crash, ask for ever, or let the key through.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/log.h"
#include "contra4/clients/gemini_protocol.h"
#include "contra4/clients/openai_protocol.h"

namespace {

using namespace contra4;
using namespace contra4::clients;

constexpr char kKey[] = "sk-0123456789";
constexpr int kMostLessons = 16;

void require(bool holds) {
  if (!holds) std::abort();
}

std::unique_ptr<ChatProtocol> make_protocol(unsigned kind) {
  if (kind % 3 == 2) {
    GeminiProtocolOptions options;
    options.model = "m";
    options.key = Secret(kKey);
    return std::make_unique<GeminiProtocol>(options);
  }
  OpenAiProtocolOptions options;
  options.model = "m";
  options.key = Secret(kKey);
  options.api = kind % 3 == 0 ? OpenAiApi::kChat : OpenAiApi::kCompletions;
  return std::make_unique<OpenAiProtocol>(options);
}

GenerateRequest make_request(AnswerFormat format) {
  GenerateRequest request;
  ContentPart text;
  text.text = "question";
  request.messages = {{Role::kSystem, {text}}, {Role::kUser, {text}}};
  request.sampling = {
      .temperature = 0.5, .top_p = 0.9, .max_tokens = 8192, .seed = 1, .stop = {"x"}};
  request.format = format;
  request.choices = {"A", "B"};
  return request;
}

void check(const ReplyVerdict& verdict, const GenerateRequest& request) {
  require(verdict.text.find(kKey) == std::string::npos);
  require(verdict.error.message.find(kKey) == std::string::npos);
  require(verdict.choice_logprobs.empty() ||
          verdict.choice_logprobs.size() == request.choices.size());
  require(verdict.usage.prompt_tokens >= 0 && verdict.usage.completion_tokens >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  log::set_level(log::Level::kError);
  const auto protocol = make_protocol(data[0]);
  const auto format = static_cast<AnswerFormat>(data[0] / 3 % 3);
  net::HttpResponse response;
  response.status = data[1] % 2 == 0 ? 200 : 400 + data[1] % 200;
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  response.body.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  response.headers = {{"content-type", response.body.substr(0, 20)}};

  const GenerateRequest request = make_request(format);
  int lessons = 0;
  for (bool is_asked = true; is_asked;) {
    require(protocol->build(request, 0).has_value());
    const ReplyVerdict verdict = protocol->parse(request, 0, response);
    check(verdict, request);
    is_asked = verdict.next == ReplyVerdict::Next::kAskAgain;
    require(++lessons <= kMostLessons);
  }

  GenerateRequest shown = request;
  ContentPart medium;
  medium.media = "none.wav";
  medium.modality = Modality::kAudio;
  shown.messages.back().parts.push_back(medium);
  for (int probes = 0; protocol->readiness(shown, 0) == Readiness::kNeedsProbe; ++probes) {
    require(probes <= kMostLessons);
    (void)protocol->build_probe(shown, 0);
    const ReplyVerdict verdict = protocol->settle_probe(shown, 0, response);
    check(verdict, shown);
    if (verdict.next == ReplyVerdict::Next::kRetry || verdict.next == ReplyVerdict::Next::kEndRun) {
      break;
    }
  }
  require(protocol->redacted(response.body).find(kKey) == std::string::npos);
  return 0;
}
