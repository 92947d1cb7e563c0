#include "contra4/media/request_media.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/media/codecs/orientation.h"
#include "contra4/media/media_file.h"

namespace contra4::media {

namespace {

namespace fs = std::filesystem;

// Changes with anything that makes other bytes of the same medium and options.
constexpr int kTranscodingVersion = 1;

bool is_common(const FileType& type, std::initializer_list<std::string_view> formats) {
  return std::find(formats.begin(), formats.end(), type.format) != formats.end();
}

EncodedMedia encoded(std::string_view bytes, std::string_view mime_type, std::string_view format,
                     std::string words) {
  return {.mime_type = std::string(mime_type),
          .base64 = base64_encode(bytes),
          .format = std::string(format),
          .words = std::move(words)};
}

Error too_large(std::string_view name, std::size_t num_bytes, std::uint64_t max_bytes) {
  return {ErrorCode::kResourceExhausted,
          fmt::format("{}: {} bytes, a request takes at most {}; make it smaller", name, num_bytes,
                      max_bytes)};
}

}  // namespace

void RequestMediaOptions::validate() const {
  constexpr int kMaxFrames = 256;
  const auto require = [](bool is_fine, const std::string& what) {
    if (!is_fine) throw Exception(ErrorCode::kInvalidArgument, what);
  };
  require(video_frames >= 1 && video_frames <= kMaxFrames,
          fmt::format("1 to {} frames of a video are sent, not {}", kMaxFrames, video_frames));
  require(max_image_side >= 0,
          fmt::format("the longest side of a picture is 0 or more, not {}", max_image_side));
  require(max_bytes > 0, "a medium has to be allowed some bytes");
  views.validate();
}

std::string RequestMediaOptions::description_json() const {
  io::JsonWriter writer;
  writer.begin_object().member("video_frames", video_frames);
  writer.member("videos_as_frames", videos_as_frames).member("max_image_side", max_image_side);
  writer.member("max_bytes", max_bytes).member("views", views.num_views);
  writer.member("view_side", views.view_side);
  writer.member("up", views.up == UpAxis::kY ? "y" : "z").end_object();
  return writer.take();
}

RequestMedia::RequestMedia(RequestMediaOptions options, DecoderSource decoder)
    : options_(std::move(options)), decoder_(std::move(decoder)) {
  options_.validate();
}

RequestMedia::Way RequestMedia::way_of(std::string_view bytes, const FileType& type,
                                       Modality modality, const MediaForm& form) const {
  const bool is_small = bytes.size() <= options_.max_bytes;
  switch (type.file_class) {
    case FileClass::kPoints:
      return Way::kViews;
    case FileClass::kPicture: {
      // A server that does not read EXIF would see it lying on its side.
      const bool is_plain = is_common(type, {"png", "jpeg", "webp", "gif"}) && is_small &&
                            options_.max_image_side == 0 &&
                            read_exif_orientation(bytes) == kUpright;
      return is_plain ? Way::kAsItIs : Way::kPicture;
    }
    case FileClass::kSound:
      return is_small && (form.takes_every_sound || is_common(type, {"wav", "mp3"})) ? Way::kAsItIs
                                                                                     : Way::kSound;
    case FileClass::kVideo:
      break;
  }
  if (modality == Modality::kAudio) return Way::kSound;
  const bool is_whole = is_small && !form.video_as_frames && !options_.videos_as_frames;
  return is_whole ? Way::kAsItIs : Way::kFrames;
}

Result<std::vector<TranscodedPart>> RequestMedia::transcode(Way way, std::string_view bytes,
                                                            std::string_view name) const {
  const PictureBounds bounds{.max_side = options_.max_image_side, .max_bytes = options_.max_bytes};
  try {
    const MediaDecoder& decoder = decoder_();
    if (way == Way::kFrames) {
      return transcode_video(bytes, name, options_.video_frames, bounds, decoder);
    }
    auto part = way == Way::kPicture ? transcode_picture(bytes, name, bounds, decoder)
                : way == Way::kSound
                    ? transcode_sound(bytes, name, options_.max_bytes, decoder)
                    : transcode_points(bytes, name, options_.views, bounds, decoder);
    if (!part) return part.error();
    std::vector<TranscodedPart> parts;
    parts.push_back(std::move(*part));
    return parts;
  } catch (const Exception& error) {  // no codecs in this build
    return Error{error.code(), fmt::format("{}: {}", name, error.what())};
  }
}

std::string RequestMedia::cache_key(Way way, std::string_view bytes) const {
  return sha256_hex(fmt::format("{} {} {} {}", kTranscodingVersion, static_cast<int>(way),
                                options_.description_json(), sha256_hex(bytes)));
}

Result<std::vector<EncodedMedia>> RequestMedia::load_transcoded(Way way, std::string_view bytes,
                                                                std::string_view name) const {
  const std::string key = options_.cache.empty() ? std::string() : cache_key(way, bytes);
  const TranscodeCache cache(options_.cache);
  std::vector<EncodedMedia> media;
  if (!key.empty()) {
    if (const auto parts = cache.find(key)) {
      for (const CachedPart& part : *parts) {
        const std::string file = io::read_file(part.file);
        const auto type = detect_file_type(std::string_view(file).substr(0, kFileTypeBytes));
        if (!type) break;
        media.push_back(encoded(file, type->mime_type, type->format, part.words));
      }
      if (media.size() == parts->size()) return media;
      media.clear();
    }
  }
  const auto parts = transcode(way, bytes, name);
  if (!parts) return parts.error();
  for (const TranscodedPart& part : *parts) {
    media.push_back(encoded(part.bytes, part.mime_type, part.format, part.words));
  }
  if (key.empty()) return media;
  try {
    cache.store(key, *parts);
  } catch (const Exception& error) {  // it costs time, nothing else
    log::warning("not kept: {}", error.what());
  }
  return media;
}

Result<std::vector<EncodedMedia>> RequestMedia::load(const fs::path& path, Modality modality,
                                                     const MediaForm& form) const {
  const auto medium = open_media_file(path, modality);
  if (!medium) return medium.error();
  const auto& [name, type, file] = *medium;
  const std::string_view bytes = file.bytes();
  const Way way = way_of(bytes, type, modality, form);
  if (way != Way::kAsItIs) return load_transcoded(way, bytes, name);
  if (bytes.size() > options_.max_bytes) return too_large(name, bytes.size(), options_.max_bytes);
  std::vector<EncodedMedia> media;
  media.push_back(encoded(bytes, type.mime_type, type.format, {}));
  return media;
}

Result<std::vector<CachedPart>> RequestMedia::picture_files(const fs::path& path,
                                                            Modality modality) const {
  if (options_.cache.empty()) {
    throw Exception(ErrorCode::kInvalidArgument, "pictures for programs need a cache folder");
  }
  const auto medium = open_media_file(path, modality);
  if (!medium) return medium.error();
  const auto& [name, type, file] = *medium;
  const std::string_view bytes = file.bytes();
  const Way way = way_of(bytes, type, modality, {.video_as_frames = true});
  if (way != Way::kFrames && way != Way::kViews) return std::vector<CachedPart>();
  const TranscodeCache cache(options_.cache);
  const std::string key = cache_key(way, bytes);
  if (auto parts = cache.find(key)) return std::move(*parts);
  const auto parts = transcode(way, bytes, name);
  if (!parts) return parts.error();
  return cache.store(key, *parts);
}

}  // namespace contra4::media
