#include "contra4/media/codecs/sound_codec.h"

extern "C" {
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/input_file.h"
#include "contra4/media/codecs/limits.h"

namespace contra4::media {

namespace {

constexpr int kMostChannels = 32;
constexpr int kHighestRateHz = 768'000;
// Of all channels together, per second that is allowed: eight at 48 kHz.
constexpr double kSamplesPerSecond = 384'000;

// Integers are divided by 2^(bits - 1), unsigned ones after taking that off.
template <class T>
float unit_sample(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<float>(value);
  } else if constexpr (std::is_unsigned_v<T>) {
    constexpr double kHalf = static_cast<double>(T{1} << (8 * sizeof(T) - 1));
    return static_cast<float>((static_cast<double>(value) - kHalf) / kHalf);
  } else {
    constexpr double kScale = 1.0 / static_cast<double>(std::uint64_t{1} << (8 * sizeof(T) - 1));
    return static_cast<float>(static_cast<double>(value) * kScale);
  }
}

// Gathers the samples of frames, one vector a channel.
class Samples {
 public:
  Samples(std::string_view name, const SoundOptions& options) : name_(name), options_(options) {}

  // Nothing while more may come, otherwise why not.
  std::optional<Error> add(const AVFrame& frame) {
    if (channels_.empty()) {
      if (auto error = start(frame)) return error;
    }
    const bool is_same = frame.sample_rate == rate_hz_ && frame.format == format_ &&
                         frame.ch_layout.nb_channels == static_cast<int>(channels_.size());
    if (!is_same) {
      return Error{
          ErrorCode::kUnimplemented,
          fmt::format("{}: its rate or channels change on the way; convert it first", name_)};
    }
    const std::size_t count =
        std::min(static_cast<std::size_t>(frame.nb_samples), most_kept_ - channels_[0].size());
    if (channels_[0].size() + count > most_allowed_) return too_long();
    switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
      case AV_SAMPLE_FMT_U8:
        append<std::uint8_t>(frame, count);
        break;
      case AV_SAMPLE_FMT_S16:
        append<std::int16_t>(frame, count);
        break;
      case AV_SAMPLE_FMT_S32:
        append<std::int32_t>(frame, count);
        break;
      case AV_SAMPLE_FMT_FLT:
        append<float>(frame, count);
        break;
      case AV_SAMPLE_FMT_DBL:
        append<double>(frame, count);
        break;
      default:
        return Error{
            ErrorCode::kUnimplemented,
            fmt::format("{}: samples of a kind that is not read; convert it first", name_)};
    }
    return std::nullopt;
  }

  void keep_first(std::size_t num_frames) {
    for (auto& channel : channels_) channel.resize(std::min(channel.size(), num_frames));
  }
  bool has_enough() const { return !channels_.empty() && channels_[0].size() >= most_kept_; }
  std::size_t num_frames() const { return channels_.empty() ? 0 : channels_[0].size(); }
  int rate_hz() const { return rate_hz_; }

  Sound take() && {
    Sound sound{.sample_rate_hz = rate_hz_,
                .num_channels = static_cast<int>(channels_.size()),
                .samples = std::move(channels_[0])};
    sound.samples.reserve(sound.samples.size() * channels_.size());
    for (std::size_t c = 1; c < channels_.size(); ++c) {
      sound.samples.insert(sound.samples.end(), channels_[c].begin(), channels_[c].end());
      channels_[c] = {};
    }
    return sound;
  }

 private:
  std::optional<Error> start(const AVFrame& frame) {
    const int num_channels = frame.ch_layout.nb_channels;
    if (num_channels < 1 || num_channels > kMostChannels || frame.sample_rate < 1 ||
        frame.sample_rate > kHighestRateHz) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: {} channels at {} Hz; wanted 1 to {} at up to {} Hz", name_,
                               num_channels, frame.sample_rate, kMostChannels, kHighestRateHz)};
    }
    rate_hz_ = frame.sample_rate;
    format_ = frame.format;
    channels_.resize(static_cast<std::size_t>(num_channels));
    const double most_s = std::min(options_.limits.max_sound_s, 1e7);
    most_allowed_ = static_cast<std::size_t>(
        std::max(0.0, most_s * std::min<double>(rate_hz_, kSamplesPerSecond / num_channels)));
    if (options_.max_kept_s > 0) {
      most_kept_ =
          static_cast<std::size_t>(std::llround(std::min(options_.max_kept_s, 1e7) * rate_hz_));
    }
    return std::nullopt;
  }

  Error too_long() const {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{}: more than {} s of {} channels at {} Hz; cut it first", name_,
                             options_.limits.max_sound_s, channels_.size(), rate_hz_)};
  }

  template <class T>
  void append(const AVFrame& frame, std::size_t count) {
    const bool is_planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format)) != 0;
    const std::size_t step = is_planar ? 1 : channels_.size();
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      const std::uint8_t* plane = frame.extended_data[is_planar ? c : 0];
      for (std::size_t i = 0; i < count; ++i) {
        T value{};
        std::memcpy(&value, plane + (i * step + (is_planar ? 0 : c)) * sizeof(T), sizeof(T));
        channels_[c].push_back(unit_sample(value));
      }
    }
  }

  std::string name_;
  SoundOptions options_;
  std::vector<std::vector<float>> channels_;
  std::size_t most_kept_ = SIZE_MAX;
  std::size_t most_allowed_ = 0;
  int rate_hz_ = 0;
  int format_ = -1;
};

// Words that stand between the frames of an mp3 are no sound; a frame starts with eleven set bits.
bool is_stray_mp3_data(const InputFile& file, const AVPacket& packet) {
  if (file.format() != "mp3") return false;
  return packet.size < 4 || packet.data[0] != 0xff || (packet.data[1] & 0xe0) != 0xe0;
}

// Codecs fill up their last frame, and these containers say by how much.
constexpr std::size_t kLongestPadding = 8192;
bool is_padded(std::string_view format) {
  return format == "ogg" || format == "m4a" || format == "mp4" || format == "mov";
}

// Feeds one packet, or the end of all where `packet` is null.
Result<void> decode_packet(AVCodecContext& codec, const AVPacket* packet, const InputFile& file,
                           AVFrame& frame, Samples& samples) {
  int status = avcodec_send_packet(&codec, packet);
  while (status >= 0) {
    status = avcodec_receive_frame(&codec, &frame);
    if (status < 0) break;
    if (auto error = samples.add(frame)) return *std::move(error);
    if (samples.has_enough()) return {};
    if (file.deadline().has_passed()) return file.deadline().error(file.name());
  }
  if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return {};
  if (packet != nullptr && is_stray_mp3_data(file, *packet)) return {};
  return file.error(status);
}

}  // namespace

Result<Sound> decode_sound(std::string_view bytes, std::string_view name,
                           const SoundOptions& options) {
  auto file = InputFile::open(bytes, name, "a sound (wav, flac, mp3, ogg, m4a) or a video",
                              Deadline(options.limits));
  if (!file) return file.error();
  const AVStream* stream = (*file)->select_stream(AVMEDIA_TYPE_AUDIO);
  if (stream == nullptr) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: no sound track in it", name)};
  }
  const bool is_flac = (*file)->format() == "flac";
  auto codec = open_codec(stream->codecpar->codec_id, stream->codecpar, name, options.limits,
                          is_flac ? Strictness::kExact : Strictness::kTolerant);
  if (!codec) return codec.error();
  (*codec)->pkt_timebase = stream->time_base;
  const Packet packet = new_packet();
  const Frame frame = new_frame();
  Samples samples(name, options);
  bool is_at_end = false;
  while (!is_at_end && !samples.has_enough()) {
    auto has_packet = (*file)->read(*packet);
    if (!has_packet) return has_packet.error();
    is_at_end = !*has_packet;
    auto decoded =
        decode_packet(**codec, is_at_end ? nullptr : packet.get(), **file, *frame, samples);
    if (!decoded) return decoded.error();
  }
  if (samples.num_frames() == 0) {
    return Error{ErrorCode::kDataLoss, fmt::format("{}: its sound track is empty", name)};
  }
  if (samples.has_enough() || stream->duration <= 0) return std::move(samples).take();
  // What the container says of the length; 0 where it was written into a pipe.
  const auto stated = static_cast<std::size_t>(
      av_rescale_q(stream->duration, stream->time_base, {1, samples.rate_hz()}));
  if (is_flac && samples.num_frames() < stated) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: cut file, {} of its {} samples are there; load it again", name,
                             samples.num_frames(), stated)};
  }
  if (is_padded((*file)->format()) && samples.num_frames() < stated + kLongestPadding) {
    samples.keep_first(stated);
  }
  return std::move(samples).take();
}

}  // namespace contra4::media
