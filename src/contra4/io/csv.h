// Comma-separated values as RFC 4180 has them, row by row: quoted fields with commas, line breaks
// and doubled quotes; LF or CRLF; a byte order mark at the start is skipped. The first row names
// the columns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/byte_source.h"

namespace contra4::io {

class CsvReader {
 public:
  // `what` names the file in messages. A row above `max_row_bytes` is an error; its rest is read
  // over without being kept. Throws kInvalidArgument when there is no header or a name occurs
  // twice, kDataLoss when the file cannot be read.
  CsvReader(std::unique_ptr<ByteSource> source, std::string what,
            std::size_t max_row_bytes = 4U << 20);

  const std::vector<std::string>& columns() const { return columns_; }
  std::optional<std::size_t> find_column(std::string_view name) const;

  // The fields of the next row, as many as there are columns; valid until the next call. Empty at
  // the end. A row with another number of fields, with a quote in the middle of a plain field or
  // with text behind a closing quote, or that is not UTF-8 is an error, and reading goes on; a file
  // that ends inside quotes gives one last kDataLoss. Blank lines are no rows.
  std::optional<Result<const std::vector<std::string>*>> next();

  // Of the row that next() returned last, from 1 for the first after the header.
  std::uint64_t row() const { return row_; }

 private:
  enum class End { kRow, kFile };
  struct Parsed {
    End end = End::kFile;
    bool is_blank = true;
    std::optional<Error> error;
  };
  Parsed parse_row();
  // The next byte, or -1 at the end; a read error is kept in source_error_ and counts as the end.
  int get();
  int peek();
  bool refill();
  Error row_error(ErrorCode code, std::string_view reason) const;

  std::unique_ptr<ByteSource> source_;
  std::string what_;
  std::size_t max_row_bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool is_at_end_ = false;
  std::optional<Error> source_error_;
  bool is_finished_ = false;
  std::uint64_t row_ = 0;
  std::vector<std::string> columns_;
  std::vector<std::string> fields_;
  std::size_t num_fields_ = 0;  // fields_ keeps its strings from row to row
};

}  // namespace contra4::io
