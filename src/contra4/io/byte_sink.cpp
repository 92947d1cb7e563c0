#include "contra4/io/byte_sink.h"

#include <vector>

#define ZLIB_CONST  // next_in points to const: zlib reads only
#include <zlib.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"

namespace contra4::io {

namespace {

constexpr std::size_t kOutputBlock = 1U << 16;

class PlainSink final : public ByteSink {
 public:
  explicit PlainSink(const std::filesystem::path& path) : file_(path) {}
  void write(std::string_view bytes) override { file_.write(bytes); }
  void commit() override { file_.commit(); }

 private:
  AtomicFile file_;
};

class GzipSink final : public ByteSink {
 public:
  explicit GzipSink(const std::filesystem::path& path) : file_(path), output_(kOutputBlock) {
    // 15 + 16: gzip framing; zlib then writes a header without name and with time zero.
    CONTRA4_CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                               Z_DEFAULT_STRATEGY) == Z_OK,
                  "zlib cannot start");
  }
  ~GzipSink() override { deflateEnd(&stream_); }
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, 1U << 30);
      deflate_piece(piece, Z_NO_FLUSH);
      bytes.remove_prefix(piece.size());
    }
  }

  void commit() override {
    deflate_piece({}, Z_FINISH);
    file_.commit();
  }

 private:
  void deflate_piece(std::string_view piece, int flush) {
    stream_.next_in = reinterpret_cast<const Bytef*>(piece.data());
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int status = deflate(&stream_, flush);
      CONTRA4_CHECK(status != Z_STREAM_ERROR, "deflate");
      file_.write({output_.data(), output_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
  }

  AtomicFile file_;
  z_stream stream_{};
  std::vector<char> output_;
};

}  // namespace

std::unique_ptr<ByteSink> create_bytes(const std::filesystem::path& path) {
  if (path.extension() == ".gz") return std::make_unique<GzipSink>(path);
  return std::make_unique<PlainSink>(path);
}

}  // namespace contra4::io
