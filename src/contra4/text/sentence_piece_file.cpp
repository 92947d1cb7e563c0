#include "contra4/text/sentence_piece_file.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include <fmt/format.h>

namespace contra4::text {

namespace {

// The longest in use: 33 bytes for a ligature's replacement, some 50 for a piece.
constexpr std::size_t kMaxReplacementBytes = 1024;
constexpr std::size_t kMaxPieceBytes = 1024;

using Fault = std::optional<std::string>;

// Numbers of fields in sentencepiece_model.proto.
constexpr std::uint64_t kModelPiece = 1;
constexpr std::uint64_t kModelNormalizer = 3;
constexpr std::uint64_t kModelDenormalizer = 5;
constexpr std::uint64_t kPieceText = 1;
constexpr std::uint64_t kNormalizerTable = 2;

// Protocol buffers' wire format, as far as it is fields.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : rest_(message) {}

  bool at_end() const { return rest_.empty(); }
  // The next field; its bytes are empty unless it has a length. False: no such message.
  bool next(std::uint64_t& number, std::string_view& bytes) {
    std::uint64_t key = 0;
    if (!varint(key)) return false;
    number = key >> 3U;
    bytes = {};
    std::uint64_t value = 0;
    switch (key & 7U) {
      case 0:
        return varint(value);
      case 1:
        return take(8, bytes);
      case 2:
        return varint(value) && take(value, bytes);
      case 5:
        return take(4, bytes);
      default:  // groups: no model has them
        return false;
    }
  }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 127U) << shift;
      if (byte < 128) return true;
    }
    return false;
  }
  bool take(std::uint64_t count, std::string_view& bytes) {
    if (count > rest_.size()) return false;
    bytes = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return true;
  }

  std::string_view rest_;
};

Fault each_field(std::string_view message,
                 const std::function<Fault(std::uint64_t, std::string_view)>& look) {
  FieldReader fields(message);
  while (!fields.at_end()) {
    std::uint64_t number = 0;
    std::string_view bytes;
    if (!fields.next(number, bytes)) return "it is cut or no message";
    if (Fault fault = look(number, bytes)) return fault;
  }
  return {};
}

std::uint32_t word_at(std::string_view bytes, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + index * 4, 4);
  return word;
}

// One unit of a double array: where the units of the next character begin, and what it stands for.
constexpr std::uint32_t kHasLeaf = 1U << 8U;
constexpr std::uint32_t kIsLeaf = 1U << 31U;

std::size_t first_child(std::size_t index, std::uint32_t unit) {
  return index ^ static_cast<std::size_t>((unit >> 10U) << ((unit & (1U << 9U)) >> 6U));
}

// A trie from characters to places in `replacements`, each a text that ends with a zero.
Fault find_trie_fault(std::string_view trie, std::string_view replacements) {
  const std::size_t size = trie.size() / 4;
  if (size == 0 || trie.size() % 4 != 0) return "its normalisation table has a broken size";
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t unit = word_at(trie, i);
    if (i > 0 && (unit & kIsLeaf) != 0) continue;
    const std::size_t child = first_child(i, unit);
    if ((child | 255U) >= size) return "its normalisation table points outside";
    if ((unit & kHasLeaf) != 0 && (word_at(trie, child) & ~kIsLeaf) >= replacements.size()) {
      return "its normalisation table points behind the replacements";
    }
  }
  return {};
}

Fault find_replacement_fault(std::string_view replacements) {
  if (replacements.empty() || replacements.back() != '\0') return "its replacements do not end";
  while (!replacements.empty()) {
    const std::size_t length = replacements.find('\0');
    if (length > kMaxReplacementBytes) {
      return fmt::format("a replacement of its normalisation has {} bytes", length);
    }
    replacements.remove_prefix(length + 1);
  }
  return {};
}

// The size of the trie in bytes, the trie, the replacements.
Fault find_table_fault(std::string_view table) {
  if (table.empty()) return {};
  if (table.size() < 4) return "its normalisation table is cut";
  const std::uint32_t trie_bytes = word_at(table, 0);
  const std::string_view rest = table.substr(4);
  if (trie_bytes >= rest.size()) return "its normalisation table is cut";
  const std::string_view replacements = rest.substr(trie_bytes);
  if (Fault fault = find_replacement_fault(replacements)) return fault;
  return find_trie_fault(rest.substr(0, trie_bytes), replacements);
}

}  // namespace

std::optional<std::string> find_model_fault(std::string_view model) {
  return each_field(model, [](std::uint64_t number, std::string_view message) -> Fault {
    if (number == kModelNormalizer || number == kModelDenormalizer) {
      return each_field(message, [](std::uint64_t inner, std::string_view bytes) {
        return inner == kNormalizerTable ? find_table_fault(bytes) : Fault();
      });
    }
    if (number != kModelPiece) return {};
    return each_field(message, [](std::uint64_t inner, std::string_view bytes) -> Fault {
      if (inner != kPieceText || bytes.size() <= kMaxPieceBytes) return {};
      return fmt::format("a piece has {} bytes", bytes.size());
    });
  });
}

}  // namespace contra4::text
