#include "contra4/media/codecs/picture_codec.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/file_numbers.h"
#include "contra4/media/codecs/frame_colors.h"
#include "contra4/media/codecs/jpeg_codec.h"
#include "contra4/media/codecs/orientation.h"
#include "contra4/media/codecs/whole_file.h"
#include "contra4/media/file_type.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kWebpAnimation = 30;  // where the ANIM chunk stands, behind VP8X

struct Signature {
  std::string_view start;
  AVCodecID codec;
};
constexpr std::array kSignatures = {
    Signature{"\x89PNG\r\n\x1a\n"sv, AV_CODEC_ID_PNG},
    Signature{"GIF8"sv, AV_CODEC_ID_GIF},
    Signature{"BM"sv, AV_CODEC_ID_BMP},
    Signature{"II*\0"sv, AV_CODEC_ID_TIFF},
    Signature{"MM\0*"sv, AV_CODEC_ID_TIFF},
};

std::optional<AVCodecID> picture_codec(std::string_view bytes) {
  for (const Signature& signature : kSignatures) {
    if (bytes.starts_with(signature.start)) return signature.codec;
  }
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return AV_CODEC_ID_WEBP;
  return std::nullopt;
}

Error no_picture(std::string_view bytes, std::string_view name) {
  if (bytes.empty()) {
    return Error{ErrorCode::kDataLoss, fmt::format("{}: empty file", name)};
  }
  const auto type = detect_file_type(bytes.substr(0, kFileTypeBytes));
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: wanted a picture (jpeg, png, webp, gif, bmp, tiff), found {}", name,
                           type ? type->mime_type : "a file of unknown type")};
}

// The bytes as one packet, with the zeros behind them that FFmpeg's bit readers want.
Result<Packet> packet_of(std::string_view bytes, std::string_view name) {
  constexpr std::size_t kLargest = (1U << 31U) - 1 - AV_INPUT_BUFFER_PADDING_SIZE;
  if (bytes.size() > kLargest) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{}: a picture of {} bytes; make it smaller", name, bytes.size())};
  }
  Packet packet = new_packet();
  if (const int status = av_new_packet(packet.get(), static_cast<int>(bytes.size())); status < 0) {
    return ffmpeg_error(name, status);
  }
  std::memcpy(packet->data, bytes.data(), bytes.size());
  return packet;
}

Result<Picture> decode_by_ffmpeg(AVCodecID id, std::string_view bytes, std::string_view name,
                                 const DecodeLimits& limits) {
  forget_ffmpeg_messages();
  // Of TIFF, "exact" would refuse every tag that FFmpeg does not know.
  const Strictness strictness = id == AV_CODEC_ID_TIFF ? Strictness::kTolerant : Strictness::kExact;
  auto codec = open_codec(id, nullptr, name, limits, strictness);
  if (!codec) return codec.error();
  auto packet = packet_of(bytes, name);
  if (!packet) return packet.error();
  const Frame frame = new_frame();
  int status = avcodec_send_packet(codec->get(), packet->get());
  if (status >= 0) status = avcodec_send_packet(codec->get(), nullptr);
  if (status >= 0) status = avcodec_receive_frame(codec->get(), frame.get());
  if (status < 0) return ffmpeg_error(name, status);
  if (auto error = too_many_pixels(name, frame->width, frame->height, limits)) {
    return *std::move(error);
  }
  const bool is_webp_luma_chroma = id == AV_CODEC_ID_WEBP && (frame->format == AV_PIX_FMT_YUV420P ||
                                                              frame->format == AV_PIX_FMT_YUVA420P);
  if (is_webp_luma_chroma) return convert_webp_colors(*frame);
  return FrameColors().convert(*frame, name);
}

// The first picture of an animated WebP as a file of its own: FFmpeg reads only those. Empty where
// there is none, or one that covers less than the canvas. Source: RFC 9649, section 2.7.1.
std::string first_webp_picture(std::string_view bytes) {
  constexpr std::uint64_t kHead = 8;        // of a chunk: name and size
  constexpr std::uint64_t kFrameHead = 16;  // of an ANMF chunk, before its own chunks
  const FileNumbers numbers(bytes, ByteOrder::kLittleEndian);
  const auto is_named = [&](std::uint64_t at, std::string_view name) {
    return bytes.substr(std::min<std::size_t>(at, bytes.size())).starts_with(name);
  };
  const auto chunk_end = [&](std::uint64_t at) -> std::uint64_t {
    const auto size = numbers.find(at + 4, 4);
    return size ? at + kHead + *size + *size % 2 : bytes.size();
  };
  std::uint64_t at = 12;
  while (at < bytes.size() && !is_named(at, "ANMF")) at = chunk_end(at);
  const std::uint64_t frame = at + kHead;
  // Three bytes each: the canvas of the VP8X chunk, and the frame's place and size.
  const bool covers_canvas = numbers.find(frame, 6) == 0U && numbers.find(frame + 6, 6) &&
                             numbers.find(frame + 6, 6) == numbers.find(24, 6);
  if (!covers_canvas) return {};
  at = frame + kFrameHead;
  while (at < bytes.size() && !is_named(at, "VP8")) at = chunk_end(at);
  const std::uint64_t end = chunk_end(at);
  if (at >= bytes.size() || end > bytes.size()) return {};
  std::string still = "RIFF";
  for (const unsigned shift : {0U, 8U, 16U, 24U}) {
    still += static_cast<char>((end - at + 4) >> shift & 0xffU);
  }
  return still.append("WEBP").append(bytes.substr(at, end - at));
}

// FFmpeg shows the chroma of such files as colours.
bool holds_jpeg(std::string_view tiff) {
  constexpr std::uint32_t kCompressionTag = 259;
  const std::uint32_t compression = find_tiff_short(tiff, kCompressionTag).value_or(0);
  return compression == 6 || compression == 7;
}

Result<Picture> decode_as_stored(std::string_view bytes, std::string_view name,
                                 const DecodeLimits& limits) {
  const auto codec = picture_codec(bytes);
  if (!codec && !is_jpeg(bytes)) return no_picture(bytes, name);
  if (auto error = cut_file(bytes, name)) return *std::move(error);
  if (!codec) return decode_jpeg(bytes, name, limits);
  if (holds_jpeg(bytes)) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: JPEG inside TIFF is not read; convert it first", name)};
  }
  const bool is_animated_webp = *codec == AV_CODEC_ID_WEBP && bytes.find("ANIM") == kWebpAnimation;
  if (!is_animated_webp) return decode_by_ffmpeg(*codec, bytes, name, limits);
  const std::string still = first_webp_picture(bytes);
  if (still.empty()) {
    return Error{
        ErrorCode::kUnimplemented,
        fmt::format("{}: an animation that starts with a part of its canvas; convert it first",
                    name)};
  }
  return decode_by_ffmpeg(*codec, still, name, limits);
}

}  // namespace

Result<Picture> decode_picture(std::string_view bytes, std::string_view name,
                               const PictureOptions& options) {
  auto picture = decode_as_stored(bytes, name, options.limits);
  if (!picture || !options.applies_orientation) return picture;
  return turned(std::move(*picture), read_exif_orientation(bytes));
}

Result<std::string> encode_png(const Picture& picture) {
  if (auto error = wrong_shape(picture)) return *std::move(error);
  forget_ffmpeg_messages();
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  CONTRA4_CHECK(encoder != nullptr, "FFmpeg without a PNG encoder");
  const Codec codec(avcodec_alloc_context3(encoder));
  if (codec == nullptr) throw std::bad_alloc();
  codec->width = picture.width;
  codec->height = picture.height;
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->time_base = {1, 1};
  codec->thread_count = 1;
  const Frame frame = new_frame();
  frame->width = picture.width;
  frame->height = picture.height;
  frame->format = AV_PIX_FMT_RGB24;
  int status = avcodec_open2(codec.get(), encoder, nullptr);
  if (status >= 0) status = av_frame_get_buffer(frame.get(), 0);
  if (status < 0) return ffmpeg_error("png", status);
  const std::size_t row_bytes = static_cast<std::size_t>(picture.width) * 3;
  for (int y = 0; y < picture.height; ++y) {
    std::memcpy(frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0],
                picture.rgb.data() + static_cast<std::size_t>(y) * row_bytes, row_bytes);
  }
  const Packet packet = new_packet();
  status = avcodec_send_frame(codec.get(), frame.get());
  if (status >= 0) status = avcodec_send_frame(codec.get(), nullptr);
  if (status >= 0) status = avcodec_receive_packet(codec.get(), packet.get());
  if (status < 0) return ffmpeg_error("png", status);
  return std::string(packet->data, packet->data + packet->size);
}

}  // namespace contra4::media
