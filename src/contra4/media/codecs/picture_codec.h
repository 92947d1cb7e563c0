// Any picture to RGB: JPEG by libjpeg-turbo, the others by FFmpeg; and PNG for what is sent.
#pragma once

#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/decoder.h"
#include "contra4/media/picture.h"

namespace contra4::media {

// As MediaDecoder::decode_picture and MediaDecoder::encode_png.
Result<Picture> decode_picture(std::string_view bytes, std::string_view name,
                               const PictureOptions& options);
Result<std::string> encode_png(const Picture& picture);

}  // namespace contra4::media
