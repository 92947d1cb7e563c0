#include "contra4/media/codecs/video_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/frame_colors.h"
#include "contra4/media/codecs/input_file.h"
#include "contra4/media/codecs/limits.h"
#include "contra4/media/codecs/orientation.h"
#include "contra4/media/codecs/video_index.h"

namespace contra4::media {

namespace {

constexpr std::string_view kWanted = "a video (mp4, mov, webm, mkv, avi)";

struct OpenStream {
  std::unique_ptr<InputFile> file;
  AVStream* stream = nullptr;
  Codec codec;
};

Result<OpenStream> open_stream(std::string_view bytes, std::string_view name,
                               const DecodeLimits& limits, const Deadline& deadline) {
  auto file = InputFile::open(bytes, name, kWanted, deadline);
  if (!file) return file.error();
  AVStream* stream = (*file)->select_stream(AVMEDIA_TYPE_VIDEO);
  if (stream == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: wanted {}, found no video track", name, kWanted)};
  }
  auto codec =
      open_codec(stream->codecpar->codec_id, stream->codecpar, name, limits, Strictness::kTolerant);
  if (!codec) return codec.error();
  (*codec)->pkt_timebase = stream->time_base;
  return OpenStream{.file = std::move(*file), .stream = stream, .codec = std::move(*codec)};
}

class FfmpegVideo final : public Video {
 public:
  FfmpegVideo(std::string_view bytes, const VideoOptions& options, OpenStream open,
              VideoIndex index)
      : bytes_(bytes), options_(options), open_(std::move(open)), index_(std::move(index)) {
    if (options.applies_rotation) orientation_ = display_orientation(*open_.stream);
  }

  const VideoTimeline& timeline() const override { return index_.timeline; }
  Result<std::vector<Picture>> frames(std::span<const std::int64_t> numbers) override;

 private:
  Result<Picture> picture_at(std::int64_t pts_ticks);
  Result<void> start_at(const VideoIndex::KeyFrame& key);
  Result<bool> read_first_packet_of(const VideoIndex::KeyFrame& key);
  Result<void> reopen();
  Result<bool> receive(std::int64_t pts_ticks);
  Result<void> send(const AVPacket* packet);

  std::string_view bytes_;
  VideoOptions options_;
  OpenStream open_;
  VideoIndex index_;
  int orientation_ = kUpright;
  FrameColors colors_;
  Frame frame_ = new_frame();
  Packet packet_ = new_packet();
  bool holds_packet_ = false;  // packet_ was read, but not yet decoded

  // Where decoding stands: how many of the stream's packets went by, and the time of the last frame
  // that came out. Nothing before the first frame is asked for, and after a failure.
  std::optional<std::size_t> num_sent_;
  std::int64_t last_pts_ticks_ = INT64_MIN;
  std::vector<std::int64_t> wanted_;  // times, ascending
};

Result<std::vector<Picture>> FfmpegVideo::frames(std::span<const std::int64_t> numbers) {
  const auto& times = index_.timeline.frame_pts_ticks;
  std::map<std::int64_t, Picture> pictures;  // by time, so that decoding goes forward
  for (const std::int64_t number : numbers) {
    if (number < 0 || number >= static_cast<std::int64_t>(times.size())) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{}: no frame {}; it has {}", open_.file->name(), number, times.size())};
    }
    pictures[times[static_cast<std::size_t>(number)]];
  }
  wanted_.clear();
  for (const auto& [pts_ticks, picture] : pictures) wanted_.push_back(pts_ticks);
  open_.file->set_deadline(Deadline(options_.limits));
  forget_ffmpeg_messages();
  for (auto& [pts_ticks, picture] : pictures) {
    auto decoded = picture_at(pts_ticks);
    if (!decoded) {
      num_sent_.reset();
      return decoded.error();
    }
    picture = std::move(*decoded);
  }
  std::vector<Picture> result;
  result.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    result.push_back(pictures[times[static_cast<std::size_t>(number)]]);
  }
  return result;
}

Result<Picture> FfmpegVideo::picture_at(std::int64_t pts_ticks) {
  const auto& key = index_.key_frame_before(pts_ticks);
  // Going on saves nothing where a later key frame is nearer, and cannot go back.
  const bool goes_on = num_sent_ && pts_ticks > last_pts_ticks_ && key.packet <= *num_sent_;
  Result<bool> found = false;
  if (goes_on) {
    found = receive(pts_ticks);
    if (!found) return found.error();
  }
  // Also where the frame was left out on the way to an earlier one.
  if (!*found) {
    if (auto started = start_at(key); !started) return started.error();
    found = receive(pts_ticks);
    if (!found) return found.error();
  }
  const bool is_whole =
      *found && frame_->decode_error_flags == 0 && (frame_->flags & AV_FRAME_FLAG_CORRUPT) == 0;
  if (!is_whole) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: the frame at tick {} does not decode; broken file?",
                             open_.file->name(), pts_ticks)};
  }
  if (auto error =
          too_many_pixels(open_.file->name(), frame_->width, frame_->height, options_.limits)) {
    return *std::move(error);
  }
  auto picture = colors_.convert(*frame_, open_.file->name());
  if (!picture) return picture.error();
  return turned(std::move(*picture), orientation_);
}

Result<void> FfmpegVideo::start_at(const VideoIndex::KeyFrame& key) {
  avcodec_flush_buffers(open_.codec.get());
  num_sent_.reset();
  last_pts_ticks_ = INT64_MIN;
  holds_packet_ = false;
  if (open_.file->seek(key.pts_ticks)) {
    auto arrived = read_first_packet_of(key);
    if (!arrived) return arrived.error();
    if (*arrived) return {};
  }
  // Not every index of a file is right: from the start, then.
  if (auto opened = reopen(); !opened) return opened.error();
  auto arrived = read_first_packet_of(key);
  if (!arrived) return arrived.error();
  if (!*arrived) return open_.file->error(AVERROR_INVALIDDATA);
  return {};
}

// Reads up to the packet of a key frame, which it holds then; false where it does not come.
Result<bool> FfmpegVideo::read_first_packet_of(const VideoIndex::KeyFrame& key) {
  while (true) {
    auto has_packet = open_.file->read(*packet_);
    if (!has_packet) return has_packet.error();
    if (!*has_packet) return false;
    const bool is_key = (packet_->flags & AV_PKT_FLAG_KEY) != 0 || key.packet == 0;
    if (packet_->pts == key.pts_ticks && is_key) break;
    if (packet_->pts > key.pts_ticks && (packet_->flags & AV_PKT_FLAG_KEY) != 0) return false;
  }
  holds_packet_ = true;
  num_sent_ = key.packet;
  return true;
}

Result<void> FfmpegVideo::reopen() {
  auto opened = open_stream(bytes_, open_.file->name(), options_.limits, open_.file->deadline());
  if (!opened) return opened.error();
  open_ = std::move(*opened);
  return {};
}

// Decodes until the frame of that time is in frame_; false where it is passed over.
Result<bool> FfmpegVideo::receive(std::int64_t pts_ticks) {
  while (true) {
    const int status = avcodec_receive_frame(open_.codec.get(), frame_.get());
    if (status >= 0) {
      const std::int64_t pts =
          frame_->pts != AV_NOPTS_VALUE ? frame_->pts : frame_->best_effort_timestamp;
      last_pts_ticks_ = std::max(last_pts_ticks_, pts);
      if (pts == pts_ticks) return true;
      if (pts > pts_ticks) return false;
      continue;
    }
    if (status != AVERROR(EAGAIN))
      return status == AVERROR_EOF ? Result<bool>(false) : open_.file->error(status);
    if (!holds_packet_) {
      auto has_packet = open_.file->read(*packet_);
      if (!has_packet) return has_packet.error();
      holds_packet_ = *has_packet;
    }
    if (auto sent = send(holds_packet_ ? packet_.get() : nullptr); !sent) {
      return sent.error();
    }
  }
}

Result<void> FfmpegVideo::send(const AVPacket* packet) {
  // What no other frame refers to and nobody asked for is left out.
  const bool is_wanted =
      packet == nullptr || std::binary_search(wanted_.begin(), wanted_.end(), packet->pts);
  open_.codec->skip_frame = is_wanted ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
  const int status = avcodec_send_packet(open_.codec.get(), packet);
  holds_packet_ = false;
  if (packet != nullptr && num_sent_) ++*num_sent_;
  // A packet that does not decode matters where its frame is wanted, which is found out there.
  const bool is_fatal = status == AVERROR(ENOMEM) || open_.file->deadline().has_passed();
  if (status < 0 && is_fatal) return open_.file->error(status);
  return {};
}

}  // namespace

Result<std::unique_ptr<Video>> open_video(std::string_view bytes, std::string_view name,
                                          const VideoOptions& options) {
  auto open = open_stream(bytes, name, options.limits, Deadline(options.limits));
  if (!open) return open.error();
  const AVCodecParameters& parameters = *open->stream->codecpar;
  // Streams of some kinds say their size only in their frames.
  if (parameters.width > 0 || parameters.height > 0) {
    if (auto error = too_many_pixels(name, parameters.width, parameters.height, options.limits)) {
      return *std::move(error);
    }
  }
  auto index = read_video_index(*open->file, *open->stream, options.limits);
  if (!index) return index.error();
  return std::unique_ptr<Video>(
      std::make_unique<FfmpegVideo>(bytes, options, std::move(*open), std::move(*index)));
}

}  // namespace contra4::media
