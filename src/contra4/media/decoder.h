// The door to pictures, sounds and videos. Their codecs (libjpeg-turbo, FFmpeg) live in a shared
// module of its own, which is opened by the first decoding: FFmpeg comes with a hundred libraries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/picture.h"
#include "contra4/media/sound.h"
#include "contra4/media/video.h"

namespace contra4::media {

// What a file may cost; beyond it kResourceExhausted, kDeadlineExceeded for the time.
struct DecodeLimits {
  std::int64_t max_pixels = 178'956'970;  // of one picture or frame: twice Pillow's warning
  double max_sound_s = 3600;
  std::int64_t max_frames = 1'000'000;  // of a video
  double max_seconds = 60;              // of decoding
};

struct PictureOptions {
  bool applies_orientation = true;  // turns as EXIF says; Pillow's convert("RGB") does not
  DecodeLimits limits;
};

struct SoundOptions {
  double max_kept_s = 0;  // decodes no more than so much from the start; 0: all of it
  DecodeLimits limits;
};

struct VideoOptions {
  bool applies_rotation = true;  // turns as the display matrix says
  DecodeLimits limits;
};

// All functions may be called by any number of threads. `bytes` is a whole file, which has to live
// as long as what is made of it; `name` is for messages. kInvalidArgument when the content is no
// such medium, kDataLoss when it is cut or broken, kUnimplemented for a codec that is not there.
class MediaDecoder {
 public:
  virtual ~MediaDecoder() = default;
  // JPEG (RGB, grey, CMYK), PNG, WebP, GIF (first picture), BMP, TIFF. Palettes become colours;
  // alpha is dropped, as Pillow's convert("RGB") does, not blended.
  virtual Result<Picture> decode_picture(std::string_view bytes, std::string_view name,
                                         const PictureOptions& options) const = 0;
  // wav of any depth, flac, mp3, ogg, m4a, or the first sound track of a video. Integer samples are
  // divided by 2^(bits-1).
  virtual Result<Sound> decode_sound(std::string_view bytes, std::string_view name,
                                     const SoundOptions& options) const = 0;
  virtual Result<std::unique_ptr<Video>> open_video(std::string_view bytes, std::string_view name,
                                                    const VideoOptions& options) const = 0;
  // For what has to be sent: a JPEG of quality 1 to 100.
  virtual Result<std::string> encode_jpeg(const Picture& picture, int quality) const = 0;
  virtual Result<std::string> encode_png(const Picture& picture) const = 0;
  // Bilinear with antialiasing, to exactly this size.
  virtual Result<Picture> resize(const Picture& picture, int width, int height) const = 0;
  // To one channel (the mean of all) at another rate.
  virtual Result<Sound> resample_mono(const Sound& sound, int sample_rate_hz) const = 0;
};

// Opens the module at the first call. Throws kUnimplemented where it was not built.
const MediaDecoder& media_decoder();

// The module exports one function of this type under this name. The number changes with any header
// above, so that a program never opens a module of another build.
inline constexpr int kCodecsModuleVersion = 1;
inline constexpr char kCodecsModuleEntry[] = "contra4_codecs_module";
using CodecsModuleEntry = const MediaDecoder* (*)(int version);  // null for another version

}  // namespace contra4::media
