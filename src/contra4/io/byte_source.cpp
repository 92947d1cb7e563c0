#include "contra4/io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

#include "contra4/io/descriptor.h"

namespace contra4::io {

namespace {

constexpr std::size_t kInputBlock = 1U << 16;

class FileSource final : public ByteSource {
 public:
  FileSource(const std::filesystem::path& path, ByteObserver observer)
      : path_(path),
        observer_(std::move(observer)),
        descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_.get() < 0) {
      const int error = errno;
      throw Exception(
          error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
          fmt::format("{}: cannot open: {}", path.string(),
                      std::generic_category().message(error)));
    }
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: is a folder, a file is needed", path.string()));
    }
#ifdef POSIX_FADV_SEQUENTIAL
    ::posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    while (true) {
      const ssize_t count = ::read(descriptor_.get(), buffer.data(), buffer.size());
      if (count >= 0) {
        const auto size = static_cast<std::size_t>(count);
        if (observer_ && size > 0) observer_({buffer.data(), size});
        return size;
      }
      if (errno != EINTR) {
        return Error{ErrorCode::kDataLoss, fmt::format("{}: cannot read: {}", path_.string(),
                                                       std::generic_category().message(errno))};
      }
    }
  }

 private:
  std::filesystem::path path_;
  ByteObserver observer_;
  Descriptor descriptor_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min(buffer.size(), bytes_.size() - position_);
    std::copy_n(bytes_.data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t position_ = 0;
};

// inflate() with its state; one gzip member after another.
class Inflater {
 public:
  Inflater() {
    // 15 + 16: the largest window, gzip framing only.
    CONTRA4_CHECK(inflateInit2(&stream_, 15 + 16) == Z_OK, "zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

// Looks at the first two bytes and then either hands on or unfolds.
class SniffingSource final : public ByteSource {
 public:
  SniffingSource(std::unique_ptr<ByteSource> raw, const ByteLimits& limits)
      : raw_(std::move(raw)), limits_(limits), input_(kInputBlock) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    if (error_) return *error_;
    Result<std::size_t> count = read_once(buffer);
    if (!count) error_ = count.error();
    return count;
  }

 private:
  Result<std::size_t> read_once(std::span<char> buffer) {
    if (!is_sniffed_) {
      if (auto done = sniff(); !done) return done.error();
    }
    if (inflater_) return inflate_into(buffer);
    if (input_begin_ == input_end_) return raw_->read(buffer);
    const std::size_t count = std::min(buffer.size(), input_end_ - input_begin_);
    std::copy_n(input_.data() + input_begin_, count, buffer.data());
    input_begin_ += count;
    return count;
  }

  Result<void> sniff() {
    while (input_end_ < 2) {
      const auto count =
          raw_->read(std::span(input_).subspan(input_end_, input_.size() - input_end_));
      if (!count) return count.error();
      if (*count == 0) break;
      input_end_ += *count;
    }
    is_sniffed_ = true;
    bytes_in_ = input_end_;
    if (input_end_ >= 2 && input_[0] == '\x1f' && input_[1] == '\x8b') inflater_.emplace();
    return {};
  }

  // False at the end of the compressed bytes.
  Result<bool> refill() {
    if (input_begin_ < input_end_) return true;
    const auto count = raw_->read(input_);
    if (!count) return count.error();
    input_begin_ = 0;
    input_end_ = *count;
    bytes_in_ += *count;
    return *count > 0;
  }

  Result<std::size_t> inflate_into(std::span<char> buffer) {
    z_stream& stream = inflater_->stream();
    const std::size_t room = std::min<std::size_t>(buffer.size(), 1U << 30);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(room);
    while (stream.avail_out == room) {
      const auto has_input = refill();
      if (!has_input) return has_input.error();
      if (!*has_input) {
        if (is_between_members_) return std::size_t{0};
        return Error{ErrorCode::kDataLoss, "the gzip stream ends too early; cut file?"};
      }
      if (is_between_members_) {
        if (auto next = begin_member(); !next) return next.error();
        if (is_between_members_) continue;  // padding so far
      }
      stream.next_in = reinterpret_cast<Bytef*>(input_.data() + input_begin_);
      stream.avail_in = static_cast<uInt>(input_end_ - input_begin_);
      const int status = inflate(&stream, Z_NO_FLUSH);
      input_begin_ = input_end_ - stream.avail_in;
      if (status == Z_STREAM_END) {
        is_between_members_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Error{ErrorCode::kDataLoss,
                     fmt::format("the gzip stream is damaged: {}",
                                 stream.msg == nullptr ? "unexpected data" : stream.msg)};
      }
    }
    const std::size_t count = room - stream.avail_out;
    bytes_out_ += count;
    if (auto fine = check_limits(); !fine) return fine.error();
    return count;
  }

  // After a member: zeros are padding, anything else must be another member.
  Result<void> begin_member() {
    while (input_begin_ < input_end_ && input_[input_begin_] == '\0') ++input_begin_;
    if (input_begin_ == input_end_) return {};
    if (input_[input_begin_] != '\x1f') {
      return Error{ErrorCode::kDataLoss, "bytes that are not gzip follow the gzip stream"};
    }
    inflateReset(&inflater_->stream());
    is_between_members_ = false;
    return {};
  }

  Result<void> check_limits() const {
    if (bytes_out_ > limits_.max_decompressed_bytes) {
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("the gzip stream unfolds to more than {} bytes",
                               limits_.max_decompressed_bytes)};
    }
    const std::uint64_t used = bytes_in_ - (input_end_ - input_begin_);
    const double ratio =
        static_cast<double>(bytes_out_) / static_cast<double>(std::max<std::uint64_t>(used, 1));
    if (bytes_out_ > limits_.ratio_free_bytes && ratio > limits_.max_compression_ratio) {
      return Error{
          ErrorCode::kResourceExhausted,
          fmt::format("{} compressed bytes have unfolded to {}, more than {} times as many; "
                      "this looks like a gzip bomb",
                      used, bytes_out_, limits_.max_compression_ratio)};
    }
    return {};
  }

  std::unique_ptr<ByteSource> raw_;
  ByteLimits limits_;
  std::vector<char> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::uint64_t bytes_in_ = 0;  // read, used or not
  std::uint64_t bytes_out_ = 0;
  bool is_sniffed_ = false;
  bool is_between_members_ = false;
  std::optional<Inflater> inflater_;
  std::optional<Error> error_;
};

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path, const ByteLimits& limits,
                                       ByteObserver observer) {
  return std::make_unique<SniffingSource>(std::make_unique<FileSource>(path, std::move(observer)),
                                          limits);
}

std::unique_ptr<ByteSource> bytes_in_memory(std::string bytes, const ByteLimits& limits) {
  return std::make_unique<SniffingSource>(std::make_unique<MemorySource>(std::move(bytes)), limits);
}

}  // namespace contra4::io
