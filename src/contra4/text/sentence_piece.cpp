#include "contra4/text/sentence_piece.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/text/sentence_piece_file.h"

namespace contra4::text {

namespace {

constexpr std::uint64_t kMaxModelBytes = 64ULL << 20;  // the largest in use have some 5 MB
constexpr std::string_view kSpaceMark = "\u2581";
constexpr std::string_view kUnknownSurface = " \u2047 ";
constexpr std::string_view kReplacement = "\ufffd";

// "<0x0A>"
char byte_of(std::string_view piece) {
  unsigned value = 0;
  if (piece.size() == 6) std::from_chars(piece.data() + 3, piece.data() + 5, value, 16);
  return static_cast<char>(value);
}

// Length of the well-formed UTF-8 character at the front; 0: there is none.
std::size_t character_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = at(1);
  const bool is_overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool is_surrogate = lead == 0xED && second >= 0xA0;
  const bool is_too_large = lead == 0xF4 && second >= 0x90;
  return is_overlong || is_surrogate || is_too_large ? 0 : length;
}

void append_characters(std::string_view bytes, std::string& text) {
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    text += length == 0 ? kReplacement : bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_with_spaces(std::string_view piece, std::string& text) {
  while (!piece.empty()) {
    const std::size_t mark = std::min(piece.find(kSpaceMark), piece.size());
    text += piece.substr(0, mark);
    piece.remove_prefix(mark);
    if (piece.empty()) return;
    text += ' ';
    piece.remove_prefix(kSpaceMark.size());
  }
}

}  // namespace

struct SentencePiece::Processor {
  sentencepiece::SentencePieceProcessor model;
  std::string name;  // for messages
  std::int64_t size = 0;
  bool puts_space_before = false;

  bool has(std::int64_t id) const { return id >= 0 && id < size; }
};

SentencePiece::SentencePiece(std::unique_ptr<Processor> processor)
    : processor_(std::move(processor)) {}

SentencePiece::SentencePiece(const std::filesystem::path& model)
    : SentencePiece(from_bytes(io::read_file(model, kMaxModelBytes), model.string())) {}

SentencePiece SentencePiece::from_bytes(std::string_view model, std::string_view name) {
  const auto refuse = [name](std::string_view reason) {
    throw Exception(
        ErrorCode::kDataLoss,
        fmt::format("{}: no SentencePiece model ({}); truncated download?", name, reason));
  };
  if (const auto fault = find_model_fault(model)) refuse(*fault);
  auto processor = std::make_unique<Processor>();
  processor->name = name;
  std::string reason;
  try {
    const auto status = processor->model.LoadFromSerializedProto(model);
    if (!status.ok()) reason = status.ToString();
  } catch (const std::exception& exception) {  // of the library's trie: a zero within a piece
    reason = exception.what();
  }
  if (!reason.empty()) refuse(reason);
  processor->size = processor->model.GetPieceSize();
  std::vector<std::string> pieces;
  if (processor->model.Encode("a", &pieces).ok() && !pieces.empty()) {
    processor->puts_space_before = pieces.front().starts_with(kSpaceMark);
  }
  return SentencePiece(std::move(processor));
}

SentencePiece::~SentencePiece() = default;
SentencePiece::SentencePiece(SentencePiece&& other) noexcept = default;
SentencePiece& SentencePiece::operator=(SentencePiece&& other) noexcept = default;

std::vector<std::int64_t> SentencePiece::encode(std::string_view text) const {
  std::vector<int> ids;
  const auto status = processor_->model.Encode(text, &ids);
  if (!status.ok()) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: cannot split a text of {} bytes ({})", processor_->name,
                                text.size(), status.message()));
  }
  return {ids.begin(), ids.end()};
}

// The library's own decoder takes all leading spaces away from models that fold spaces, which the
// published tokenizers of T5 do not.
std::string SentencePiece::decode(std::span<const std::int64_t> ids) const {
  const auto& model = processor_->model;
  std::string text;
  std::string bytes;  // of the character that is not complete yet
  bool takes_space = processor_->puts_space_before;
  const auto flush_bytes = [&] {
    append_characters(bytes, text);
    bytes.clear();
  };
  for (const std::int64_t wide_id : ids) {
    if (!processor_->has(wide_id)) continue;
    const int id = static_cast<int>(wide_id);
    if (model.IsControl(id)) continue;
    const bool is_first = std::exchange(takes_space, false);
    std::string_view piece = model.IdToPiece(id);
    if (model.IsByte(id)) {
      bytes += byte_of(piece);
      continue;
    }
    flush_bytes();
    if (model.IsUnknown(id)) {
      text += kUnknownSurface;
      continue;
    }
    if (is_first && piece.starts_with(kSpaceMark)) piece.remove_prefix(kSpaceMark.size());
    append_with_spaces(piece, text);
  }
  flush_bytes();
  return text;
}

std::int64_t SentencePiece::vocabulary_size() const {
  return processor_->size;
}
std::int64_t SentencePiece::bos_id() const {
  return processor_->model.bos_id();
}
std::int64_t SentencePiece::eos_id() const {
  return processor_->model.eos_id();
}
std::int64_t SentencePiece::unknown_id() const {
  return processor_->model.unk_id();
}
std::int64_t SentencePiece::pad_id() const {
  return processor_->model.pad_id();
}

std::string SentencePiece::piece(std::int64_t id) const {
  if (!processor_->has(id)) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: piece {} is not among the {}", processor_->name, id, processor_->size));
  }
  return processor_->model.IdToPiece(static_cast<int>(id));
}

std::optional<std::int64_t> SentencePiece::find_piece(std::string_view piece) const {
  const std::int64_t id = processor_->model.PieceToId(piece);
  // What is no piece has the number of the unknown one.
  if (!processor_->has(id) || processor_->model.IdToPiece(static_cast<int>(id)) != piece) return {};
  return id;
}

}  // namespace contra4::text
