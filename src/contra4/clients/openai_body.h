// Requests as OpenAI-compatible servers read them, in the dialect of one endpoint.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/clients/media_probes.h"
#include "contra4/clients/server_quirks.h"
#include "contra4/inference/text_generator.h"
#include "contra4/media/request_media.h"

namespace contra4::clients {

enum class OpenAiApi {
  kChat,         // {base}/chat/completions
  kCompletions,  // {base}/completions, older: one text, no media
};

// How many ways of writing a picture, a sound and a video there are. Picture: image_url. Sound:
// input_audio (OpenAI, llama.cpp, vLLM), audio_url (vLLM). Video: video_url (vLLM), input_video
// (llama.cpp), frames as pictures (all that take pictures).
inline constexpr std::array<int, kNumChannels> kOpenAiMediaStyles = {1, 2, 3};
inline constexpr int kOpenAiFramesStyle = 2;

struct OpenAiDialect {
  std::string model;
  OpenAiApi api = OpenAiApi::kChat;
  QuirkSet quirks;
  std::array<int, kNumChannels> media_styles{};  // 0 to kOpenAiMediaStyles - 1
  const media::RequestMedia* media = nullptr;    // how files are sent; null: by its defaults
};

// The JSON body. Errors are those of the media files; kUnimplemented for media without chat.
Result<std::string> write_openai_body(const GenerateRequest& request, const OpenAiDialect& dialect);

// Whether a body written so makes the reply begin with the request's prefix: the end of the prompt
// of completions, an assistant's message that vLLM's fields ask to go on from in a chat.
bool goes_on_from_prefix(const GenerateRequest& request, OpenAiApi api, QuirkSet quirks);
// The whole reply of a server that was made to go on from `prefix`. Some give it back themselves,
// some cut the blank behind it off, and some that do not know the fields begin a message of their
// own, which stays as it is.
std::string with_reply_prefix(std::string_view prefix, std::string text, OpenAiApi api);

// What these servers are known to refuse, and how they say so.
std::span<const QuirkRow> openai_quirk_table();
// The quirks that a body written with `used` can meet: the parameters that it holds.
QuirkSet possible_openai_quirks(const GenerateRequest& request, OpenAiApi api, QuirkSet used);

}  // namespace contra4::clients
