// What the tests of both protocols share: requests, replies, and files of the kinds that matter.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "contra4/inference/text_generator.h"
#include "contra4/io/json.h"
#include "contra4/net/transport.h"

namespace contra4::testing {

inline GenerateRequest text_request(std::string text, std::uint64_t ticket = 1) {
  GenerateRequest request;
  request.ticket = ticket;
  request.name = "item";
  ContentPart part;
  part.text = std::move(text);
  request.messages.push_back({Role::kUser, {part}});
  request.sampling.max_tokens = 64;
  request.choices = {"A", "B"};
  return request;
}

inline GenerateRequest media_request(const std::filesystem::path& file, Modality modality,
                                     std::uint64_t ticket = 1) {
  GenerateRequest request = text_request("Scene A: ", ticket);
  ContentPart medium;
  medium.media = file;
  medium.modality = modality;
  request.messages[0].parts.push_back(medium);
  return request;
}

inline void add_system_message(GenerateRequest& request, std::string text) {
  ContentPart part;
  part.text = std::move(text);
  request.messages.insert(request.messages.begin(), {Role::kSystem, {part}});
}

// Line breaks in `body`, with the blanks behind, are those of the test's source: one blank each.
inline net::HttpResponse reply(int status, std::string_view body) {
  net::HttpResponse response;
  response.status = status;
  response.headers = {{"content-type", "application/json"}};
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] != '\n') {
      response.body += body[at];
      continue;
    }
    while (at + 1 < body.size() && body[at + 1] == ' ') ++at;
    response.body += ' ';
  }
  return response;
}

inline std::filesystem::path write_bytes(const std::filesystem::path& path,
                                         std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// Starts that make a file what it is; no decoder looks at them here.
inline std::string png_bytes() {
  return std::string("\x89PNG\r\n\x1a\n") + "pixels";
}
inline std::string wav_bytes() {
  return std::string("RIFF\x10\0\0\0WAVEfmt ", 16) + "samples";
}
inline std::string mp4_bytes() {
  return std::string(
             "\0\0\0\x18"
             "ftypisom\0\0\2\0",
             16) +
         "frames";
}
inline std::string npz_bytes() {
  std::string bytes = std::string("PK\x03\x04", 4) + std::string(26, '\0') + "arr_0.npy";
  bytes[26] = 9;
  return bytes;
}

inline io::JsonValue json(std::string_view text) {
  return io::parse_json(text, "test").value();
}

}  // namespace contra4::testing
