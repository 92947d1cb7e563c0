// A media file as it goes into a request: base64 with its type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"

namespace contra4::media {

struct EncodedMedia {
  std::string mime_type;  // "image/png", by content, whatever the name says
  std::string base64;     // standard alphabet, padded, one line
  std::string format;     // "png", "wav", "mp4": as `input_audio` wants it
};

// Servers take about 20 MB inline; what is larger has to be made smaller first.
inline constexpr std::uint64_t kMaxMediaBytes = 20U << 20;

// Reads and encodes the file of a scene of that modality; a rendered picture stands for a 3D
// object. The file name, not its folder, is in messages. kNotFound, kResourceExhausted above
// `max_bytes`, kInvalidArgument when the content is no file of that modality, kUnimplemented for
// point clouds, which no server takes as they are.
Result<EncodedMedia> load_media_for_request(const std::filesystem::path& path, Modality modality,
                                            std::uint64_t max_bytes = kMaxMediaBytes);

// "data:<mime type>;base64,<data>".
std::string data_url(const EncodedMedia& media);

std::string base64_encode(std::string_view bytes);

}  // namespace contra4::media
