#include "contra4/media/codecs/codecs.h"

#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/jpeg_codec.h"
#include "contra4/media/codecs/picture_codec.h"
#include "contra4/media/codecs/scaling.h"
#include "contra4/media/codecs/sound_codec.h"
#include "contra4/media/codecs/video_codec.h"

namespace contra4::media {

namespace {

class Codecs final : public MediaDecoder {
 public:
  Codecs() { keep_ffmpeg_messages(); }

  Result<Picture> decode_picture(std::string_view bytes, std::string_view name,
                                 const PictureOptions& options) const override {
    return media::decode_picture(bytes, name, options);
  }
  Result<Sound> decode_sound(std::string_view bytes, std::string_view name,
                             const SoundOptions& options) const override {
    return media::decode_sound(bytes, name, options);
  }
  Result<std::unique_ptr<Video>> open_video(std::string_view bytes, std::string_view name,
                                            const VideoOptions& options) const override {
    return media::open_video(bytes, name, options);
  }
  Result<std::string> encode_jpeg(const Picture& picture, int quality) const override {
    return media::encode_jpeg(picture, quality);
  }
  Result<std::string> encode_png(const Picture& picture) const override {
    return media::encode_png(picture);
  }
  Result<Picture> resize(const Picture& picture, int width, int height) const override {
    return media::resize(picture, width, height);
  }
  Result<Sound> resample_mono(const Sound& sound, int sample_rate_hz) const override {
    return media::resample_mono(sound, sample_rate_hz);
  }
};

}  // namespace

const MediaDecoder& linked_decoder() {
  static const Codecs codecs;
  return codecs;
}

}  // namespace contra4::media
