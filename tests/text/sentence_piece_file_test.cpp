// Models that the library would follow out of its memory. The table's format: 4 bytes for the size
// of a trie of 4-byte units, the trie, texts that end with a zero.
#include "contra4/text/sentence_piece_file.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/text/sentence_piece.h"
#include "tests/support/error_of.h"
#include "tests/support/toy_sentence_piece.h"

namespace contra4::text {
namespace {

using ::testing::HasSubstr;

std::string varint(std::size_t number) {
  std::string bytes;
  for (; number > 127; number >>= 7U) bytes += static_cast<char>((number & 127U) | 128U);
  return bytes + static_cast<char>(number);
}

std::string field(int number, std::string_view bytes) {
  return static_cast<char>(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 255U);
  return bytes;
}

std::string table_of(const std::vector<std::uint32_t>& trie, std::string_view texts) {
  std::string table = word(static_cast<std::uint32_t>(trie.size() * 4));
  for (const std::uint32_t unit : trie) table += word(unit);
  return table + std::string(texts);
}

// Model fields: 3 is the normaliser of texts, 5 the one of what is decoded; their field 2 a table.
std::string model_with(const std::string& table, int normalizer = 3) {
  return testing::toy_sentence_piece_bytes() + field(normalizer, field(2, table));
}

const std::string kText("x\0", 2);
const std::vector<std::uint32_t> kSound(256, 0);

std::vector<std::uint32_t> changed(std::size_t index, std::uint32_t unit) {
  std::vector<std::uint32_t> trie = kSound;
  trie[index] = unit;
  return trie;
}

TEST(ModelFault, IsNoneOfSoundModels) {
  EXPECT_EQ(find_model_fault(testing::toy_sentence_piece_bytes()), std::nullopt);
  const std::string model = model_with(table_of(kSound, kText));
  EXPECT_EQ(find_model_fault(model), std::nullopt);
  const auto tokenizer = SentencePiece::from_bytes(model, "sound");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("Scene A")), "Scene A");
}

TEST(ModelFault, IsATableThatPointsOutside) {
  constexpr std::uint32_t kFar = 1U << 31U >> 1U;  // offset 2^20
  constexpr std::uint32_t kLeafHere = 1U << 8U;
  for (const int normalizer : {3, 5}) {
    for (const auto& [table, words] : std::vector<std::pair<std::string, std::string>>{
             {table_of(changed(0, kFar), kText), "points outside"},
             {table_of(changed(7, kFar), kText), "points outside"},
             {table_of(changed(0, kFar | 1U << 31U), kText), "points outside"},
             {table_of(std::vector<std::uint32_t>(255, 0), kText), "points outside"},
             {table_of({}, kText), "broken size"},
             {word(1023) + std::string(1023, '\0') + kText, "broken size"},
             {table_of(changed(9, kLeafHere | 1U << 10U), kText), ""},
             {table_of(changed(8, kLeafHere), kText), "behind the replacements"},
             {table_of(kSound, ""), "is cut"},
             {word(0xFFFFFFFF) + kText, "is cut"},
             {"ab", "is cut"},
             {table_of(kSound, "x"), "do not end"},
             {table_of(kSound, std::string(2000, 'x') + kText), "has 2001 bytes"}}) {
      const std::string model = model_with(table, normalizer);
      const auto fault = find_model_fault(model);
      EXPECT_EQ(fault.has_value(), !words.empty()) << words;
      if (words.empty()) continue;
      EXPECT_THAT(fault.value_or(""), HasSubstr(words));
      const Error error =
          testing::error_of([&] { SentencePiece::from_bytes(model, "hostile.model"); });
      EXPECT_EQ(error.code, ErrorCode::kDataLoss);
      EXPECT_THAT(error.message, HasSubstr(words));
    }
  }
}

TEST(ModelFault, IsALongPiece) {
  const std::string model =
      testing::toy_sentence_piece_bytes() + field(1, field(1, std::string(5000, 'a')));
  EXPECT_EQ(find_model_fault(model), "a piece has 5000 bytes");
}

// The library throws something of its own here.
TEST(ModelFault, IsSeenByTheLibraryInAPieceOfZeros) {
  const std::string unigram = field(1, field(1, "<unk>") + "\x18\x02");
  const std::string model = unigram + field(1, field(1, std::string("\0a", 2)));
  const Error error = testing::error_of([&] { SentencePiece::from_bytes(model, "zero.model"); });
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("zero.model: no SentencePiece model"));
}

TEST(ModelFault, IsWhatIsNoMessage) {
  EXPECT_EQ(find_model_fault("\xff"), "it is cut or no message");
  EXPECT_EQ(find_model_fault(std::string("\x0a\x05"
                                         "ab",
                                         4)),
            "it is cut or no message");
  EXPECT_EQ(find_model_fault(std::string(11, '\x80')), "it is cut or no message");
  EXPECT_EQ(find_model_fault("\x0b"), "it is cut or no message") << "a group";
}

}  // namespace
}  // namespace contra4::text
