#include "contra4/io/byte_source.h"

#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/byte_sink.h"
#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

using ::testing::HasSubstr;

std::string gzip(std::string_view bytes) {
  const testing::TempDir folder;
  const auto sink = create_bytes(folder / "x.gz");
  sink->write(bytes);
  sink->commit();
  return read_file(folder / "x.gz");
}

// All bytes, read in pieces of `block`; the error that ended the reading, if one did.
std::pair<std::string, std::optional<Error>> drain(ByteSource& source, std::size_t block = 1000) {
  std::string text;
  std::string buffer(block, '\0');
  while (true) {
    const auto count = source.read(buffer);
    if (!count) return {text, count.error()};
    if (*count == 0) return {text, std::nullopt};
    text.append(buffer, 0, *count);
  }
}

TEST(ByteSource, GivesPlainBytesWhateverTheBlock) {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += static_cast<char>(i * 7);
  for (const std::size_t block : {std::size_t{1}, std::size_t{999}, std::size_t{1} << 20}) {
    EXPECT_EQ(drain(*bytes_in_memory(bytes), block).first, bytes) << block;
  }
  EXPECT_EQ(drain(*bytes_in_memory("")).first, "");
  EXPECT_EQ(drain(*bytes_in_memory("\x1f")).first, "\x1f");
}

TEST(ByteSource, TellsGzipByContentNotByName) {
  const testing::TempDir folder;
  const std::string text(300000, 'a');
  write_file_atomically(folder / "no_suffix", gzip(text));
  EXPECT_EQ(drain(*open_bytes(folder / "no_suffix")).first, text);
  write_file_atomically(folder / "plain.gz", "not compressed");
  EXPECT_EQ(drain(*open_bytes(folder / "plain.gz")).first, "not compressed");
}

TEST(ByteSource, ReadsSeveralMembersAndPadding) {
  const std::string bytes = gzip("one,") + gzip("") + gzip("two,") + gzip("three");
  EXPECT_EQ(drain(*bytes_in_memory(bytes)).first, "one,two,three");
  const auto [text, error] = drain(*bytes_in_memory(bytes + std::string(700, '\0')));
  EXPECT_EQ(text, "one,two,three");
  EXPECT_FALSE(error.has_value());
}

TEST(ByteSource, EveryCutOfAGzipFileIsDataLoss) {
  const std::string whole = gzip("some text that is long enough to have a body");
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const auto [text, error] = drain(*bytes_in_memory(whole.substr(0, size)));
    ASSERT_TRUE(error.has_value()) << size;
    EXPECT_EQ(error->code, ErrorCode::kDataLoss);
    EXPECT_THAT(error->message, HasSubstr("cut file?"));
  }
}

TEST(ByteSource, DamageAndTrailingBytesAreDataLossAndStay) {
  std::string damaged = gzip(std::string(5000, 'x') + "y");
  damaged[damaged.size() - 6] ^= 1;  // checksum
  const auto source = bytes_in_memory(damaged);
  const auto [text, error] = drain(*source);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kDataLoss);
  EXPECT_THAT(error->message, HasSubstr("damaged"));
  EXPECT_EQ(drain(*source).second->message, error->message);

  const auto trailing = drain(*bytes_in_memory(gzip("x") + "rest"));
  EXPECT_EQ(trailing.first, "x");
  EXPECT_THAT(trailing.second->message, HasSubstr("not gzip"));
}

TEST(ByteSource, StopsAtTheDecompressedLimit) {
  const std::string bytes = gzip(std::string(100000, 'a'));
  EXPECT_FALSE(
      drain(*bytes_in_memory(bytes, {.max_decompressed_bytes = 100000})).second.has_value());
  const auto [text, error] = drain(*bytes_in_memory(bytes, {.max_decompressed_bytes = 99999}));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kResourceExhausted);
  EXPECT_LE(text.size(), 99999U);
}

TEST(ByteSource, ABombIsNamedAndSmallZerosAreNot) {
  const std::string bomb = gzip(std::string(4U << 20, '\0'));
  const ByteLimits strict = {.max_compression_ratio = 500, .ratio_free_bytes = 1U << 20};
  const auto [text, error] = drain(*bytes_in_memory(bomb, strict), 1U << 16);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error->message, HasSubstr("gzip bomb"));
  EXPECT_LE(text.size(), (1U << 20) + (1U << 16));
  EXPECT_FALSE(drain(*bytes_in_memory(bomb), 1U << 16).second.has_value());
}

TEST(ByteSource, ShowsEveryByteOnDiskToTheObserver) {
  const testing::TempDir folder;
  const std::string bytes = gzip(std::string(100000, 'a')) + gzip("b");
  write_file_atomically(folder / "x", bytes);
  std::string seen;
  drain(*open_bytes(folder / "x", {}, [&](std::string_view piece) { seen += piece; }));
  EXPECT_EQ(seen, bytes);
}

TEST(ByteSource, NamesAMissingFileAndAFolder) {
  const testing::TempDir folder;
  try {
    open_bytes(folder / "none.json");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
    EXPECT_THAT(exception.what(), HasSubstr("none.json"));
  }
  try {
    open_bytes(folder.path());
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(exception.what(), HasSubstr("folder"));
  }
}

}  // namespace
}  // namespace contra4::io
