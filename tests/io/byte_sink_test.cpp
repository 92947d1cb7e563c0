#include "contra4/io/byte_sink.h"

#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  const auto sink = create_bytes(path);
  for (std::size_t i = 0; i < text.size(); i += 1000) sink->write(text.substr(i, 1000));
  sink->commit();
}

std::string some_text() {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919 % 10007) + "\n";
  return text;
}

TEST(ByteSink, WritesPlainAndGzipBySuffix) {
  const testing::TempDir folder;
  const std::string text = some_text();
  write(folder / "a.jsonl", text);
  EXPECT_EQ(read_file(folder / "a.jsonl"), text);
  write(folder / "a.jsonl.gz", text);
  EXPECT_LT(read_file(folder / "a.jsonl.gz").size(), text.size() / 2);
  EXPECT_EQ(testing::read_gz(folder / "a.jsonl.gz"), text);
  write(folder / "empty.gz", "");
  EXPECT_EQ(testing::read_gz(folder / "empty.gz"), "");
}

TEST(ByteSink, TheSameBytesGiveTheSameGzipFileWithoutTimeAndName) {
  const testing::TempDir folder;
  write(folder / "a.gz", "text");
  write(folder / "b.gz", "text");
  const std::string bytes = read_file(folder / "a.gz");
  EXPECT_EQ(bytes, read_file(folder / "b.gz"));
  EXPECT_EQ(bytes.substr(3, 5), std::string(5, '\0'));  // flags and time
}

TEST(ByteSink, WithoutCommitNothingAppears) {
  const testing::TempDir folder;
  { create_bytes(folder / "a.gz")->write("x"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace contra4::io
