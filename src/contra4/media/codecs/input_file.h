// The container of a sound or video, opened by FFmpeg over bytes in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/limits.h"

namespace contra4::media {

// One thread at a time. The file's kind is told by its first bytes and only that kind's reader is
// tried; nothing a file says makes FFmpeg open another file or an address.
class InputFile {
 public:
  // The bytes have to live as long as the object. kInvalidArgument where they are neither sound nor
  // video; `wanted` is for that message: "a sound (wav, ...)".
  static Result<std::unique_ptr<InputFile>> open(std::string_view bytes, std::string_view name,
                                                 std::string_view wanted, const Deadline& deadline);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // The first stream of a type, null where there is none; from then on only its packets are read.
  // A cover picture is no video.
  AVStream* select_stream(AVMediaType type);
  // The next packet of the selected stream; false at the end.
  Result<bool> read(AVPacket& packet);
  // To the key frame at or before a time of that stream; false where the container cannot.
  bool seek(std::int64_t pts_ticks);

  std::string_view format() const { return format_; }  // "wav", "mp4", as FileType has it
  const std::string& name() const { return name_; }
  const Deadline& deadline() const { return memory_.deadline; }
  void set_deadline(const Deadline& deadline) { memory_.deadline = deadline; }
  // What a failed call of FFmpeg means: the deadline first, as it shows as any failure.
  Error error(int status) const;

 private:
  struct Memory {
    std::string_view bytes;
    std::size_t at = 0;
    Deadline deadline;
  };
  struct ContextDeleter {
    void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
  };
  struct IoDeleter {
    void operator()(AVIOContext* io) const;
  };

  InputFile(std::string_view bytes, std::string_view name, const Deadline& deadline);
  static int read_bytes(void* memory, std::uint8_t* buffer, int size);
  static std::int64_t seek_bytes(void* memory, std::int64_t offset, int whence);
  static int must_stop(void* memory);
  Result<void> open_as(const char* demuxer);

  Memory memory_;
  std::string name_;
  std::string_view format_;
  std::unique_ptr<AVIOContext, IoDeleter> io_;
  std::unique_ptr<AVFormatContext, ContextDeleter> context_;
  int stream_ = -1;
};

}  // namespace contra4::media
