// A JSON file that is one large object, read member by member as it streams: COCO's annotations
// (lists in members) and Objaverse's (an entry per id). Memory follows one value, not the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "contra4/io/byte_source.h"

namespace contra4::pipeline {

class MemberReader {
 public:
  struct Piece {
    std::string_view member;  // its name as it stands in the text, without the quotes
    std::string_view text;    // of the value, or of one element where the value is a list
    bool is_element = false;
  };

  // `what` names the file in messages.
  MemberReader(std::unique_ptr<io::ByteSource> source, std::string what,
               std::uint64_t max_piece_bytes = 16U << 20);

  // Valid until the next call; empty at the end. Values are cut out, not checked: the parser of a
  // piece finds what is wrong inside. Throws kDataLoss where the file is no object or is cut,
  // kResourceExhausted for a piece above the limit.
  std::optional<Piece> next();

 private:
  // The next byte that is no white space, without taking it; -1 at the end.
  int peek();
  bool fill();
  void expect(char wanted, std::string_view where);
  std::string_view take_value();
  void take_name();
  [[noreturn]] void damaged(std::string_view reason) const;

  enum class State { kStart, kMember, kList, kEnd };
  std::unique_ptr<io::ByteSource> source_;
  std::string what_;
  std::uint64_t max_piece_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;
  State state_ = State::kStart;
  bool is_first_ = true;  // of the object or of the list
  std::string member_;
};

}  // namespace contra4::pipeline
