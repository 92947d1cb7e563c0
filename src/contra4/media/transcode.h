// Media as servers take them, made of those they refuse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/media/decoder.h"
#include "contra4/media/render.h"

namespace contra4::media {

// A picture or a sound that stands for a medium, or for a part of it.
struct TranscodedPart {
  std::string bytes;
  std::string_view mime_type;  // "image/jpeg", "audio/wav"
  std::string_view format;     // "jpeg", "wav"
  std::string words;           // what it is, where it does not say so itself; to stand before it
};

struct PictureBounds {
  int max_side = 0;  // pixels of the longer side; 0: any
  std::uint64_t max_bytes = 20U << 20;
};

// All functions: `bytes` is a whole file, `name` is for messages; errors are those of the decoder
// and of read_point_cloud(), kResourceExhausted where nothing gets below a bound.

// A JPEG, turned as EXIF says, as good as fits the bounds, made smaller where it has to be.
Result<TranscodedPart> transcode_picture(std::string_view bytes, std::string_view name,
                                         const PictureBounds& bounds, const MediaDecoder& decoder);
// A wav of 16 kHz, one channel, 16 bits; also of the sound track of a video.
Result<TranscodedPart> transcode_sound(std::string_view bytes, std::string_view name,
                                       std::uint64_t max_bytes, const MediaDecoder& decoder);
// JPEGs of `num_frames` frames, each from the middle of one of as many equal parts of the video's
// time, in order; fewer where it has fewer. The bytes are shared out evenly. The words say how many
// there are and at what seconds, and stand before the first.
Result<std::vector<TranscodedPart>> transcode_video(std::string_view bytes, std::string_view name,
                                                    int num_frames, const PictureBounds& bounds,
                                                    const MediaDecoder& decoder);
// A JPEG of the object seen from several sides, with words that say so.
Result<TranscodedPart> transcode_points(std::string_view bytes, std::string_view name,
                                        const RenderOptions& views, const PictureBounds& bounds,
                                        const MediaDecoder& decoder);

// Numbers of those frames, ascending, all different.
std::vector<std::int64_t> middle_frames(const VideoTimeline& timeline, int num_frames);

// A wav file of 16-bit samples; what lies outside [-1, 1] is cut off.
std::string write_wav(const Sound& sound);

}  // namespace contra4::media
