#include "contra4/media/media_file.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace contra4::media {

namespace {

namespace fs = std::filesystem;

struct Acceptance {
  Modality modality;
  std::string_view wanted;  // for messages
  std::array<FileClass, 2> classes;
};

// A video file may stand for a sound: its track is meant. A picture may stand for a 3D object.
constexpr std::array kAccepted = {
    Acceptance{Modality::kImage,
               "a picture (png, jpeg, webp, gif, bmp, tiff)",
               {FileClass::kPicture, FileClass::kPicture}},
    Acceptance{Modality::kAudio,
               "a sound (wav, flac, mp3, ogg, m4a)",
               {FileClass::kSound, FileClass::kVideo}},
    Acceptance{
        Modality::kVideo, "a video (mp4, webm, mov, avi)", {FileClass::kVideo, FileClass::kVideo}},
    Acceptance{Modality::kPointCloud,
               "a 3D object (npz, npy, ply, obj) or a picture of it",
               {FileClass::kPoints, FileClass::kPicture}},
};

Result<FileType> accepted_type(std::string_view bytes, std::string_view name, Modality modality) {
  const auto* accepted = std::find_if(kAccepted.begin(), kAccepted.end(),
                                      [&](const auto& row) { return row.modality == modality; });
  CONTRA4_CHECK(accepted != kAccepted.end(), "modality without accepted files");
  if (bytes.empty()) return Error{ErrorCode::kDataLoss, fmt::format("{}: empty file", name)};
  const auto type = detect_file_type(bytes.substr(0, kFileTypeBytes));
  if (!type) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{}: wanted {}, found a file of unknown type", name, accepted->wanted)};
  }
  const auto& classes = accepted->classes;
  if (std::find(classes.begin(), classes.end(), type->file_class) != classes.end()) return *type;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: wanted {}, found {}", name, accepted->wanted, type->mime_type)};
}

Result<io::MappedFile> map_file(const fs::path& path, std::string_view name) {
  std::error_code status;
  const auto kind = fs::status(path, status).type();
  if (kind == fs::file_type::not_found) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: no such media file", name)};
  }
  if (kind != fs::file_type::regular) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: not a file", name)};
  }
  try {
    return io::MappedFile(path);
  } catch (const Exception& error) {
    return error.error();
  }
}

}  // namespace

Result<MediaFile> open_media_file(const fs::path& path, Modality modality) {
  std::string name = path.filename().string();
  auto file = map_file(path, name);
  if (!file) return file.error();
  const auto type = accepted_type(file->bytes(), name, modality);
  if (!type) return type.error();
  return MediaFile{std::move(name), *type, std::move(*file)};
}

}  // namespace contra4::media
