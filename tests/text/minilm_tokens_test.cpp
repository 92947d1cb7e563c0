// The published tokenizer and ours give the same numbers for every golden text.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "contra4/text/wordpiece.h"
#include "tests/support/test_env.h"

namespace contra4::text {
namespace {

constexpr std::size_t kMaxTokens = 256;

TEST(MiniLmTokens, EqualTheGoldens) {
  CONTRA4_REQUIRE_SHARED();
  const std::filesystem::path folder = CONTRA4_DEFAULT_MINILM;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no MiniLM at " << folder;
  const WordPiece tokenizer = WordPiece::from_file(folder / "vocab.txt");
  const io::JsonValue goldens =
      io::read_json_file(testing::shared_dir() / "goldens" / "minilm" / "texts.json");
  const auto* rows = goldens.find_array();
  ASSERT_NE(rows, nullptr);
  ASSERT_EQ(rows->size(), 300U);
  for (const io::JsonValue& row : *rows) {
    const std::string& text = *row.find("text")->find_string();
    std::vector<std::int32_t> expected;
    for (const io::JsonValue& id : *row.find("token_ids")->find_array()) {
      expected.push_back(static_cast<std::int32_t>(*id.find_integer()));
    }
    EXPECT_EQ(tokenizer.encode(text, kMaxTokens), expected) << text;
  }
}

}  // namespace
}  // namespace contra4::text
