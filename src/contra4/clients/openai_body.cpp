#include "contra4/clients/openai_body.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

using Sign = QuirkRow::Sign;

constexpr std::array kTable = {
    // OpenAI's reasoning models; then servers that know neither name.
    QuirkRow{Quirk::kMaxCompletionTokens, Sign::kRefused, "max_tokens"},
    QuirkRow{Quirk::kNoTokenLimit, Sign::kRefused, "max_completion_tokens"},
    QuirkRow{Quirk::kNoTokenLimit, Sign::kRefused, "max_tokens"},
    // "max_tokens is too large: 8192", "(200 in the messages, 8192 in the completion)".
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kTooMuch, "max_tokens"},
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kTooMuch, "max_completion_tokens"},
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kPhrase, "in the completion"},
    QuirkRow{Quirk::kSmallTokenLimit, Sign::kPhrase, "for the completion"},
    // "Unsupported value: 'temperature' does not support 0 with this model."
    QuirkRow{Quirk::kNoTemperature, Sign::kRefused, "temperature"},
    // TGI: "`temperature` must be strictly positive"; it is greedy without.
    QuirkRow{Quirk::kNoTemperature, Sign::kPhrase, "temperature` must be"},
    QuirkRow{Quirk::kNoTemperature, Sign::kPhrase, "temperature must be"},
    QuirkRow{Quirk::kNoTopP, Sign::kRefused, "top_p"},
    QuirkRow{Quirk::kNoSeed, Sign::kRefused, "seed"},
    QuirkRow{Quirk::kNoStop, Sign::kRefused, "stop"},
    // "'messages[0].role' does not support 'system'"; chat templates of Mistral and Gemma, passed
    // on by vLLM with 400, by llama.cpp with 500.
    QuirkRow{Quirk::kSystemInUser, Sign::kRefused, "messages[0].role"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "system role"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "system message"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "got system"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "roles must alternate"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "only user and assistant"},
    QuirkRow{Quirk::kSystemInUser, Sign::kPhrase, "developer instruction is not enabled"},
    // Whatever is said about the schema in an error means that it is not taken.
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response_format"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "response format"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "json_schema"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "json mode"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "grammar"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "guided decoding"},
    QuirkRow{Quirk::kNoSchema, Sign::kPhrase, "structured output"},
    QuirkRow{Quirk::kFewLogprobs, Sign::kTooMuch, "logprobs"},
    QuirkRow{Quirk::kFewLogprobs, Sign::kTooMuch, "top_logprobs"},
    QuirkRow{Quirk::kNoLogprobs, Sign::kRefused, "logprobs"},
    QuirkRow{Quirk::kNoLogprobs, Sign::kRefused, "top_logprobs"},
    // vLLM's names for it; then "does not support assistant message prefill", "the last message
    // must
    // have the role user", "Expected last role User or Tool".
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "continue_final_message"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "add_generation_prompt"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "prefill"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "last message"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "final message"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "last role"},
    QuirkRow{Quirk::kNoPrefill, Sign::kPhrase, "end with a user message"},
};

// Servers read seeds as int32, uint32 or int64: this fits all.
constexpr std::uint64_t kSeedMask = 0x7fffffff;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_text_only(const Message& message) {
  return std::all_of(message.parts.begin(), message.parts.end(),
                     [](const ContentPart& part) { return part.media.empty(); });
}

std::string text_of(const Message& message) {
  std::string text;
  for (const ContentPart& part : message.parts) text += part.text;
  return text;
}

ContentPart text_part(std::string text) {
  ContentPart part;
  part.text = std::move(text);
  return part;
}

bool has_system_message(const GenerateRequest& request) {
  return std::any_of(request.messages.begin(), request.messages.end(),
                     [](const Message& message) { return message.role == Role::kSystem; });
}

// System messages in front of the first message of the user.
std::vector<Message> with_system_in_user(const std::vector<Message>& messages) {
  std::vector<Message> result;
  std::string system;
  for (const Message& message : messages) {
    if (message.role == Role::kSystem) {
      system += text_of(message) + "\n\n";
      continue;
    }
    result.push_back(message);
    if (message.role != Role::kUser || system.empty()) continue;
    std::vector<ContentPart>& parts = result.back().parts;
    parts.insert(parts.begin(), text_part(std::exchange(system, {})));
  }
  if (!system.empty()) result.insert(result.begin(), {Role::kUser, {text_part(system)}});
  return result;
}

void write_url_part(io::JsonWriter& writer, std::string_view type,
                    const media::EncodedMedia& medium) {
  writer.begin_object().member("type", type).key(type);
  writer.begin_object().member("url", media::data_url(medium)).end_object();
  writer.end_object();
}

void write_data_part(io::JsonWriter& writer, std::string_view type,
                     const media::EncodedMedia& medium, bool with_format) {
  writer.begin_object().member("type", type).key(type);
  writer.begin_object().member("data", medium.base64);
  if (with_format) writer.member("format", medium.format);
  writer.end_object().end_object();
}

// By what is sent, which need not be what the scene is: frames of a video are pictures.
void write_medium(io::JsonWriter& writer, const media::EncodedMedia& medium, int style) {
  if (medium.mime_type.starts_with("image/")) return write_url_part(writer, "image_url", medium);
  if (medium.mime_type.starts_with("audio/")) {
    return style == 0 ? write_data_part(writer, "input_audio", medium, true)
                      : write_url_part(writer, "audio_url", medium);
  }
  return style == 0 ? write_url_part(writer, "video_url", medium)
                    : write_data_part(writer, "input_video", medium, false);
}

void write_text_part(io::JsonWriter& writer, std::string_view text) {
  writer.begin_object().member("type", "text").member("text", text).end_object();
}

Result<void> write_parts(io::JsonWriter& writer, const Message& message,
                         const OpenAiDialect& dialect) {
  const media::RequestMedia standard;
  const media::RequestMedia& loader = dialect.media != nullptr ? *dialect.media : standard;
  writer.begin_array();
  for (const ContentPart& part : message.parts) {
    if (part.media.empty()) {
      write_text_part(writer, part.text);
      continue;
    }
    const Channel channel = channel_of(part.modality);
    const int style = dialect.media_styles[static_cast<std::size_t>(channel)];
    const bool as_frames = channel == Channel::kVideo && style == kOpenAiFramesStyle;
    const auto media = loader.load(part.media, part.modality, {.video_as_frames = as_frames});
    if (!media) return media.error();
    for (const media::EncodedMedia& medium : *media) {
      if (!medium.words.empty()) write_text_part(writer, medium.words);
      write_medium(writer, medium, style);
    }
  }
  writer.end_array();
  return {};
}

// A message of text alone is written as a string, which every server reads.
Result<void> write_messages(io::JsonWriter& writer, const std::vector<Message>& messages,
                            const OpenAiDialect& dialect) {
  writer.key("messages").begin_array();
  for (const Message& message : messages) {
    writer.begin_object().member("role", to_string(message.role)).key("content");
    if (is_text_only(message)) {
      writer.value(text_of(message));
    } else if (auto written = write_parts(writer, message, dialect); !written) {
      return written;
    }
    writer.end_object();
  }
  writer.end_array();
  return {};
}

// A blank line between messages, as nothing else is agreed on. The beginning of the reply stands a
// blank behind.
std::string prompt_of(const std::vector<Message>& messages, std::string_view reply_prefix) {
  std::string prompt;
  for (const Message& message : messages) {
    if (!prompt.empty()) prompt += "\n\n";
    prompt += text_of(message);
  }
  if (reply_prefix.empty()) return prompt;
  if (!prompt.empty() && !is_blank(prompt.back())) prompt += ' ';
  return prompt.append(reply_prefix);
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

void write_sampling(io::JsonWriter& writer, const GenerateRequest& request, QuirkSet quirks) {
  const Sampling& sampling = request.sampling;
  if (!quirks.has(Quirk::kNoTokenLimit)) {
    writer.member(quirks.has(Quirk::kMaxCompletionTokens) ? "max_completion_tokens" : "max_tokens",
                  token_limit(request, quirks));
  }
  if (!quirks.has(Quirk::kNoTemperature)) writer.member("temperature", sampling.temperature);
  if (is_sampled(sampling) && !quirks.has(Quirk::kNoTopP)) writer.member("top_p", sampling.top_p);
  if (is_sampled(sampling) && sampling.seed && !quirks.has(Quirk::kNoSeed)) {
    writer.member("seed", *sampling.seed & kSeedMask);
  }
  if (!sampling.stop.empty() && !quirks.has(Quirk::kNoStop)) {
    writer.key("stop").begin_array();
    for (const std::string& stop : sampling.stop) writer.value(stop);
    writer.end_array();
  }
}

// {"answer": "A"}, nothing else.
void write_schema(io::JsonWriter& writer, const std::vector<std::string>& choices) {
  writer.key("response_format").begin_object().member("type", "json_schema");
  writer.key("json_schema").begin_object().member("name", "answer").member("strict", true);
  writer.key("schema").begin_object().member("type", "object");
  writer.key("properties").begin_object().key("answer").begin_object().member("type", "string");
  writer.key("enum").begin_array();
  for (const std::string& choice : choices) writer.value(choice);
  writer.end_array().end_object().end_object();
  writer.key("required").begin_array().value("answer").end_array();
  writer.member("additionalProperties", false);
  writer.end_object().end_object().end_object();
}

void write_logprobs(io::JsonWriter& writer, OpenAiApi api, QuirkSet quirks) {
  const int count = quirks.has(Quirk::kFewLogprobs) ? kFewLogprobs : kManyLogprobs;
  if (api == OpenAiApi::kCompletions) {
    writer.member("logprobs", count);
  } else {
    writer.member("logprobs", true).member("top_logprobs", count);
  }
}

}  // namespace

Result<std::string> write_openai_body(const GenerateRequest& request,
                                      const OpenAiDialect& dialect) {
  io::JsonWriter writer;
  writer.begin_object().member("model", dialect.model);
  const std::vector<Message> merged = dialect.quirks.has(Quirk::kSystemInUser)
                                          ? with_system_in_user(request.messages)
                                          : std::vector<Message>();
  const std::vector<Message>& messages = merged.empty() ? request.messages : merged;
  const bool is_prefilled = goes_on_from_prefix(request, dialect.api, dialect.quirks);
  if (dialect.api == OpenAiApi::kCompletions) {
    if (has_media(request)) {
      return Error{ErrorCode::kUnimplemented,
                   "the completions API takes text alone: use --api chat for media"};
    }
    writer.member("prompt", prompt_of(messages, request.reply_prefix));
  } else {
    std::vector<Message> begun;
    if (is_prefilled) {
      begun = messages;
      begun.push_back({Role::kAssistant, {text_part(request.reply_prefix)}});
    }
    if (auto written = write_messages(writer, begun.empty() ? messages : begun, dialect);
        !written) {
      return written.error();
    }
    if (is_prefilled) {
      writer.member("add_generation_prompt", false).member("continue_final_message", true);
    }
  }
  write_sampling(writer, request, dialect.quirks);
  if (request.format == AnswerFormat::kSchema && !dialect.quirks.has(Quirk::kNoSchema)) {
    write_schema(writer, request.choices);
  }
  if (request.format == AnswerFormat::kLogprobs)
    write_logprobs(writer, dialect.api, dialect.quirks);
  writer.end_object();
  return writer.take();
}

bool goes_on_from_prefix(const GenerateRequest& request, OpenAiApi api, QuirkSet quirks) {
  return !request.reply_prefix.empty() &&
         (api == OpenAiApi::kCompletions || !quirks.has(Quirk::kNoPrefill));
}

std::string with_reply_prefix(std::string_view prefix, std::string text, OpenAiApi api) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  if (std::string_view(text).substr(begin).starts_with(prefix)) return text;
  if (prefix.empty() || text.empty()) return std::string(prefix) + text;
  // A message of its own begins with a capital letter; what goes on from the middle of a sentence
  // has a blank before one.
  const bool is_new = text.front() >= 'A' && text.front() <= 'Z';
  if (api == OpenAiApi::kChat && is_new) return text;
  const bool needs_blank = is_word_byte(prefix.back()) && is_word_byte(text.front());
  return std::string(prefix) + (needs_blank ? " " : "") + text;
}

std::span<const QuirkRow> openai_quirk_table() {
  return kTable;
}

QuirkSet possible_openai_quirks(const GenerateRequest& request, OpenAiApi api, QuirkSet used) {
  const Sampling& sampling = request.sampling;
  QuirkSet possible = {Quirk::kNoTemperature};
  if (!used.has(Quirk::kNoTokenLimit)) {
    const bool has_other_name = api == OpenAiApi::kChat && !used.has(Quirk::kMaxCompletionTokens);
    possible.add(has_other_name ? Quirk::kMaxCompletionTokens : Quirk::kNoTokenLimit);
    if (token_limit(request, used) > kSmallTokenLimit) possible.add(Quirk::kSmallTokenLimit);
  }
  if (is_sampled(sampling)) possible.add(Quirk::kNoTopP);
  if (is_sampled(sampling) && sampling.seed) possible.add(Quirk::kNoSeed);
  if (!sampling.stop.empty()) possible.add(Quirk::kNoStop);
  if (api == OpenAiApi::kChat && has_system_message(request)) possible.add(Quirk::kSystemInUser);
  if (request.format == AnswerFormat::kSchema) possible.add(Quirk::kNoSchema);
  if (request.format == AnswerFormat::kLogprobs) {
    possible.add({Quirk::kFewLogprobs, Quirk::kNoLogprobs});
  }
  if (api == OpenAiApi::kChat && !request.reply_prefix.empty()) possible.add(Quirk::kNoPrefill);
  return possible.without(used);
}

}  // namespace contra4::clients
