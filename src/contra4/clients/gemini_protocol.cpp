#include "contra4/clients/gemini_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "contra4/clients/endpoint_pool.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

using namespace std::string_view_literals;
using Next = ReplyVerdict::Next;
using Sign = QuirkRow::Sign;

constexpr std::array kQuirks = {
    // Gemma: "Developer instruction is not enabled for models/..."; version 1 does not know it.
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "developer instruction"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "system_instruction"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "system instruction"},
    // "JSON mode is not enabled for models/..."
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "json mode"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "responseschema"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response_schema"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response schema"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response_mime_type"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response mime type"},
    QuirkRow{Quirk::kNoSeed, Sign::kRefused, "seed"},
    QuirkRow{Quirk::kNoTemperature, Sign::kRefused, "temperature"},
    QuirkRow{Quirk::kNoTopP, Sign::kRefused, "topP"},
    QuirkRow{Quirk::kNoTopP, Sign::kRefused, "top_p"},
    QuirkRow{Quirk::kNoStop, Sign::kRefused, "stopSequences"},
    QuirkRow{Quirk::kNoStop, Sign::kRefused, "stop_sequences"},
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kTooMuch, "max_output_tokens"},
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kTooMuch, "maxOutputTokens"},
    QuirkRow{Quirk::kFewLogprobs, Sign::kTooMuch, "logprobs"},
    QuirkRow{Quirk::kNoLogprobs, Sign::kRefused, "logprobs"},
    QuirkRow{Quirk::kNoLogprobs, Sign::kRefused, "responseLogprobs"},
    QuirkRow{Quirk::kNoLogprobs, Sign::kRefused, "response_logprobs"},
};

// A wrong key is 400 here.
constexpr std::array kMeanings = {
    ErrorMeaning{"api key not valid", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kUnauthenticated, "the key is refused"},
    ErrorMeaning{"api key expired", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kUnauthenticated, "the key is refused"},
    ErrorMeaning{"user location is not supported", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kInvalidArgument, "not offered where this machine is"},
    ErrorMeaning{"exceeds the maximum number of tokens", Next::kFinal, OutcomeStatus::kFailed,
                 ErrorCode::kInvalidArgument, "longer than the model's context"},
    ErrorMeaning{"unexpected model name format", Next::kEndRun, OutcomeStatus::kFailed,
                 ErrorCode::kNotFound, "is the model's name right?"},
};

// What the end of a reply means; reasons that are not listed mean an answer.
struct FinishMeaning {
  std::string_view reason;
  bool is_block;  // otherwise the reply came to nothing: asked again
};
constexpr std::array kFinishes = {
    FinishMeaning{"SAFETY", true},
    FinishMeaning{"RECITATION", true},
    FinishMeaning{"LANGUAGE", true},
    FinishMeaning{"BLOCKLIST", true},
    FinishMeaning{"PROHIBITED_CONTENT", true},
    FinishMeaning{"SPII", true},
    FinishMeaning{"IMAGE_SAFETY", true},
    FinishMeaning{"IMAGE_PROHIBITED_CONTENT", true},
    FinishMeaning{"IMAGE_RECITATION", true},
    FinishMeaning{"MODEL_ARMOR", true},
    FinishMeaning{"OTHER", false},
    FinishMeaning{"MALFORMED_FUNCTION_CALL", false},
    FinishMeaning{"UNEXPECTED_TOOL_CALL", false},
    FinishMeaning{"MALFORMED_RESPONSE", false},
};

// Every medium goes as inline_data; a video, where it is refused, as its frames.
constexpr std::array<int, kNumChannels> kMediaStyles = {1, 1, 2};
constexpr int kFramesStyle = 1;
constexpr std::uint64_t kSeedMask = 0x7fffffff;  // an int32 there

std::string escape_path(std::string_view text) {
  constexpr std::string_view kPlain = "-._~/@:";
  std::string escaped;
  for (const char c : text) {
    const bool is_letter_or_digit =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (is_letter_or_digit || kPlain.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

// How files are sent.
struct Attachments {
  const media::RequestMedia& loader;
  media::MediaForm form;
};

Result<void> write_parts(io::JsonWriter& writer, const std::vector<ContentPart>& parts,
                         const Attachments& attachments) {
  for (const ContentPart& part : parts) {
    if (part.media.empty()) {
      writer.begin_object().member("text", part.text).end_object();
      continue;
    }
    const auto media = attachments.loader.load(part.media, part.modality, attachments.form);
    if (!media) return media.error();
    for (const media::EncodedMedia& medium : *media) {
      if (!medium.words.empty()) writer.begin_object().member("text", medium.words).end_object();
      writer.begin_object().key("inline_data").begin_object();
      writer.member("mime_type", medium.mime_type).member("data", medium.base64);
      writer.end_object().end_object();
    }
  }
  return {};
}

// System parts stand apart, or in front of the first message where they are not taken apart.
Result<void> write_contents(io::JsonWriter& writer, const GenerateRequest& request, QuirkSet quirks,
                            const Attachments& attachments) {
  std::vector<ContentPart> system;
  for (const Message& message : request.messages) {
    if (message.role != Role::kSystem) continue;
    for (ContentPart part : message.parts) {
      if (quirks.has(Quirk::kSystemInUser)) part.text += "\n\n";
      system.push_back(std::move(part));
    }
  }
  if (!system.empty() && !quirks.has(Quirk::kSystemInUser)) {
    writer.key("system_instruction").begin_object().key("parts").begin_array();
    if (auto written = write_parts(writer, system, attachments); !written) return written;
    writer.end_array().end_object();
    system.clear();
  }
  writer.key("contents").begin_array();
  for (const Message& message : request.messages) {
    if (message.role == Role::kSystem) continue;
    writer.begin_object().member("role", message.role == Role::kUser ? "user" : "model");
    writer.key("parts").begin_array();
    if (auto written = write_parts(writer, std::exchange(system, {}), attachments); !written) {
      return written;
    }
    if (auto written = write_parts(writer, message.parts, attachments); !written) return written;
    writer.end_array().end_object();
  }
  writer.end_array();
  return {};
}

int token_limit(const GenerateRequest& request, QuirkSet quirks) {
  if (request.format == AnswerFormat::kLogprobs) return 1;
  const int wanted = request.sampling.max_tokens;
  return quirks.has(Quirk::kSmallTokenLimit) ? std::min(wanted, kSmallTokenLimit) : wanted;
}

// A greedy reply is the same whatever top_p and seed are.
bool is_sampled(const Sampling& sampling) {
  return sampling.temperature > 0;
}

// {"answer": "A"}, nothing else.
void write_schema(io::JsonWriter& writer, const std::vector<std::string>& choices) {
  writer.member("responseMimeType", "application/json");
  writer.key("responseSchema").begin_object().member("type", "OBJECT");
  writer.key("properties").begin_object().key("answer").begin_object().member("type", "STRING");
  writer.key("enum").begin_array();
  for (const std::string& choice : choices) writer.value(choice);
  writer.end_array().end_object().end_object();
  writer.key("required").begin_array().value("answer").end_array();
  writer.end_object();
}

void write_config(io::JsonWriter& writer, const GenerateRequest& request, QuirkSet quirks) {
  const Sampling& sampling = request.sampling;
  writer.key("generationConfig").begin_object();
  writer.member("maxOutputTokens", token_limit(request, quirks));
  if (!quirks.has(Quirk::kNoTemperature)) writer.member("temperature", sampling.temperature);
  if (is_sampled(sampling) && !quirks.has(Quirk::kNoTopP)) writer.member("topP", sampling.top_p);
  if (is_sampled(sampling) && sampling.seed && !quirks.has(Quirk::kNoSeed)) {
    writer.member("seed", *sampling.seed & kSeedMask);
  }
  if (!sampling.stop.empty() && !quirks.has(Quirk::kNoStop)) {
    writer.key("stopSequences").begin_array();
    for (const std::string& stop : sampling.stop) writer.value(stop);
    writer.end_array();
  }
  if (request.format == AnswerFormat::kSchema && !quirks.has(Quirk::kNoSchema)) {
    write_schema(writer, request.choices);
  }
  if (request.format == AnswerFormat::kLogprobs) {
    writer.member("responseLogprobs", true);
    writer.member("logprobs", quirks.has(Quirk::kFewLogprobs) ? kFewLogprobs : kManyLogprobs);
  }
  writer.end_object();
}

std::string_view string_of(const io::JsonValue* value) {
  return value != nullptr && value->is_string() ? std::string_view(*value->find_string())
                                                : std::string_view();
}

// Thoughts are not the answer.
std::string text_of_candidate(const io::JsonValue& candidate) {
  std::string text;
  const io::JsonValue* parts = candidate.find_path("content", "parts");
  if (parts == nullptr || !parts->is_array()) return text;
  for (const io::JsonValue& part : *parts->find_array()) {
    const io::JsonValue* thought = part.find("thought");
    if (thought != nullptr && thought->find_bool().value_or(false)) continue;
    text += string_of(part.find("text"));
  }
  return text;
}

TokenUsage usage_of(const io::JsonValue& root) {
  const auto count = [&](const char* name) {
    const io::JsonValue* value = root.find_path("usageMetadata", name);
    const auto number = value != nullptr ? value->find_integer() : std::nullopt;
    return std::clamp<std::int64_t>(number.value_or(0), 0, std::int64_t{1} << 40);
  };
  return {count("promptTokenCount"), count("candidatesTokenCount") + count("thoughtsTokenCount")};
}

// What google.rpc's details say about a limit that was met.
struct QuotaDetails {
  std::optional<std::chrono::milliseconds> retry_after;
  bool is_of_the_day = false;
};

QuotaDetails quota_details(const io::JsonValue* root) {
  QuotaDetails result;
  const io::JsonValue* error = root != nullptr ? find_error_object(*root) : nullptr;
  const io::JsonValue* details = error != nullptr ? error->find("details") : nullptr;
  if (details == nullptr || !details->is_array()) return result;
  for (const io::JsonValue& detail : *details->find_array()) {
    if (const auto delay = parse_duration(string_of(detail.find("retryDelay")))) {
      result.retry_after = delay;
    }
    const io::JsonValue* violations = detail.find("violations");
    if (violations == nullptr || !violations->is_array()) continue;
    for (const io::JsonValue& violation : *violations->find_array()) {
      const std::string_view quota = string_of(violation.find("quotaId"));
      result.is_of_the_day = result.is_of_the_day || quota.find("PerDay") != std::string_view::npos;
    }
  }
  return result;
}

ReplyVerdict blocked(ReplyVerdict verdict, const std::string& endpoint, std::string_view reason) {
  verdict.next = Next::kFinal;
  verdict.status = OutcomeStatus::kBlocked;
  verdict.text.clear();
  verdict.error = {ErrorCode::kInvalidArgument,
                   fmt::format("{} blocked the content: {}", endpoint, shorten(reason, 100))};
  return verdict;
}

}  // namespace

std::string gemini_url(std::string_view base, std::string_view model) {
  base = base.substr(0, base.find_first_of("?#"));
  std::string url(base);
  while (url.ends_with('/')) url.pop_back();
  const std::size_t scheme = url.find("://");
  if (scheme != std::string::npos && url.find('/', scheme + 3) == std::string::npos) {
    url += "/v1beta";
  }
  url += model.find('/') == std::string_view::npos ? "/models/" : "/";
  return url + escape_path(model) + ":generateContent";
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr double kMaxSeconds = 1e9;
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

GeminiProtocol::GeminiProtocol(const GeminiProtocolOptions& options)
    : LearningProtocol(options.model, ApiKey(options.key, options.key_variable),
                       [&] {
                         std::vector<Endpoint> endpoints;
                         for (const std::string& base : options.base_urls) {
                           endpoints.push_back(make_endpoint(gemini_url(base, options.model),
                                                             endpoint_name(base), kMediaStyles));
                         }
                         return endpoints;
                       }()),
      media_(options.media ? options.media : std::make_shared<const media::RequestMedia>()) {}

Result<net::HttpRequest> GeminiProtocol::write(const GenerateRequest& request,
                                               const Endpoint& endpoint) const {
  io::JsonWriter writer;
  writer.begin_object();
  const Attachments attachments{
      *media_,
      {.video_as_frames = endpoint.media.style(Channel::kVideo) == kFramesStyle,
       .takes_every_sound = true}};
  if (auto written = write_contents(writer, request, endpoint.quirks, attachments); !written) {
    return written.error();
  }
  write_config(writer, request, endpoint.quirks);
  writer.end_object();
  net::HttpRequest http;
  http.url = endpoint.url;
  http.headers.emplace_back("Content-Type", "application/json");
  if (key().is_set()) http.headers.emplace_back("x-goog-api-key", key().reveal());
  http.body = writer.take();
  return http;
}

bool GeminiProtocol::holds_answer(const io::JsonValue& root) const {
  return root.find_path("candidates", 0) != nullptr ||
         root.find_path("promptFeedback", "blockReason") != nullptr;
}

ReplyVerdict GeminiProtocol::parse_answer(const GenerateRequest& request, Endpoint& endpoint,
                                          const io::JsonValue& root) const {
  ReplyVerdict verdict;
  verdict.usage = usage_of(root);
  if (const io::JsonValue* reason = root.find_path("promptFeedback", "blockReason")) {
    return blocked(std::move(verdict), endpoint.name,
                   fmt::format("the question, {}", string_of(reason)));
  }
  const io::JsonValue& candidate = *root.find_path("candidates", 0);
  const std::string_view finish = string_of(candidate.find("finishReason"));
  for (const FinishMeaning& meaning : kFinishes) {
    if (finish != meaning.reason) continue;
    if (meaning.is_block) {
      return blocked(std::move(verdict), endpoint.name, fmt::format("the reply, {}", finish));
    }
    return failure(Next::kRetry, ErrorCode::kUnavailable,
                   fmt::format("{} ended its reply with {}", endpoint.name, finish));
  }
  verdict.status = OutcomeStatus::kAnswered;
  verdict.text = text_of_candidate(candidate);
  if (request.format != AnswerFormat::kLogprobs) return verdict;
  return with_logprobs(request, endpoint, candidate.find("logprobsResult"), std::move(verdict));
}

ReplyVerdict GeminiProtocol::parse_error(const Endpoint& endpoint, const ServerMessage& message,
                                         const io::JsonValue* root) const {
  ReplyVerdict verdict = LearningProtocol::parse_error(endpoint, message, root);
  if (verdict.error.code == ErrorCode::kUnauthenticated &&
      verdict.error.message.find(key().variable()) == std::string::npos) {
    verdict.error.message += fmt::format("; is the key in {} right?", key().variable());
  }
  if (message.status != 429 && message.status != 503) return verdict;
  const QuotaDetails details = quota_details(root);
  verdict.retry_after = details.retry_after;
  if (details.is_of_the_day) {
    verdict.next = Next::kEndRun;
    verdict.error.code = ErrorCode::kResourceExhausted;
    verdict.error.message += "; the quota of the day is used up: run the same command again later";
  }
  return verdict;
}

std::span<const QuirkRow> GeminiProtocol::quirk_table() const {
  return kQuirks;
}

std::span<const ErrorMeaning> GeminiProtocol::error_meanings() const {
  return kMeanings;
}

QuirkSet GeminiProtocol::possible_quirks(const GenerateRequest& request, QuirkSet used) const {
  const Sampling& sampling = request.sampling;
  QuirkSet possible = {Quirk::kNoTemperature};
  if (token_limit(request, used) > kSmallTokenLimit) possible.add(Quirk::kSmallTokenLimit);
  if (is_sampled(sampling)) possible.add(Quirk::kNoTopP);
  if (is_sampled(sampling) && sampling.seed) possible.add(Quirk::kNoSeed);
  if (!sampling.stop.empty()) possible.add(Quirk::kNoStop);
  const bool has_system =
      std::any_of(request.messages.begin(), request.messages.end(),
                  [](const Message& message) { return message.role == Role::kSystem; });
  if (has_system) possible.add(Quirk::kSystemInUser);
  if (request.format == AnswerFormat::kSchema) possible.add(Quirk::kNoSchema);
  if (request.format == AnswerFormat::kLogprobs) {
    possible.add({Quirk::kFewLogprobs, Quirk::kNoLogprobs});
  }
  return possible.without(used);
}

}  // namespace contra4::clients
