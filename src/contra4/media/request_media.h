// The file of a scene as it goes into a request: as it is where servers take it so, otherwise
// transcoded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/media/decoder.h"
#include "contra4/media/encode.h"
#include "contra4/media/file_type.h"
#include "contra4/media/render.h"
#include "contra4/media/transcode_cache.h"

namespace contra4::media {

// Servers take about 20 MB inline; what is larger is made smaller.
inline constexpr std::uint64_t kMaxMediaBytes = 20U << 20;

struct RequestMediaOptions {
  int video_frames = 8;           // of a video that is sent as pictures, 1 to 256
  bool videos_as_frames = false;  // always, also where the server takes videos
  int max_image_side = 0;  // pixels; pictures, frames and sheets are made smaller; 0: any size
  std::uint64_t max_bytes = kMaxMediaBytes;  // of one medium, before base64
  RenderOptions views = {};                  // of a 3D object
  std::filesystem::path cache = {};          // folder for what was transcoded; empty: none

  // Throws kInvalidArgument naming the field.
  void validate() const;
  // All that decides what is sent, as a JSON object; not the folder.
  std::string description_json() const;
};

// What one endpoint takes.
struct MediaForm {
  bool video_as_frames = false;    // it takes no video: frames as pictures
  bool takes_every_sound = false;  // flac, ogg and m4a too, not wav and mp3 alone
};

class RequestMedia {
 public:
  using DecoderSource = std::function<const MediaDecoder&()>;
  // `decoder` is asked for when something has to be transcoded, not before; it may throw. Throws as
  // validate().
  explicit RequestMedia(RequestMediaOptions options = {}, DecoderSource decoder = media_decoder);

  // The parts that stand for the file of a scene of that modality, in order, with their words: a
  // picture, also for a 3D object; a sound, also of a video; a video, or its frames. The file name,
  // not its folder, is in messages. kNotFound, kInvalidArgument when the content is no file of that
  // modality, kResourceExhausted above `max_bytes` where nothing gets it smaller, and as the
  // decoder; kUnimplemented in a build without codecs where they are needed.
  Result<std::vector<EncodedMedia>> load(const std::filesystem::path& path, Modality modality,
                                         const MediaForm& form) const;

  // Pictures of a 3D object or of a video, as files in the cache: for programs that see pictures
  // alone. Empty for what is a picture or a sound already. Throws where the cache has no folder or
  // cannot be written to.
  Result<std::vector<CachedPart>> picture_files(const std::filesystem::path& path,
                                                Modality modality) const;

  const RequestMediaOptions& options() const { return options_; }

 private:
  enum class Way : std::uint8_t { kAsItIs, kPicture, kSound, kFrames, kViews };
  Way way_of(std::string_view bytes, const FileType& type, Modality modality,
             const MediaForm& form) const;
  Result<std::vector<TranscodedPart>> transcode(Way way, std::string_view bytes,
                                                std::string_view name) const;
  std::string cache_key(Way way, std::string_view bytes) const;
  Result<std::vector<EncodedMedia>> load_transcoded(Way way, std::string_view bytes,
                                                    std::string_view name) const;

  RequestMediaOptions options_;
  DecoderSource decoder_;
};

}  // namespace contra4::media
