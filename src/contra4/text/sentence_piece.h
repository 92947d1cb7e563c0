// Tokenizers of the SentencePiece library: a tokenizer.model or spiece.model file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::text {

// Any number of threads may call.
class SentencePiece {
 public:
  // Throws kNotFound, kDataLoss.
  explicit SentencePiece(const std::filesystem::path& model);
  ~SentencePiece();
  SentencePiece(SentencePiece&& other) noexcept;
  SentencePiece& operator=(SentencePiece&& other) noexcept;

  // Without begin and end tokens. Invalid UTF-8 becomes U+FFFD.
  std::vector<std::int64_t> encode(std::string_view text) const;
  // Control pieces are dropped, numbers out of range too. The leading space of the first word is
  // not there.
  std::string decode(std::span<const std::int64_t> ids) const;

  std::int64_t vocabulary_size() const;
  // Negative: the model has none.
  std::int64_t bos_id() const;
  std::int64_t eos_id() const;
  std::int64_t unknown_id() const;
  std::int64_t pad_id() const;
  std::string piece(std::int64_t id) const;
  std::optional<std::int64_t> find_piece(std::string_view piece) const;

 private:
  struct Processor;
  std::unique_ptr<Processor> processor_;
};

}  // namespace contra4::text
