// JPEG by libjpeg-turbo, with the settings that Pillow uses: the accurate transform and smooth
// chroma. FFmpeg's own decoder differs from it by up to 81 grey levels on small pictures.
#pragma once

#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/decoder.h"
#include "contra4/media/picture.h"

namespace contra4::media {

bool is_jpeg(std::string_view bytes);

// As stored: not turned. Four channels are taken for ink as Adobe's programs write it, inverted.
// Errors as MediaDecoder::decode_picture. libjpeg-turbo cannot be interrupted, so a file with so
// many scans that it could not end within the time limit is refused by its looks.
Result<Picture> decode_jpeg(std::string_view bytes, std::string_view name,
                            const DecodeLimits& limits);

// Chroma at half the resolution. kInvalidArgument for an empty picture or a quality outside 1..100.
Result<std::string> encode_jpeg(const Picture& picture, int quality);

}  // namespace contra4::media
