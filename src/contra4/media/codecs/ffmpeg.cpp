#include "contra4/media/codecs/ffmpeg.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

#include <fmt/format.h>

namespace contra4::media {

namespace {

constexpr std::size_t kLongestMessage = 240;

// The first error that FFmpeg logged on this thread; decoders run on the thread that calls them.
thread_local std::array<char, kLongestMessage> first_message{};

void keep_first_error(void* source, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR || first_message[0] != '\0') return;
  int prints_prefix = 0;  // which would hold an address
  av_log_format_line2(source, level, format, arguments, first_message.data(),
                      static_cast<int>(first_message.size()), &prints_prefix);
  for (char& c : first_message) {
    if (c == '\n') c = '\0';
    if (c != '\0' && static_cast<unsigned char>(c) < ' ') c = ' ';
  }
}

constexpr std::int64_t kMostPixels = std::int64_t{1} << 40U;
constexpr std::int64_t kPadding = std::int64_t{64} * 65536;  // of a picture of that many rows

// Decoders take hostile bytes; FFmpeg has some 500, most for games and old cameras.
constexpr std::array kCodecs = {
    AV_CODEC_ID_PNG,           AV_CODEC_ID_WEBP,       AV_CODEC_ID_GIF,
    AV_CODEC_ID_BMP,           AV_CODEC_ID_TIFF,       AV_CODEC_ID_MP2,
    AV_CODEC_ID_MP3,           AV_CODEC_ID_AAC,        AV_CODEC_ID_AC3,
    AV_CODEC_ID_EAC3,          AV_CODEC_ID_VORBIS,     AV_CODEC_ID_OPUS,
    AV_CODEC_ID_FLAC,          AV_CODEC_ID_ALAC,       AV_CODEC_ID_ADPCM_MS,
    AV_CODEC_ID_ADPCM_IMA_WAV, AV_CODEC_ID_PCM_U8,     AV_CODEC_ID_PCM_S16LE,
    AV_CODEC_ID_PCM_S24LE,     AV_CODEC_ID_PCM_S32LE,  AV_CODEC_ID_PCM_F32LE,
    AV_CODEC_ID_PCM_F64LE,     AV_CODEC_ID_PCM_S16BE,  AV_CODEC_ID_PCM_S24BE,
    AV_CODEC_ID_PCM_S32BE,     AV_CODEC_ID_PCM_ALAW,   AV_CODEC_ID_PCM_MULAW,
    AV_CODEC_ID_H264,          AV_CODEC_ID_HEVC,       AV_CODEC_ID_MPEG4,
    AV_CODEC_ID_VP8,           AV_CODEC_ID_VP9,        AV_CODEC_ID_AV1,
    AV_CODEC_ID_MPEG1VIDEO,    AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MJPEG,
    AV_CODEC_ID_H263,          AV_CODEC_ID_THEORA,
};

}  // namespace

Frame new_frame() {
  Frame frame(av_frame_alloc());
  if (frame == nullptr) throw std::bad_alloc();
  return frame;
}

Packet new_packet() {
  Packet packet(av_packet_alloc());
  if (packet == nullptr) throw std::bad_alloc();
  return packet;
}

void keep_ffmpeg_messages() {
  av_log_set_callback(keep_first_error);
}

void forget_ffmpeg_messages() {
  first_message.fill('\0');
}

Error ffmpeg_error(std::string_view name, int status) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(status, text.data(), text.size());
  const std::string_view said = first_message.data();
  const std::string reason =
      said.empty() ? std::string(text.data()) : fmt::format("{}: {}", text.data(), said);
  if (said.find("max pixel count") != std::string_view::npos) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{}: too many pixels ({}); make it smaller", name, said)};
  }
  if (status == AVERROR_PATCHWELCOME || status == AVERROR(ENOSYS) ||
      status == AVERROR_DECODER_NOT_FOUND) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: FFmpeg cannot decode it ({})", name, reason)};
  }
  if (status == AVERROR(ENOMEM)) {
    return Error{ErrorCode::kResourceExhausted, fmt::format("{}: {}", name, reason)};
  }
  return Error{ErrorCode::kDataLoss,
               fmt::format("{}: broken file ({}); cut download?", name, reason)};
}

Result<Codec> open_codec(AVCodecID id, const AVCodecParameters* parameters, std::string_view name,
                         const DecodeLimits& limits, Strictness strictness) {
  const bool is_listed = std::find(kCodecs.begin(), kCodecs.end(), id) != kCodecs.end();
  const AVCodec* found = is_listed ? avcodec_find_decoder(id) : nullptr;
  if (found == nullptr) {
    return Error{ErrorCode::kUnimplemented, fmt::format("{}: no decoder for '{}'; convert it first",
                                                        name, avcodec_get_name(id))};
  }
  Codec codec(avcodec_alloc_context3(found));
  if (codec == nullptr) throw std::bad_alloc();
  if (parameters != nullptr) {
    if (const int status = avcodec_parameters_to_context(codec.get(), parameters); status < 0) {
      return ffmpeg_error(name, status);
    }
  }
  codec->thread_count = 1;
  // It counts rows in whole vectors, so that narrow pictures look larger; the picture itself is
  // held to the limit when it is there.
  codec->max_pixels = std::min(limits.max_pixels, kMostPixels) + kPadding;
  if (strictness == Strictness::kExact) {
    codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  }
  if (const int status = avcodec_open2(codec.get(), found, nullptr); status < 0) {
    return ffmpeg_error(name, status);
  }
  return codec;
}

}  // namespace contra4::media
