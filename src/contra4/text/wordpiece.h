// BERT-uncased tokenisation: text to the numbers of its vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace contra4::text {

// Immutable after construction: any number of threads may encode.
class WordPiece {
 public:
  // Token i is vocabulary[i]; pieces inside a word start with "##". `what` names the vocabulary in
  // messages. Throws kDataLoss when an entry is empty or there twice, or when [PAD], [UNK], [CLS],
  // [SEP] or [MASK] is missing.
  explicit WordPiece(const std::vector<std::string>& vocabulary,
                     std::string_view what = "vocabulary");
  // One entry a line, as in vocab.txt. Throws kNotFound too.
  static WordPiece from_file(const std::filesystem::path& path);

  // [CLS], pieces, [SEP]: at most `max_tokens` (2 or more) in all, cut at the end. A word of which
  // some part is no piece, or of more than 100 characters, is [UNK]. A special token written out
  // in the text ("[MASK]", upper case) is that token, as in the published tokenizer.
  std::vector<std::int32_t> encode(std::string_view text, std::size_t max_tokens) const;

  std::size_t vocabulary_size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };
  using Pieces = std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>>;
  struct Special {
    std::string_view text;
    std::int32_t id = 0;
  };

  void add(const std::string& token, std::int32_t id, std::string_view what);
  void encode_plain(std::string_view text, std::size_t max_tokens,
                    std::vector<std::int32_t>& tokens) const;
  void append_pieces(std::string_view word, std::vector<std::int32_t>& tokens) const;
  const Special* special_at(std::string_view text) const;

  Pieces starts_;                  // whole words and their first pieces
  Pieces continuations_;           // without the leading "##"
  std::size_t longest_piece_ = 0;  // bytes
  std::size_t size_ = 0;
  std::vector<Special> specials_;
  std::int32_t unknown_ = 0;
  std::int32_t begin_ = 0;
  std::int32_t end_ = 0;
};

}  // namespace contra4::text
