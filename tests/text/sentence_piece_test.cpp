#include "contra4/text/sentence_piece.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_sentence_piece.h"

namespace contra4::text {
namespace {

using ::contra4::testing::error_of;

TEST(SentencePiece, SaysThatThereIsNoFile) {
  const testing::TempDir dir;
  const Error error = error_of([&] { SentencePiece(dir / "tokenizer.model"); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_NE(error.message.find("tokenizer.model"), std::string::npos) << error.message;
}

TEST(SentencePiece, RefusesAFileThatIsNoModel) {
  const testing::TempDir dir;
  for (const std::string& content :
       {std::string(), std::string("version https://git-lfs.github.com/spec/v1\n"),
        std::string(4096, '\0'), std::string(4096, '\xff'), std::string("{\"model\": 1}")}) {
    io::write_file_atomically(dir / "bad.model", content);
    const Error error = error_of([&] { SentencePiece(dir / "bad.model"); });
    EXPECT_EQ(error.code, ErrorCode::kDataLoss);
    EXPECT_NE(error.message.find("bad.model: no SentencePiece model"), std::string::npos)
        << error.message;
  }
}

TEST(SentencePiece, RefusesACutModel) {
  const std::string model = testing::toy_sentence_piece_bytes();
  for (const std::size_t size : {model.size() / 2, model.size() - 1, std::size_t{3}}) {
    const Error error = error_of(
        [&] { SentencePiece::from_bytes(std::string_view(model).substr(0, size), "cut.model"); });
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << size;
    EXPECT_NE(error.message.find("cut.model: no SentencePiece model"), std::string::npos);
  }
}

TEST(SentencePiece, SplitsAndJoinsAnyText) {
  const SentencePiece tokenizer =
      SentencePiece::from_bytes(testing::toy_sentence_piece_bytes(), "toy");
  const std::string zero("a\0b", 3);
  for (const std::string& text :
       {std::string(), std::string(" "), std::string("Scene A: "), std::string("  Scene  B\n"),
        std::string("\u2603 \U0001F600"), zero, std::string("</s><s>"), std::string("<0x41>")}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("\xff\xc3")), "\ufffd\ufffd");
}

TEST(SentencePiece, TakesLongTexts) {
  const SentencePiece tokenizer =
      SentencePiece::from_bytes(testing::toy_sentence_piece_bytes(), "toy");
  const std::string one_word(1 << 20, 'e');
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(one_word)), one_word);
  std::string words;
  while (words.size() < 1 << 20) words += "Scene A, ";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(words)), words);
}

TEST(SentencePiece, KnowsItsPieces) {
  const SentencePiece tokenizer =
      SentencePiece::from_bytes(testing::toy_sentence_piece_bytes(), "toy");
  EXPECT_EQ(tokenizer.vocabulary_size(), static_cast<std::int64_t>(testing::toy_pieces().size()));
  EXPECT_EQ(tokenizer.find_piece("<s>"), tokenizer.bos_id());
  EXPECT_EQ(tokenizer.find_piece("<unk>"), tokenizer.unknown_id());
  EXPECT_EQ(tokenizer.find_piece("no such piece"), std::nullopt);
  EXPECT_EQ(tokenizer.piece(tokenizer.eos_id()), "</s>");
  for (const std::int64_t id : {std::int64_t{-1}, tokenizer.vocabulary_size()}) {
    EXPECT_EQ(error_of([&] { tokenizer.piece(id); }).code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace contra4::text
