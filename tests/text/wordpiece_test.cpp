#include "contra4/text/wordpiece.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/test_env.h"

namespace contra4::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// 0 [PAD]  1 [UNK]  2 [CLS]  3 [SEP]  4 [MASK]  5 play  6 ##ing  7 ##i  8 dog  9 .  10 ж  11 ##ж
const std::vector<std::string>& vocabulary() {
  static const std::vector<std::string> entries = {
      "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "##i", "dog", ".", "ж", "##ж"};
  return entries;
}

std::vector<std::int32_t> encode(std::string_view text, std::size_t max_tokens = 256) {
  return WordPiece(vocabulary()).encode(text, max_tokens);
}

Error refusal(const std::vector<std::string>& entries) {
  try {
    const WordPiece tokenizer(entries, "vocab.txt");
  } catch (const Exception& exception) {
    return exception.error();
  }
  return {ErrorCode::kInternal, "accepted"};
}

TEST(WordPiece, FramesTheTextAndTakesTheLongestPiece) {
  EXPECT_THAT(encode(""), ElementsAre(2, 3));
  EXPECT_THAT(encode("Playing dog."), ElementsAre(2, 5, 6, 8, 9, 3));
  EXPECT_THAT(encode("playi"), ElementsAre(2, 5, 7, 3));
  EXPECT_THAT(encode("жжж"), ElementsAre(2, 10, 11, 11, 3));
}

TEST(WordPiece, AWordWithoutPiecesIsUnknownAsAWhole) {
  EXPECT_THAT(encode("playingx dog"), ElementsAre(2, 1, 8, 3));
  EXPECT_THAT(encode("ing"), ElementsAre(2, 1, 3));
  EXPECT_THAT(encode("plaж"), ElementsAre(2, 1, 3));
}

TEST(WordPiece, AWordOfMoreThanHundredCharactersIsUnknown) {
  std::string word;
  for (int i = 0; i < 100; ++i) word += "ж";
  EXPECT_EQ(encode(word).size(), 102U);
  EXPECT_THAT(encode(word + "ж"), ElementsAre(2, 1, 3));
}

TEST(WordPiece, SpecialTokensInTheTextAreThemselves) {
  EXPECT_THAT(encode("[CLS] dog[MASK]dog [SEP][PAD]"), ElementsAre(2, 2, 8, 4, 8, 3, 0, 3));
  EXPECT_THAT(encode("[cls]"), ElementsAre(2, 1, 1, 1, 3));
  EXPECT_THAT(encode("[[UNK]"), ElementsAre(2, 1, 1, 3));
  EXPECT_THAT(encode("[CLS"), ElementsAre(2, 1, 1, 3));
}

TEST(WordPiece, CutsAtTheEndSpecialTokensIncluded) {
  EXPECT_THAT(encode("dog dog dog", 4), ElementsAre(2, 8, 8, 3));
  EXPECT_THAT(encode("playing", 3), ElementsAre(2, 5, 3));
  EXPECT_THAT(encode("dog[MASK]dog", 4), ElementsAre(2, 8, 4, 3));
  EXPECT_THAT(encode("dog", 2), ElementsAre(2, 3));
  EXPECT_THROW(encode("dog", 1), Exception);
}

TEST(WordPiece, LongTextsAreReadOnlyAsFarAsNeeded) {
  std::string text;
  for (int i = 0; i < 2'000'000; ++i) text += "dog ";
  EXPECT_EQ(encode(text).size(), 256U);
}

TEST(WordPiece, RejectsVocabulariesThatAreNone) {
  const Error missing = refusal({"[PAD]", "[UNK]", "[CLS]", "[SEP]"});
  EXPECT_EQ(missing.code, ErrorCode::kDataLoss);
  EXPECT_EQ(missing.message, "vocab.txt: no entry [MASK]; is this a BERT vocabulary?");
  auto entries = vocabulary();
  entries.emplace_back("dog");
  EXPECT_EQ(refusal(entries).message, "vocab.txt: entry 13 is there twice: 'dog'");
  entries.back() = "";
  EXPECT_EQ(refusal(entries).message, "vocab.txt: entry 13 is empty");
}

TEST(WordPiece, ReadsAFileWithEitherLineEnd) {
  const testing::TempDir folder;
  std::ofstream unix_file(folder / "unix.txt");
  std::ofstream dos_file(folder / "dos.txt");
  for (const std::string& entry : vocabulary()) {
    unix_file << entry << '\n';
    dos_file << entry << "\r\n";
  }
  unix_file.close();
  dos_file.close();
  for (const char* name : {"unix.txt", "dos.txt"}) {
    const WordPiece tokenizer = WordPiece::from_file(folder / name);
    EXPECT_EQ(tokenizer.vocabulary_size(), vocabulary().size());
    EXPECT_THAT(tokenizer.encode("dog", 256), ElementsAre(2, 8, 3));
  }
  try {
    WordPiece::from_file(folder / "none.txt");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
    EXPECT_THAT(exception.what(), HasSubstr("none.txt"));
  }
}

}  // namespace
}  // namespace contra4::text
