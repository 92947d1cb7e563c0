// What a file is, told by its first bytes: names lie, servers do not forgive.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace contra4::media {

enum class FileClass { kPicture, kSound, kVideo, kPoints };

struct FileType {
  std::string_view mime_type;  // "image/png"
  std::string_view format;     // short name as servers use it: "png", "wav", "mp4"
  FileClass file_class = FileClass::kPicture;
};

// So many leading bytes decide every known type.
inline constexpr std::size_t kFileTypeBytes = 4096;

// png, jpeg, webp, gif, bmp, tiff; wav, flac, mp3, ogg, m4a; mp4, mov, webm, mkv, avi; npz, npy,
// ply, obj. Empty for anything else. An ISO file is a sound only when its brand says so (M4A, M4B),
// an Ogg file always; obj has no signature, so it is text of its keywords alone.
std::optional<FileType> detect_file_type(std::string_view head);

}  // namespace contra4::media
