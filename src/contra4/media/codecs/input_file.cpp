#include "contra4/media/codecs/input_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "contra4/media/codecs/whole_file.h"
#include "contra4/media/file_type.h"

namespace contra4::media {

namespace {

struct Demuxer {
  std::string_view format;  // of FileType
  const char* name;         // of FFmpeg
};
constexpr std::array kDemuxers = {
    Demuxer{"wav", "wav"}, Demuxer{"flac", "flac"},     Demuxer{"mp3", "mp3"},
    Demuxer{"ogg", "ogg"}, Demuxer{"m4a", "mov"},       Demuxer{"mp4", "mov"},
    Demuxer{"mov", "mov"}, Demuxer{"webm", "matroska"}, Demuxer{"mkv", "matroska"},
    Demuxer{"avi", "avi"},
};

int refuse_other_files(AVFormatContext* /*context*/, AVIOContext** /*io*/, const char* /*url*/,
                       int /*flags*/, AVDictionary** /*options*/) {
  return AVERROR(EACCES);
}

}  // namespace

void InputFile::IoDeleter::operator()(AVIOContext* io) const {
  av_freep(static_cast<void*>(&io->buffer));
  avio_context_free(&io);
}

InputFile::InputFile(std::string_view bytes, std::string_view name, const Deadline& deadline)
    : memory_{.bytes = bytes, .at = 0, .deadline = deadline}, name_(name) {}

InputFile::~InputFile() = default;

Result<std::unique_ptr<InputFile>> InputFile::open(std::string_view bytes, std::string_view name,
                                                   std::string_view wanted,
                                                   const Deadline& deadline) {
  if (bytes.empty()) return Error{ErrorCode::kDataLoss, fmt::format("{}: empty file", name)};
  const auto type = detect_file_type(bytes.substr(0, kFileTypeBytes));
  const auto* demuxer = std::find_if(kDemuxers.begin(), kDemuxers.end(), [&](const Demuxer& row) {
    return type && row.format == type->format;
  });
  if (demuxer == kDemuxers.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: wanted {}, found {}", name, wanted,
                             type ? type->mime_type : "a file of unknown type")};
  }
  if (auto error = cut_file(bytes, name)) return *std::move(error);
  forget_ffmpeg_messages();
  std::unique_ptr<InputFile> file(new InputFile(bytes, name, deadline));
  file->format_ = demuxer->format;
  if (auto opened = file->open_as(demuxer->name); !opened) return opened.error();
  return file;
}

Result<void> InputFile::open_as(const char* demuxer) {
  constexpr int kBufferBytes = 1 << 15;
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) throw std::bad_alloc();
  io_.reset(avio_alloc_context(buffer, kBufferBytes, 0, &memory_, read_bytes, nullptr, seek_bytes));
  AVFormatContext* context = avformat_alloc_context();
  if (io_ == nullptr || context == nullptr) throw std::bad_alloc();
  context->pb = io_.get();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = refuse_other_files;
  context->interrupt_callback = {must_stop, &memory_};
  const AVInputFormat* format = av_find_input_format(demuxer);
  CONTRA4_CHECK(format != nullptr, "FFmpeg without a common demuxer");
  // Frees the context where it fails.
  const int status = avformat_open_input(&context, nullptr, format, nullptr);
  if (status < 0) return error(status);
  context_.reset(context);
  return {};
}

AVStream* InputFile::select_stream(AVMediaType type) {
  AVStream* selected = nullptr;
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    AVStream* stream = context_->streams[i];
    const bool is_cover = (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    const bool is_wanted = selected == nullptr && stream->codecpar->codec_type == type && !is_cover;
    stream->discard = is_wanted ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    if (is_wanted) selected = stream;
  }
  if (selected != nullptr) stream_ = selected->index;
  return selected;
}

Result<bool> InputFile::read(AVPacket& packet) {
  while (true) {
    if (memory_.deadline.has_passed()) return memory_.deadline.error(name_);
    av_packet_unref(&packet);
    const int status = av_read_frame(context_.get(), &packet);
    if (status == AVERROR_EOF) return false;
    if (status < 0) return error(status);
    if (packet.stream_index == stream_) return true;
  }
}

bool InputFile::seek(std::int64_t pts_ticks) {
  return av_seek_frame(context_.get(), stream_, pts_ticks, AVSEEK_FLAG_BACKWARD) >= 0;
}

Error InputFile::error(int status) const {
  if (memory_.deadline.has_passed()) return memory_.deadline.error(name_);
  return ffmpeg_error(name_, status);
}

int InputFile::read_bytes(void* memory, std::uint8_t* buffer, int size) {
  auto& input = *static_cast<Memory*>(memory);
  if (input.deadline.has_passed()) return AVERROR_EXIT;
  const std::size_t count =
      std::min(input.bytes.size() - input.at, static_cast<std::size_t>(std::max(size, 0)));
  if (count == 0) return AVERROR_EOF;
  std::memcpy(buffer, input.bytes.data() + input.at, count);
  input.at += count;
  return static_cast<int>(count);
}

std::int64_t InputFile::seek_bytes(void* memory, std::int64_t offset, int whence) {
  auto& input = *static_cast<Memory*>(memory);
  const auto size = static_cast<std::int64_t>(input.bytes.size());
  if ((whence & AVSEEK_SIZE) != 0) return size;
  const int from = whence & ~AVSEEK_FORCE;
  const std::int64_t base =
      from == SEEK_END ? size : (from == SEEK_CUR ? static_cast<std::int64_t>(input.at) : 0);
  if (offset < -base || offset > size - base) return AVERROR(EINVAL);
  input.at = static_cast<std::size_t>(base + offset);
  return base + offset;
}

int InputFile::must_stop(void* memory) {
  return static_cast<Memory*>(memory)->deadline.has_passed() ? 1 : 0;
}

}  // namespace contra4::media
