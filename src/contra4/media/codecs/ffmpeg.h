// FFmpeg's handles, each with one owner, and what it has to say on errors.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/codecs/limits.h"

namespace contra4::media {

struct FrameDeleter {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct PacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct CodecDeleter {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct ScalerDeleter {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct ResamplerDeleter {
  void operator()(SwrContext* resampler) const { swr_free(&resampler); }
};
using Frame = std::unique_ptr<AVFrame, FrameDeleter>;
using Packet = std::unique_ptr<AVPacket, PacketDeleter>;
using Codec = std::unique_ptr<AVCodecContext, CodecDeleter>;
using Scaler = std::unique_ptr<SwsContext, ScalerDeleter>;
using Resampler = std::unique_ptr<SwrContext, ResamplerDeleter>;

// Throw std::bad_alloc where memory is short.
Frame new_frame();
Packet new_packet();

// From here on FFmpeg writes nothing to stderr: its messages are kept for `ffmpeg_error`, per
// thread.
void keep_ffmpeg_messages();
void forget_ffmpeg_messages();

// The Error of a call that failed with `status`, with the first thing that FFmpeg has said since
// its messages were last forgotten. kResourceExhausted where a picture has too many pixels,
// kUnimplemented for what this FFmpeg cannot do, otherwise kDataLoss.
Error ffmpeg_error(std::string_view name, int status);

enum class Strictness { kTolerant, kExact };  // kExact: checks checksums, stops at the first error

// One thread: callers decode several files at once. kUnimplemented for a codec that is not on the
// list of those for pictures, sounds and videos, or that this FFmpeg has not.
//   parameters  of a stream; may be null
Result<Codec> open_codec(AVCodecID id, const AVCodecParameters* parameters, std::string_view name,
                         const DecodeLimits& limits, Strictness strictness);

}  // namespace contra4::media
