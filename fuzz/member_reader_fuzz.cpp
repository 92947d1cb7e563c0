// Any bytes as a file that is one large JSON object: refused with a message, or the same pieces
// however the file arrives; and those that a JSON reader finds where the file is valid.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_source.h"
#include "contra4/pipeline/member_reader.h"

namespace {

using contra4::pipeline::MemberReader;

constexpr std::uint64_t kMostPieceBytes = 1024;

void require(bool holds) {
  if (!holds) std::abort();
}

// A few bytes at a time, at most some thirty times, so that tokens are cut anywhere.
class Trickle final : public contra4::io::ByteSource {
 public:
  explicit Trickle(std::string_view bytes)
      : rest_(bytes), longest_step_(std::max<std::size_t>(7, bytes.size() / 16)) {}
  contra4::Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min({buffer.size(), rest_.size(), step_});
    step_ = step_ * 5 % longest_step_ + 1;
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  std::size_t longest_step_;
  std::size_t step_ = 1;
};

struct Piece {
  std::string member;
  std::string text;
  bool is_element = false;
  bool operator==(const Piece&) const = default;
};

struct Reading {
  std::vector<Piece> pieces;
  std::optional<contra4::ErrorCode> error;
};

Reading read(std::unique_ptr<contra4::io::ByteSource> source, std::uint64_t limit) {
  Reading reading;
  try {
    MemberReader reader(std::move(source), "fuzz", limit);
    while (const auto piece = reader.next()) {
      reading.pieces.push_back(
          {std::string(piece->member), std::string(piece->text), piece->is_element});
    }
  } catch (const contra4::Exception& exception) {
    require(std::string_view(exception.what()).starts_with("fuzz: "));
    reading.error = exception.code();
  }
  return reading;
}

// The pieces of a valid object, by the reader of rows; nothing for any other text, and where a name
// comes twice, which that reader gives away once.
std::optional<std::vector<Piece>> expected(std::string_view text) {
  std::string padded(text);
  padded.append(contra4::data::kRecordPadding, '\0');
  contra4::data::RawRow row;
  if (!row.parse(std::string_view(padded).substr(0, text.size()))) return std::nullopt;
  const auto& names = row.members();
  if (std::set<std::string_view>(names.begin(), names.end()).size() < names.size()) {
    return std::nullopt;
  }
  std::vector<Piece> pieces;
  for (const std::string_view name : names) {
    const std::string_view raw = row.raw(name);
    if (!raw.starts_with('[')) {
      pieces.push_back({std::string(name), std::string(raw), false});
      continue;
    }
    for (const std::string_view element : row.raw_elements(name)) {
      pieces.push_back({std::string(name), std::string(element), true});
    }
  }
  return pieces;
}

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Reading whole =
      read(contra4::io::bytes_in_memory(std::string(bytes), {.max_decompressed_bytes = 1U << 16}),
           std::uint64_t{1} << 20);
  if (is_gzip(bytes)) return 0;

  const Reading trickled = read(std::make_unique<Trickle>(bytes), std::uint64_t{1} << 20);
  require(trickled.pieces == whole.pieces && trickled.error == whole.error);
  const Reading limited = read(std::make_unique<Trickle>(bytes), kMostPieceBytes);
  if (limited.error != contra4::ErrorCode::kResourceExhausted) {
    require(limited.pieces == whole.pieces && limited.error == whole.error);
  }
  if (const auto pieces = expected(bytes)) {
    require(!whole.error && whole.pieces.size() == pieces->size());
    for (std::size_t i = 0; i < pieces->size(); ++i) {
      require(whole.pieces[i].text == (*pieces)[i].text);
      require(whole.pieces[i].is_element == (*pieces)[i].is_element);
    }
  }
  return 0;
}
