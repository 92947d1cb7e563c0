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

namespace contra4::text {

// Any number of threads may call.
class SentencePiece {
 public:
  // Throws kNotFound, kDataLoss for a file that is no such model, kResourceExhausted for one above
  // 64 MiB.
  explicit SentencePiece(const std::filesystem::path& model);
  // Of the bytes of such a file; `name` is for messages.
  static SentencePiece from_bytes(std::string_view model, std::string_view name);
  ~SentencePiece();
  SentencePiece(const SentencePiece&) = delete;
  SentencePiece& operator=(const SentencePiece&) = delete;
  SentencePiece(SentencePiece&& other) noexcept;
  SentencePiece& operator=(SentencePiece&& other) noexcept;

  // Without begin and end tokens. Control pieces written out in the text ("</s>") are text. A byte
  // that is no UTF-8 counts as U+FFFD, and a character that is no piece becomes the pieces of its
  // bytes, or the unknown piece where the model has none of bytes.
  std::vector<std::int64_t> encode(std::string_view text) const;
  // Control pieces and numbers out of range are dropped; pieces of bytes become characters, U+FFFD
  // for each byte that belongs to none; the unknown piece is " \u2047 ", as the library's own
  // decoder has it. The space that `encode` puts before the text is taken away again, no other one.
  std::string decode(std::span<const std::int64_t> ids) const;

  std::int64_t vocabulary_size() const;
  // Negative: the model has none.
  std::int64_t bos_id() const;
  std::int64_t eos_id() const;
  std::int64_t unknown_id() const;
  std::int64_t pad_id() const;
  // As the model has it: U+2581 for a space, "<0x0A>" for a byte. Throws kInvalidArgument for a
  // number out of range.
  std::string piece(std::int64_t id) const;
  std::optional<std::int64_t> find_piece(std::string_view piece) const;

 private:
  struct Processor;
  explicit SentencePiece(std::unique_ptr<Processor> processor);
  std::unique_ptr<Processor> processor_;
};

}  // namespace contra4::text
