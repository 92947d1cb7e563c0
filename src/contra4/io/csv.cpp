#include "contra4/io/csv.h"

#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace contra4::io {

namespace {
constexpr std::size_t kBlock = 1U << 16;
}

CsvReader::CsvReader(std::unique_ptr<ByteSource> source, std::string what,
                     std::size_t max_row_bytes)
    : source_(std::move(source)),
      what_(std::move(what)),
      max_row_bytes_(max_row_bytes),
      buffer_(kBlock) {
  // A byte order mark is three bytes; anything else that begins with 0xEF belongs to the header.
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  while (end_ < kMark.size() && !is_at_end_) {
    const auto count = source_->read(std::span(buffer_).subspan(end_));
    if (!count) throw Exception(count.error().code, what_ + ": " + count.error().message);
    end_ += *count;
    is_at_end_ = *count == 0;
  }
  if (std::string_view(buffer_.data(), end_).starts_with(kMark)) begin_ = kMark.size();

  const Parsed header = parse_row();
  if (source_error_) throw Exception(source_error_->code, what_ + ": " + source_error_->message);
  if (header.error) {
    throw Exception(header.error->code, what_ + ": header: " + header.error->message);
  }
  if (header.is_blank) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: the first line is empty; it must name the columns", what_));
  }
  columns_.assign(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(num_fields_));
  std::set<std::string_view> seen;
  for (const std::string& column : columns_) {
    if (!seen.insert(column).second) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: two columns are named '{}'", what_, column));
    }
  }
}

std::optional<std::size_t> CsvReader::find_column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] == name) return i;
  }
  return std::nullopt;
}

bool CsvReader::refill() {
  if (is_at_end_) return false;
  const auto count = source_->read(buffer_);
  if (!count) source_error_ = count.error();
  begin_ = 0;
  end_ = count ? *count : 0;
  is_at_end_ = end_ == 0;
  return !is_at_end_;
}

int CsvReader::peek() {
  if (begin_ == end_ && !refill()) return -1;
  return static_cast<unsigned char>(buffer_[begin_]);
}

int CsvReader::get() {
  const int byte = peek();
  if (byte >= 0) ++begin_;
  return byte;
}

CsvReader::Parsed CsvReader::parse_row() {
  Parsed parsed;
  num_fields_ = 0;
  std::size_t row_bytes = 0;
  std::string* field = nullptr;
  const auto fail = [&](ErrorCode code, std::string reason) {
    if (!parsed.error) parsed.error = Error{code, std::move(reason)};
  };
  const auto begin_field = [&] {
    if (num_fields_ == fields_.size()) fields_.emplace_back();
    field = &fields_[num_fields_++];
    field->clear();
  };
  const auto append = [&](int byte) {
    if (++row_bytes <= max_row_bytes_) {
      *field += static_cast<char>(byte);
    } else {
      fail(ErrorCode::kResourceExhausted,
           fmt::format("the row is larger than {} bytes", max_row_bytes_));
    }
  };

  enum class Place { kFieldStart, kPlain, kQuoted, kAfterQuote };
  Place place = Place::kFieldStart;
  begin_field();
  while (true) {
    const int byte = get();
    if (place == Place::kQuoted) {
      if (byte < 0) {
        fail(ErrorCode::kDataLoss, "the file ends inside a quoted field; cut file?");
        return parsed;
      }
      if (byte != '"') {
        append(byte);
      } else if (peek() == '"') {
        append(get());
      } else {
        place = Place::kAfterQuote;
      }
      continue;
    }
    if (byte < 0) return parsed;
    if (byte == '\n' || (byte == '\r' && (peek() == '\n' || peek() < 0))) {
      if (byte == '\r') get();
      parsed.end = End::kRow;
      return parsed;
    }
    parsed.is_blank = false;
    if (byte == ',') {
      // Each field costs a string, so empty fields count too.
      if (++row_bytes <= max_row_bytes_) {
        begin_field();
      } else {
        fail(ErrorCode::kResourceExhausted,
             fmt::format("the row is larger than {} bytes", max_row_bytes_));
      }
      place = Place::kFieldStart;
    } else if (byte == '"' && place == Place::kFieldStart) {
      place = Place::kQuoted;
    } else if (place == Place::kAfterQuote) {
      fail(ErrorCode::kInvalidArgument,
           fmt::format("text follows the closing quote of field {}", num_fields_));
    } else if (byte == '"') {
      fail(ErrorCode::kInvalidArgument,
           fmt::format("a quote stands inside field {}, which does not begin with one",
                       num_fields_));
    } else {
      place = Place::kPlain;
      append(byte);
    }
  }
}

Error CsvReader::row_error(ErrorCode code, std::string_view reason) const {
  return {code, fmt::format("{}: row {}: {}", what_, row_, reason)};
}

std::optional<Result<const std::vector<std::string>*>> CsvReader::next() {
  while (!is_finished_) {
    const Parsed parsed = parse_row();
    if (source_error_) {
      is_finished_ = true;
      ++row_;
      return row_error(source_error_->code, source_error_->message);
    }
    is_finished_ = parsed.end == End::kFile;
    if (parsed.is_blank && !parsed.error) continue;
    ++row_;
    if (parsed.error) return row_error(parsed.error->code, parsed.error->message);
    if (num_fields_ != columns_.size()) {
      return row_error(ErrorCode::kInvalidArgument, fmt::format("{} fields where the header has {}",
                                                                num_fields_, columns_.size()));
    }
    fields_.resize(num_fields_);
    for (std::size_t i = 0; i < num_fields_; ++i) {
      if (!simdjson::validate_utf8(fields_[i])) {
        return row_error(ErrorCode::kInvalidArgument,
                         fmt::format("column '{}' is not valid UTF-8", columns_[i]));
      }
    }
    return &fields_;
  }
  return std::nullopt;
}

}  // namespace contra4::io
