// A media file as it goes into a request: base64 with its type.
#pragma once

#include <string>
#include <string_view>

namespace contra4::media {

struct EncodedMedia {
  std::string mime_type;  // "image/png", by content, whatever the name says
  std::string base64;     // standard alphabet, padded, one line
  std::string format;     // "png", "wav", "mp4": as `input_audio` wants it
  std::string words;      // what it is, where it does not say so itself; to stand before it
};

// "data:<mime type>;base64,<data>".
std::string data_url(const EncodedMedia& media);

std::string base64_encode(std::string_view bytes);

}  // namespace contra4::media
