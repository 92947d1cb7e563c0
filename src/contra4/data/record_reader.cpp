#include "contra4/data/record_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/data/json_scan.h"

namespace contra4::data {

namespace {

constexpr std::size_t kReadBlock = 256U << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A window that slides over the source. It grows while its owner consumes nothing.
class Window {
 public:
  explicit Window(std::unique_ptr<io::ByteSource> source)
      : source_(std::move(source)), buffer_(kReadBlock + kRecordPadding) {}

  std::string_view bytes() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }

  // More bytes behind those at hand; false at the end of the source.
  Result<bool> fill() {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ + kReadBlock / 2 + kRecordPadding > buffer_.size()) {
      buffer_.resize(buffer_.size() * 2);
    }
    const auto count = source_->read(std::span(buffer_.data() + end_, room()));
    if (!count) return count.error();
    end_ += *count;
    return *count > 0;
  }

  Result<void> skip_byte_order_mark() {
    while (bytes().size() < kByteOrderMark.size()) {
      const auto has_more = fill();
      if (!has_more) return has_more.error();
      if (!*has_more) break;
    }
    if (bytes().starts_with(kByteOrderMark)) consume(kByteOrderMark.size());
    return {};
  }

 private:
  std::size_t room() const { return buffer_.size() - kRecordPadding - end_; }

  std::unique_ptr<io::ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

Error too_large(std::uint64_t size, std::uint64_t limit) {
  return {ErrorCode::kResourceExhausted,
          fmt::format("the row has {} bytes, more than the limit of {}; it was read over", size,
                      limit)};
}

Error damaged(std::string message) {
  return {ErrorCode::kDataLoss, std::move(message)};
}

// Printable form of a byte that should not be there.
std::string name_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7F ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", byte);
}

class ListReader final : public RecordReader {
 public:
  ListReader(std::unique_ptr<io::ByteSource> source, std::uint64_t max_record_bytes)
      : window_(std::move(source)), limit_(max_record_bytes) {}

  std::optional<Result<std::string_view>> next() override {
    if (place_ == Place::kDone) return std::nullopt;
    window_.consume(std::exchange(to_consume_, 0));
    const Result<bool> has_record = go_to_record();
    if (!has_record) return end_with(has_record.error());
    if (!*has_record) {
      place_ = Place::kDone;
      return std::nullopt;
    }
    return take_record();
  }

  std::uint64_t row() const override { return row_; }
  bool was_ended_by_file() const override { return false; }
  bool ended_early() const override { return ended_early_; }

 private:
  enum class Place { kStart, kFirst, kBetween, kAfter, kDone };

  std::optional<Result<std::string_view>> end_with(const Error& error) {
    if (place_ != Place::kStart && place_ != Place::kAfter) ++row_;
    place_ = Place::kDone;
    ended_early_ = true;
    return Result<std::string_view>(error);
  }

  // The next byte that is no white space, left in the window; empty at the end of the file.
  Result<std::optional<char>> peek() {
    while (true) {
      const std::string_view bytes = window_.bytes();
      const std::size_t at = bytes.find_first_not_of(kJsonSpace);
      if (at != std::string_view::npos) {
        window_.consume(at);
        return std::optional(window_.bytes().front());
      }
      window_.consume(bytes.size());
      const auto has_more = window_.fill();
      if (!has_more) return has_more.error();
      if (!*has_more) return std::optional<char>();
    }
  }

  // Stands at the first byte of a record, or (false) at the proper end of the document.
  Result<bool> go_to_record() {
    if (place_ == Place::kStart) {
      if (auto mark = window_.skip_byte_order_mark(); !mark) return mark.error();
      if (auto start = begin_list(); !start) return start.error();
    }
    auto byte = peek();
    if (!byte) return byte.error();
    if (place_ == Place::kBetween && *byte && **byte == ',') {
      window_.consume(1);
      byte = peek();
      if (!byte) return byte.error();
      if (*byte && **byte == ']') return damaged("a comma stands before the end of the list");
    } else if (*byte && **byte == ']') {
      window_.consume(1);
      return end_list();
    } else if (*byte && place_ == Place::kBetween) {
      return damaged(
          fmt::format("{} where a comma or the end of the list belongs", name_of(**byte)));
    }
    if (!*byte) return damaged("the file ends in the middle of the list; cut file?");
    if (**byte == ',' || **byte == '}') {
      return damaged(fmt::format("{} where a row belongs", name_of(**byte)));
    }
    return true;
  }

  Result<void> begin_list() {
    const auto byte = peek();
    if (!byte) return byte.error();
    if (!*byte) return damaged("the file is empty, a list of rows is needed");
    if (**byte == '{') {
      return damaged(
          "the top level is an object, a list of rows is needed; one object per line is read from "
          ".jsonl");
    }
    if (**byte != '[') {
      return damaged(fmt::format("begins with {}: not a JSON list, [{{...}}, ...] is needed",
                                 name_of(**byte)));
    }
    window_.consume(1);
    place_ = Place::kFirst;
    return {};
  }

  Result<bool> end_list() {
    place_ = Place::kAfter;
    const auto byte = peek();
    if (!byte) return byte.error();
    if (*byte) return damaged(fmt::format("{} follows the end of the list", name_of(**byte)));
    return false;
  }

  std::optional<Result<std::string_view>> take_record() {
    place_ = Place::kBetween;
    JsonValueScanner scanner(window_.bytes().front());
    std::uint64_t size = 0;     // of the record, as far as it was scanned
    std::uint64_t dropped = 0;  // of those, no longer in the window
    while (true) {
      const std::string_view bytes = window_.bytes();
      size += scanner.scan(bytes.substr(static_cast<std::size_t>(size - dropped)));
      if (scanner.is_done()) break;
      if (size > limit_) {
        window_.consume(bytes.size());
        dropped = size;
      }
      const auto has_more = window_.fill();
      if (!has_more) return end_with(has_more.error());
      if (!*has_more) return end_with(damaged("the file ends in the middle of a row; cut file?"));
    }
    ++row_;
    to_consume_ = static_cast<std::size_t>(size - dropped);
    if (size > limit_) return Result<std::string_view>(too_large(size, limit_));
    return Result<std::string_view>(window_.bytes().substr(0, to_consume_));
  }

  Window window_;
  std::uint64_t limit_;
  Place place_ = Place::kStart;
  std::uint64_t row_ = 0;
  std::size_t to_consume_ = 0;
  bool ended_early_ = false;
};

class LinesReader final : public RecordReader {
 public:
  LinesReader(std::unique_ptr<io::ByteSource> source, std::uint64_t max_record_bytes)
      : window_(std::move(source)), limit_(max_record_bytes) {}

  std::optional<Result<std::string_view>> next() override {
    if (row_ == 0) {
      if (auto mark = window_.skip_byte_order_mark(); !mark) return end_with(mark.error());
    }
    while (!is_done_) {
      window_.consume(std::exchange(to_consume_, 0));
      auto line = take_line();
      if (!line) return std::nullopt;
      if (!*line) return line;
      std::string_view text = **line;
      const std::size_t first = text.find_first_not_of(kJsonSpace);
      if (first == std::string_view::npos) continue;
      text.remove_prefix(first);
      text.remove_suffix(text.size() - text.find_last_not_of(kJsonSpace) - 1);
      if (text.front() == '[' && !has_record_) {
        is_done_ = true;
        ended_early_ = true;
        return Result<std::string_view>(damaged(
            "begins with '[': one object per line is needed; a list of rows is read from .json"));
      }
      has_record_ = true;
      return Result<std::string_view>(text);
    }
    return std::nullopt;
  }

  std::uint64_t row() const override { return row_; }
  bool was_ended_by_file() const override { return is_done_; }
  bool ended_early() const override { return ended_early_; }

 private:
  std::optional<Result<std::string_view>> end_with(const Error& error) {
    ++row_;
    is_done_ = true;
    ended_early_ = true;
    return Result<std::string_view>(error);
  }

  // Without its line break; empty at the end of the file.
  std::optional<Result<std::string_view>> take_line() {
    std::uint64_t size = 0;
    std::uint64_t dropped = 0;
    while (true) {
      const std::string_view bytes = window_.bytes();
      const std::size_t from = static_cast<std::size_t>(size - dropped);
      const std::size_t at = bytes.find('\n', from);
      if (at != std::string_view::npos) {
        size += at - from;
        to_consume_ = at + 1;
        break;
      }
      size += bytes.size() - from;
      if (size > limit_) {
        window_.consume(bytes.size());
        dropped = size;
      }
      const auto has_more = window_.fill();
      if (!has_more) return end_with(has_more.error());
      if (!*has_more) {
        is_done_ = true;
        if (size == 0) return std::nullopt;
        to_consume_ = window_.bytes().size();
        break;
      }
    }
    ++row_;
    if (size > limit_) return Result<std::string_view>(too_large(size, limit_));
    return Result<std::string_view>(window_.bytes().substr(0, static_cast<std::size_t>(size)));
  }

  Window window_;
  std::uint64_t limit_;
  std::uint64_t row_ = 0;
  std::size_t to_consume_ = 0;
  bool has_record_ = false;
  bool is_done_ = false;
  bool ended_early_ = false;
};

}  // namespace

std::unique_ptr<RecordReader> read_records(std::unique_ptr<io::ByteSource> source,
                                           RecordFormat format, std::uint64_t max_record_bytes) {
  if (format == RecordFormat::kList) {
    return std::make_unique<ListReader>(std::move(source), max_record_bytes);
  }
  return std::make_unique<LinesReader>(std::move(source), max_record_bytes);
}

}  // namespace contra4::data
