#include "contra4/text/sentence_piece.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

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

}  // namespace
}  // namespace contra4::text
