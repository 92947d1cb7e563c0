// Whether a file is all there, by what it says of its own length. Decoders fill in what is missing.
#pragma once

#include <optional>
#include <string_view>

#include "contra4/base/error.h"

namespace contra4::media {

// kDataLoss where the file ends before its last segment, chunk, box or page does. Knows JPEG, PNG,
// GIF (to the end of its first picture), BMP, WebP, AVI, wav, ISO media (mp4, mov, m4a), Ogg and
// Matroska (webm); nothing for others, and for files that leave their length open, as writers into
// a pipe do.
std::optional<Error> cut_file(std::string_view bytes, std::string_view name);

}  // namespace contra4::media
