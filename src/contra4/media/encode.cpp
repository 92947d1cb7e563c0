#include "contra4/media/encode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "contra4/io/file.h"
#include "contra4/media/file_type.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

struct Acceptance {
  Modality modality;
  std::string_view wanted;  // for messages
  std::array<FileClass, 2> classes;
};

// A video file may stand for a sound: its track is meant.
constexpr std::array kAccepted = {
    Acceptance{Modality::kImage,
               "a picture (png, jpeg, webp, gif)",
               {FileClass::kPicture, FileClass::kPicture}},
    Acceptance{Modality::kAudio,
               "a sound (wav, flac, mp3, ogg, m4a)",
               {FileClass::kSound, FileClass::kVideo}},
    Acceptance{
        Modality::kVideo, "a video (mp4, webm, mov)", {FileClass::kVideo, FileClass::kVideo}},
    Acceptance{Modality::kPointCloud,
               "a picture of the 3D object (png, jpeg, webp)",
               {FileClass::kPicture, FileClass::kPicture}},
};

std::optional<Error> wrong_type(const std::string& name, const std::optional<FileType>& type,
                                Modality modality) {
  const auto* accepted = std::find_if(kAccepted.begin(), kAccepted.end(),
                                      [&](const auto& row) { return row.modality == modality; });
  CONTRA4_CHECK(accepted != kAccepted.end(), "modality without accepted files");
  if (!type) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{}: wanted {}, found a file of unknown type", name, accepted->wanted)};
  }
  if (type->file_class == FileClass::kPoints) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: a server takes no point cloud ({}); give {} or captions instead",
                             name, type->format, accepted->wanted)};
  }
  const auto& classes = accepted->classes;
  if (std::find(classes.begin(), classes.end(), type->file_class) != classes.end()) {
    return std::nullopt;
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: wanted {}, found {}", name, accepted->wanted, type->mime_type)};
}

}  // namespace

Result<EncodedMedia> load_media_for_request(const std::filesystem::path& path, Modality modality,
                                            std::uint64_t max_bytes) {
  const std::string name = path.filename().string();
  std::error_code status;
  const auto kind = std::filesystem::status(path, status).type();
  if (kind == std::filesystem::file_type::not_found) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: no such media file", name)};
  }
  if (kind != std::filesystem::file_type::regular) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: not a file", name)};
  }
  std::string bytes;
  try {
    bytes = io::read_file(path, max_bytes);
  } catch (const Exception& error) {
    if (error.code() != ErrorCode::kResourceExhausted) return error.error();
    return Error{error.code(),
                 fmt::format("{}: {} bytes, a request takes at most {}; make it smaller", name,
                             std::filesystem::file_size(path, status), max_bytes)};
  }
  if (bytes.empty()) return Error{ErrorCode::kDataLoss, fmt::format("{}: empty file", name)};
  const auto type = detect_file_type(std::string_view(bytes).substr(0, kFileTypeBytes));
  if (auto error = wrong_type(name, type, modality)) return *std::move(error);
  return EncodedMedia{.mime_type = std::string(type->mime_type),
                      .base64 = base64_encode(bytes),
                      .format = std::string(type->format)};
}

std::string data_url(const EncodedMedia& media) {
  return fmt::format("data:{};base64,{}", media.mime_type, media.base64);
}

std::string base64_encode(std::string_view bytes) {
  // EVP counts in int; a multiple of three keeps padding out of the middle.
  constexpr std::size_t kBlock = 3U << 20;
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');     // EVP ends what it writes with a zero
  auto* out = reinterpret_cast<unsigned char*>(text.data());  // NOLINT(*-reinterpret-cast): C API
  for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
    const std::string_view block = bytes.substr(at, kBlock);
    const auto* in = reinterpret_cast<const unsigned char*>(block.data());  // NOLINT(*-cast)
    out += EVP_EncodeBlock(out, in, static_cast<int>(block.size()));
  }
  text.pop_back();
  return text;
}

}  // namespace contra4::media
