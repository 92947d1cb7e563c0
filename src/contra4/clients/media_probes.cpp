#include "contra4/clients/media_probes.h"

#include <algorithm>

#include <fmt/format.h>

namespace contra4::clients {

namespace {

using namespace std::string_view_literals;

// How servers say that they take no such medium, in lower case.
constexpr std::array kRefusalPhrases = {
    "input is not supported"sv,         // llama.cpp: "audio input is not supported - hint: ..."
    "unsupported content"sv,            // llama.cpp: "unsupported content[].type"
    "unsupported content part type"sv,  // llama.cpp, older
    "multimodal"sv,                     // vLLM: "X is not a multimodal model"
    "unknown part type"sv,              // vLLM
    "at most 0 "sv,                     // vLLM: "At most 0 image(s) may be provided"
    "may be provided in one"sv,         // vLLM: "At most 1 video(s) may be provided in one prompt"
    "unknown variant"sv,                // DeepSeek: "unknown variant `image_url`, expected `text`"
    "invalid content type"sv,           // OpenAI: "image_url is only supported by certain models"
    "only supported by certain"sv,
    "supported values are: 'text'"sv,  // OpenAI: "Invalid value: 'video_url'"
    "allowed values: ['text']"sv,
    "does not support image"sv,
    "does not support audio"sv,
    "does not support video"sv,
    "do not support image"sv,
    "do not support audio"sv,
    "do not support video"sv,
    "not support image"sv,
    "not support audio"sv,
    "not support video"sv,
    "not support vision"sv,
    "found that support"sv,     // OpenRouter: "No endpoints found that support image input"
    "input modality is not"sv,  // Gemini: "Audio input modality is not enabled for ..."
    "unsupported mime type"sv,  // Gemini
    "content must be a string"sv,
    "valid string"sv,       // FastAPI: "Input should be a valid string"
    "literal_error"sv,      // FastAPI: type is none of the literals
    "union_tag_invalid"sv,  // FastAPI: no part of that type
};

}  // namespace

Channel channel_of(Modality modality) {
  switch (modality) {
    case Modality::kAudio:
      return Channel::kSound;
    case Modality::kVideo:
      return Channel::kVideo;
    case Modality::kImage:
    case Modality::kPointCloud:
      return Channel::kPicture;
  }
  CONTRA4_CHECK(false, "modality without a channel");
}

std::string_view to_string(Channel channel) {
  constexpr std::array kNames = {"picture"sv, "sound"sv, "video"sv};
  return kNames[static_cast<std::size_t>(channel)];
}

bool refuses_media(const ServerMessage& message) {
  return std::any_of(kRefusalPhrases.begin(), kRefusalPhrases.end(),
                     [&](std::string_view phrase) { return message.mentions(phrase); });
}

bool has_media(const GenerateRequest& request) {
  return std::any_of(request.messages.begin(), request.messages.end(), [](const Message& message) {
    return std::any_of(message.parts.begin(), message.parts.end(),
                       [](const ContentPart& part) { return !part.media.empty(); });
  });
}

const ContentPart* MediaProbes::find_part_to_probe(const GenerateRequest& request) const {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.parts) {
      if (part.media.empty()) continue;
      const Entry& entry = at(channel_of(part.modality));
      if (entry.state == State::kUnknown && !entry.let_through.contains(request.ticket)) {
        return &part;
      }
    }
  }
  return nullptr;
}

Readiness MediaProbes::readiness(const GenerateRequest& request) const {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.parts) {
      if (!part.media.empty() && is_refused(channel_of(part.modality))) {
        return Readiness::kUnsupported;
      }
    }
  }
  return find_part_to_probe(request) != nullptr ? Readiness::kNeedsProbe : Readiness::kReady;
}

Error MediaProbes::unsupported_reason(const GenerateRequest& request,
                                      std::string_view endpoint) const {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.parts) {
      if (part.media.empty()) continue;
      const Channel channel = channel_of(part.modality);
      if (!is_refused(channel)) continue;
      return {ErrorCode::kUnimplemented,
              fmt::format("{} takes no {} ({} scene): {}", endpoint, to_string(channel),
                          to_string(part.modality), at(channel).words)};
    }
  }
  return {ErrorCode::kUnimplemented, fmt::format("{}: not supported", endpoint)};
}

bool MediaProbes::is_failure_enough(Channel channel) {
  return ++at(channel).server_errors >= kMaxServerErrors;
}

void MediaProbes::reject(Channel channel, std::uint64_t ticket, const ServerMessage& message) {
  Entry& entry = at(channel);
  entry.server_errors = 0;
  const bool is_clear = refuses_media(message);
  if (entry.words.empty() || (!is_clear && !entry.has_unclear)) {
    entry.words = fmt::format("{}: {}", message.status, shorten(message.message));
  }
  entry.has_unclear = entry.has_unclear || !is_clear;
  const int num_styles = num_styles_[static_cast<std::size_t>(channel)];
  if (entry.style + 1 < num_styles) {
    ++entry.style;
    return;
  }
  if (!entry.has_unclear || entry.let_through.size() + 1 >= kMaxUnclear) {
    entry.state = State::kRefused;
    return;
  }
  entry.let_through.insert(ticket);
  entry.style = 0;
  entry.has_unclear = false;
}

}  // namespace contra4::clients
