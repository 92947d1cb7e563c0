// Videos by FFmpeg: the times of all frames first, pictures where they are asked for.
#pragma once

#include <memory>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/decoder.h"
#include "contra4/media/video.h"

namespace contra4::media {

// As MediaDecoder::open_video. The time line is that of the packets: nothing is decoded for it.
Result<std::unique_ptr<Video>> open_video(std::string_view bytes, std::string_view name,
                                          const VideoOptions& options);

}  // namespace contra4::media
