// Requests as OpenAI-compatible servers read them, in the dialect of one endpoint.
#pragma once

#include <array>
#include <span>
#include <string>

#include "contra4/base/error.h"
#include "contra4/clients/media_probes.h"
#include "contra4/clients/server_quirks.h"
#include "contra4/inference/text_generator.h"

namespace contra4::clients {

enum class OpenAiApi {
  kChat,         // {base}/chat/completions
  kCompletions,  // {base}/completions, older: one text, no media
};

// How many ways of writing a picture, a sound and a video there are. Picture: image_url. Sound:
// input_audio (OpenAI, llama.cpp, vLLM), audio_url (vLLM). Video: video_url (vLLM), input_video
// (llama.cpp).
inline constexpr std::array<int, kNumChannels> kOpenAiMediaStyles = {1, 2, 2};

struct OpenAiDialect {
  std::string model;
  OpenAiApi api = OpenAiApi::kChat;
  QuirkSet quirks;
  std::array<int, kNumChannels> media_styles{};  // 0 to kOpenAiMediaStyles - 1
};

// The JSON body. Errors are those of the media files; kUnimplemented for media without chat.
Result<std::string> write_openai_body(const GenerateRequest& request, const OpenAiDialect& dialect);

// What these servers are known to refuse, and how they say so.
std::span<const QuirkRow> openai_quirk_table();
// The quirks that a body written with `used` can meet: the parameters that it holds.
QuirkSet possible_openai_quirks(const GenerateRequest& request, OpenAiApi api, QuirkSet used);

}  // namespace contra4::clients
