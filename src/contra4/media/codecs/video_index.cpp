#include "contra4/media/codecs/video_index.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "contra4/media/codecs/orientation.h"

namespace contra4::media {

namespace {

// VP8 sends pictures that only others refer to as packets of their own. Source: RFC 6386, 9.1.
bool is_hidden(const AVPacket& packet, AVCodecID codec) {
  if ((packet.flags & AV_PKT_FLAG_DISCARD) != 0) return true;
  constexpr unsigned kShown = 0x10;
  return codec == AV_CODEC_ID_VP8 && packet.size > 0 && (packet.data[0] & kShown) == 0;
}

Rational rational(AVRational value) {
  return {.numerator = value.num, .denominator = value.den};
}

// The mean rate: what the container says, otherwise what the times give; a lone frame has none, and
// counts as one a second.
Rational average_fps(const AVStream& stream, const VideoTimeline& timeline) {
  const AVRational said = stream.avg_frame_rate;
  if (said.num > 0 && said.den > 0) return rational(said);
  const auto& times = timeline.frame_pts_ticks;
  const std::int64_t span = times.back() - times.front();
  if (span <= 0) return {.numerator = 1, .denominator = 1};
  // In two steps: the span times the time base's numerator does not always fit into 64 bits.
  AVRational frames_per_tick{};
  av_reduce(&frames_per_tick.num, &frames_per_tick.den, static_cast<std::int64_t>(times.size() - 1),
            span, INT32_MAX);
  return rational(av_mul_q(frames_per_tick, av_inv_q(stream.time_base)));
}

void complete(VideoTimeline& timeline, const AVStream& stream, std::int64_t end_ticks) {
  std::sort(timeline.frame_pts_ticks.begin(), timeline.frame_pts_ticks.end());
  timeline.time_base = rational(stream.time_base);
  const std::int64_t first = timeline.frame_pts_ticks.front();
  timeline.start_ticks = stream.start_time == AV_NOPTS_VALUE ? first : stream.start_time;
  timeline.duration_ticks = stream.duration > 0 ? stream.duration : end_ticks - first;
  timeline.average_fps = average_fps(stream, timeline);
}

}  // namespace

const VideoIndex::KeyFrame& VideoIndex::key_frame_before(std::int64_t pts_ticks) const {
  const KeyFrame* best = key_frames.data();
  for (const KeyFrame& key : key_frames) {
    if (key.pts_ticks <= pts_ticks && key.packet > best->packet) best = &key;
  }
  return *best;
}

Result<VideoIndex> read_video_index(InputFile& file, const AVStream& stream,
                                    const DecodeLimits& limits) {
  // Far from what would overflow when times are added.
  constexpr std::int64_t kLatest = std::int64_t{1} << 53;
  VideoIndex index;
  std::int64_t end_ticks = INT64_MIN;
  const Packet packet = new_packet();
  while (true) {
    auto has_packet = file.read(*packet);
    if (!has_packet) return has_packet.error();
    if (!*has_packet) break;
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) return file.error(AVERROR_INVALIDDATA);
    const std::int64_t pts = packet->pts;
    if (pts == AV_NOPTS_VALUE || pts < -kLatest || pts > kLatest) {
      return Error{ErrorCode::kUnimplemented,
                   fmt::format("{}: frames without times of their own, as in AVI files with "
                               "B-frames; convert it to mp4 first",
                               file.name())};
    }
    const std::size_t number = index.packet_pts_ticks.size();
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0 || number == 0) {
      index.key_frames.push_back({.pts_ticks = pts, .packet = number});
    }
    index.packet_pts_ticks.push_back(pts);
    if (is_hidden(*packet, stream.codecpar->codec_id)) continue;
    index.timeline.frame_pts_ticks.push_back(pts);
    end_ticks = std::max(end_ticks, pts + std::clamp<std::int64_t>(packet->duration, 0, kLatest));
    if (static_cast<std::int64_t>(index.timeline.frame_pts_ticks.size()) > limits.max_frames) {
      return Error{
          ErrorCode::kResourceExhausted,
          fmt::format("{}: more than {} frames; cut it first", file.name(), limits.max_frames)};
    }
  }
  if (index.timeline.frame_pts_ticks.empty()) {
    return Error{ErrorCode::kDataLoss, fmt::format("{}: a video without frames", file.name())};
  }
  complete(index.timeline, stream, end_ticks);
  return index;
}

int display_orientation(const AVStream& stream) {
  std::size_t size = 0;
  const std::uint8_t* bytes = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  std::array<std::int32_t, 9> matrix{};
  if (bytes == nullptr || size < sizeof(matrix)) return kUpright;
  std::memcpy(matrix.data(), bytes, sizeof(matrix));
  // A point (x, y) is shown at (a x + c y, b x + d y).
  const auto sign = [](std::int32_t value) { return value > 0 ? 1 : (value < 0 ? -1 : 0); };
  const std::array<int, 4> abcd = {sign(matrix[0]), sign(matrix[1]), sign(matrix[3]),
                                   sign(matrix[4])};
  constexpr std::array<std::array<int, 4>, 8> kTurns = {{{1, 0, 0, 1},
                                                         {-1, 0, 0, 1},
                                                         {-1, 0, 0, -1},
                                                         {1, 0, 0, -1},
                                                         {0, 1, 1, 0},
                                                         {0, 1, -1, 0},
                                                         {0, -1, -1, 0},
                                                         {0, -1, 1, 0}}};
  const auto* found = std::find(kTurns.begin(), kTurns.end(), abcd);
  return found == kTurns.end() ? kUpright : static_cast<int>(found - kTurns.begin()) + 1;
}

}  // namespace contra4::media
