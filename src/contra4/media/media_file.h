// A media file, opened and known to be of the kind that a scene of its modality may have.
#pragma once

#include <filesystem>
#include <string>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/io/file.h"
#include "contra4/media/file_type.h"

namespace contra4::media {

struct MediaFile {
  std::string name;  // without its folder, for messages
  FileType type;
  io::MappedFile file;
};

// A picture; a sound, or a video whose track is meant; a video; a point cloud, or a picture of the
// object. kNotFound, kInvalidArgument for a folder, a device or another kind of content, kDataLoss
// for an empty file.
Result<MediaFile> open_media_file(const std::filesystem::path& path, Modality modality);

}  // namespace contra4::media
