// Whether a media file decodes from end to end.
#pragma once

#include <filesystem>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/media/decoder.h"

namespace contra4::media {

// Decodes all of it, every frame of a video, and keeps nothing. Errors as open_media_file(), the
// decoder and read_point_cloud() give them, with the file's name; kDataLoss also for a sound
// without samples and a video without frames.
Result<void> check_decodes(const std::filesystem::path& path, Modality modality,
                           const MediaDecoder& decoder);

}  // namespace contra4::media
