#include "contra4/pipeline/member_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/json_scan.h"

namespace contra4::pipeline {

namespace {
constexpr std::size_t kReadBlock = 256U << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
}  // namespace

MemberReader::MemberReader(std::unique_ptr<io::ByteSource> source, std::string what,
                           std::uint64_t max_piece_bytes)
    : source_(std::move(source)), what_(std::move(what)), max_piece_bytes_(max_piece_bytes) {}

void MemberReader::damaged(std::string_view reason) const {
  throw Exception(ErrorCode::kDataLoss, fmt::format("{}: {}", what_, reason));
}

// What is before begin_ is given up.
bool MemberReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + std::max(kReadBlock, before));
  auto count = source_->read({buffer_.data() + before, buffer_.size() - before});
  buffer_.resize(before + (count ? *count : 0));
  if (!count) {
    throw Exception(count.error().code, fmt::format("{}: {}", what_, count.error().message));
  }
  return *count > 0;
}

int MemberReader::peek() {
  while (true) {
    while (begin_ < buffer_.size() && data::is_json_space(buffer_[begin_])) ++begin_;
    if (begin_ < buffer_.size()) return static_cast<unsigned char>(buffer_[begin_]);
    if (!fill()) return -1;
  }
}

void MemberReader::expect(char wanted, std::string_view where) {
  const int found = peek();
  if (found < 0) damaged(fmt::format("ends {}; is the file cut?", where));
  if (found != wanted) damaged(fmt::format("'{}' expected {}", wanted, where));
  ++begin_;
}

// The text begins at begin_ and may need more of the file.
std::string_view MemberReader::take_value() {
  if (peek() < 0) damaged("ends before a value; is the file cut?");
  data::JsonValueScanner scanner(buffer_[begin_]);
  std::size_t size = 0;
  while (true) {
    size += scanner.scan(std::string_view(buffer_).substr(begin_ + size));
    if (scanner.is_done()) break;
    if (size > max_piece_bytes_) {
      throw Exception(ErrorCode::kResourceExhausted,
                      fmt::format("{}: a value in '{}' has more than {} bytes", what_, member_,
                                  max_piece_bytes_));
    }
    if (!fill()) {
      if (scanner.is_bare_word()) break;
      damaged(fmt::format("ends inside '{}'; is the file cut?", member_));
    }
  }
  const std::string_view text = std::string_view(buffer_).substr(begin_, size);
  begin_ += size;
  return text;
}

void MemberReader::take_name() {
  if (peek() != '"') damaged("the name of a member expected; is it a JSON object?");
  const std::string_view text = take_value();
  member_ = text.substr(1, text.size() - 2);
}

std::optional<MemberReader::Piece> MemberReader::next() {
  if (state_ == State::kStart) {
    while (buffer_.size() < kByteOrderMark.size() && fill()) {
    }
    if (buffer_.starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
    expect('{', "at the start");
    state_ = State::kMember;
  }
  while (state_ != State::kEnd) {
    const char closing = state_ == State::kList ? ']' : '}';
    if (peek() == closing) {
      ++begin_;
      is_first_ = false;
      if (state_ == State::kList) {
        state_ = State::kMember;
        continue;
      }
      if (peek() >= 0) damaged("more behind the end of the object");
      state_ = State::kEnd;
      break;
    }
    if (!is_first_) expect(',', state_ == State::kList ? "between elements" : "between members");
    is_first_ = false;
    if (state_ == State::kList) return Piece{member_, take_value(), true};
    take_name();
    expect(':', "behind a name");
    if (peek() != '[') return Piece{member_, take_value(), false};
    ++begin_;
    state_ = State::kList;
    is_first_ = true;
  }
  return std::nullopt;
}

}  // namespace contra4::pipeline
