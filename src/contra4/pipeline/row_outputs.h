// Several files that each hold some of the same rows: a row's text is made once and appended to
// every file it belongs to, by a thread of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/io/bulk_file.h"

namespace contra4::pipeline {

// Rows one behind the other, and for each the set of files it goes to.
struct RowBlock {
  struct Row {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint64_t outputs = 0;  // bit i: the i-th file
  };
  std::string text;
  std::vector<Row> rows;
};

class RowOutputs {
 public:
  // JSON lists or JSON lines by suffix, gzip too (always synced); at most 64 of them. Nothing
  // appears before commit().
  RowOutputs(const std::vector<std::filesystem::path>& paths, io::Durability durability);
  ~RowOutputs();
  RowOutputs(const RowOutputs&) = delete;
  RowOutputs& operator=(const RowOutputs&) = delete;

  // Rows are JSON objects on one line. Waits while the writer is behind; throws what the writer met
  // (kResourceExhausted on a full disk).
  void write(RowBlock block);
  void commit();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::pipeline
