// Records cut out of a JSON list or of JSON lines as they stream: memory follows one record, not
// the file. What is inside a record is for the caller to read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/io/byte_source.h"

namespace contra4::data {

enum class RecordFormat { kList, kLines };

// So many bytes behind a record's text may be read (their content means nothing): simdjson then
// reads in place.
inline constexpr std::size_t kRecordPadding = 64;

class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // The text of the next record, valid until the next call. An error is either about this record
  // alone (kResourceExhausted: larger than the limit, read over without being kept) or ends the
  // reading (kDataLoss: what surrounds the records is damaged, or the file is cut; the source's own
  // errors). Empty at the end and after an error that ended it. Messages carry no file and row.
  virtual std::optional<Result<std::string_view>> next() = 0;

  // Of the record that next() returned last, from 1. In JSON lines the number of the line, blank
  // ones included, so that an editor finds it.
  virtual std::uint64_t row() const = 0;

  // True when the record that next() returned last was ended by the end of the file instead of a
  // line break: if it is not valid, the file is probably cut.
  virtual bool was_ended_by_file() const = 0;

  // True once an error has ended the reading.
  virtual bool ended_early() const = 0;
};

// A byte order mark is skipped in both. A list must be the whole document.
std::unique_ptr<RecordReader> read_records(std::unique_ptr<io::ByteSource> source,
                                           RecordFormat format, std::uint64_t max_record_bytes);

}  // namespace contra4::data
