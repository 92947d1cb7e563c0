// What the packets of a video stream tell of its frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/media/codecs/input_file.h"
#include "contra4/media/decoder.h"
#include "contra4/media/video.h"

namespace contra4::media {

struct VideoIndex {
  VideoTimeline timeline;
  // A packet from which decoding can start, in the order of the file.
  struct KeyFrame {
    std::int64_t pts_ticks = 0;
    std::size_t packet = 0;  // its position among the stream's packets
  };
  std::vector<KeyFrame> key_frames;            // never empty: the first packet counts as one
  std::vector<std::int64_t> packet_pts_ticks;  // of every packet, in the order of the file

  // The last key frame that is shown at or before this time: frames shown after it need no other.
  const KeyFrame& key_frame_before(std::int64_t pts_ticks) const;
};

// Reads all packets of `stream`, which has to be selected, from the start. kResourceExhausted above
// limits.max_frames, kDataLoss for a cut stream or one without frames.
Result<VideoIndex> read_video_index(InputFile& file, const AVStream& stream,
                                    const DecodeLimits& limits);

// The turn that the stream's display matrix asks for, as EXIF's number; kUpright for none and for
// one that is no turn by quarters.
int display_orientation(const AVStream& stream);

}  // namespace contra4::media
