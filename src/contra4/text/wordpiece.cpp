#include "contra4/text/wordpiece.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/text/bert_words.h"

namespace contra4::text {

namespace {

constexpr std::size_t kMaxWordChars = 100;
constexpr std::uint64_t kMaxVocabularyBytes = 64ULL << 20;
constexpr std::string_view kContinuation = "##";
constexpr std::string_view kUnknown = "[UNK]";
constexpr std::string_view kBegin = "[CLS]";
constexpr std::string_view kEnd = "[SEP]";
constexpr std::array<std::string_view, 5> kSpecials = {"[PAD]", kUnknown, kBegin, kEnd, "[MASK]"};

bool is_continuation_byte(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

WordPiece::WordPiece(const std::vector<std::string>& vocabulary, std::string_view what)
    : size_(vocabulary.size()) {
  if (size_ > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Exception(ErrorCode::kDataLoss, fmt::format("{}: {} entries are too many", what, size_));
  }
  starts_.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) add(vocabulary[i], static_cast<std::int32_t>(i), what);
  for (const std::string_view special : kSpecials) {
    const auto found = starts_.find(special);
    if (found == starts_.end()) {
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("{}: no entry {}; is this a BERT vocabulary?", what, special));
    }
    specials_.push_back({special, found->second});
  }
  unknown_ = starts_.find(kUnknown)->second;
  begin_ = starts_.find(kBegin)->second;
  end_ = starts_.find(kEnd)->second;
}

WordPiece WordPiece::from_file(const std::filesystem::path& path) {
  return WordPiece(split_lines(io::read_file(path, kMaxVocabularyBytes)), path.string());
}

void WordPiece::add(const std::string& token, std::int32_t id, std::string_view what) {
  const bool is_inner = token.size() > kContinuation.size() && token.starts_with(kContinuation);
  Pieces& pieces = is_inner ? continuations_ : starts_;
  const std::string piece = is_inner ? token.substr(kContinuation.size()) : token;
  if (piece.empty() || !pieces.emplace(piece, id).second) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: entry {} {}", what, id + 1,
                                piece.empty() ? "is empty" : "is there twice: '" + token + "'"));
  }
  longest_piece_ = std::max(longest_piece_, piece.size());
}

std::vector<std::int32_t> WordPiece::encode(std::string_view text, std::size_t max_tokens) const {
  CONTRA4_CHECK(max_tokens >= 2, "room for [CLS] and [SEP]");
  const std::size_t limit = max_tokens - 1;
  std::vector<std::int32_t> tokens = {begin_};
  std::size_t plain_from = 0;
  std::size_t at = text.find('[');
  while (at != std::string_view::npos && tokens.size() < limit) {
    const Special* special = special_at(text.substr(at));
    if (special == nullptr) {
      at = text.find('[', at + 1);
      continue;
    }
    encode_plain(text.substr(plain_from, at - plain_from), limit, tokens);
    if (tokens.size() < limit) tokens.push_back(special->id);
    plain_from = at + special->text.size();
    at = text.find('[', plain_from);
  }
  if (tokens.size() < limit) encode_plain(text.substr(plain_from), limit, tokens);
  tokens.push_back(end_);
  return tokens;
}

const WordPiece::Special* WordPiece::special_at(std::string_view text) const {
  const auto found = std::find_if(specials_.begin(), specials_.end(), [&](const Special& special) {
    return text.starts_with(special.text);
  });
  return found == specials_.end() ? nullptr : &*found;
}

void WordPiece::encode_plain(std::string_view text, std::size_t max_tokens,
                             std::vector<std::int32_t>& tokens) const {
  for_each_bert_word(text, kMaxWordChars, [&](const BertWord& word) {
    if (word.is_too_long) {
      tokens.push_back(unknown_);
    } else {
      append_pieces(word.bytes, tokens);
    }
    if (tokens.size() < max_tokens) return true;
    tokens.resize(max_tokens);
    return false;
  });
}

// Greedy: the longest piece that starts the rest, until nothing is left.
void WordPiece::append_pieces(std::string_view word, std::vector<std::int32_t>& tokens) const {
  const std::size_t first_token = tokens.size();
  std::size_t from = 0;
  while (from < word.size()) {
    const Pieces& pieces = from == 0 ? starts_ : continuations_;
    std::size_t end = std::min(word.size(), from + longest_piece_);
    while (end > from && end < word.size() && is_continuation_byte(word[end])) --end;
    auto found = pieces.end();
    while (end > from) {
      found = pieces.find(word.substr(from, end - from));
      if (found != pieces.end()) break;
      do --end;
      while (end > from && is_continuation_byte(word[end]));
    }
    if (found == pieces.end()) {
      tokens.resize(first_token);
      tokens.push_back(unknown_);
      return;
    }
    tokens.push_back(found->second);
    from = end;
  }
}

}  // namespace contra4::text
