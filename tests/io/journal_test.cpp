#include "contra4/io/journal.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path,
                                  JournalSummary* summary = nullptr) {
  std::vector<std::string> lines;
  const JournalSummary read = read_journal(path, [&](std::uint64_t number, std::string_view line) {
    EXPECT_EQ(number, lines.size() + 1);
    lines.emplace_back(line);
  });
  if (summary != nullptr) *summary = read;
  return lines;
}

TEST(Journal, KeepsLinesInOrderOverSeveralOpenings) {
  const testing::TempDir folder;
  for (const char* line : {"{\"a\": 1}", "{\"b\": 2}", ""})
    JournalWriter(folder / "j").append(line);
  EXPECT_EQ(lines_of(folder / "j"), (std::vector<std::string>{"{\"a\": 1}", "{\"b\": 2}", ""}));
}

TEST(Journal, MissingFileHasNoLines) {
  const testing::TempDir folder;
  EXPECT_TRUE(lines_of(folder / "absent").empty());
}

TEST(Journal, TornLineIsReportedWhenReadAndCutWhenContinued) {
  const testing::TempDir folder;
  std::ofstream(folder / "j") << "{\"a\": 1}\n{\"b\": ";
  JournalSummary summary;
  EXPECT_EQ(lines_of(folder / "j", &summary).size(), 1U);
  EXPECT_EQ(summary.torn_bytes, 6U);
  JournalWriter(folder / "j").append("{\"c\": 3}");
  EXPECT_EQ(lines_of(folder / "j", &summary),
            (std::vector<std::string>{"{\"a\": 1}", "{\"c\": 3}"}));
  EXPECT_EQ(summary.torn_bytes, 0U);
}

TEST(Journal, TornLineLongerThanABlockIsCutToo) {
  const testing::TempDir folder;
  std::ofstream(folder / "j") << "first\n" << std::string(200000, 'x');
  JournalWriter(folder / "j").append("second");
  EXPECT_EQ(lines_of(folder / "j"), (std::vector<std::string>{"first", "second"}));
}

TEST(Journal, FileWithoutAnyLineBreakIsOneTornLine) {
  const testing::TempDir folder;
  std::ofstream(folder / "j") << std::string(70000, 'x');
  JournalWriter(folder / "j").append("only");
  EXPECT_EQ(lines_of(folder / "j"), (std::vector<std::string>{"only"}));
}

TEST(Journal, LinesLongerThanABlockComeWhole) {
  const testing::TempDir folder;
  const std::string big(3U << 20, 'y');
  JournalWriter(folder / "j").append(big);
  JournalWriter(folder / "j").append("small");
  EXPECT_EQ(lines_of(folder / "j"), (std::vector<std::string>{big, "small"}));
}

TEST(Journal, SecondWriterIsRefused) {
  const testing::TempDir folder;
  const JournalWriter first(folder / "j");
  try {
    const JournalWriter second(folder / "j");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kUnavailable);
  }
}

TEST(Journal, EndlessLineIsRefused) {
  const testing::TempDir folder;
  std::ofstream(folder / "j") << std::string(5U << 20, 'z');
  EXPECT_THROW(read_journal(
                   folder / "j", [](std::uint64_t, std::string_view) {}, 1U << 20),
               Exception);
}

TEST(Journal, LineBreakInsideALineIsOurBug) {
  const testing::TempDir folder;
  JournalWriter journal(folder / "j");
  EXPECT_THROW(journal.append("a\nb"), Exception);
}

}  // namespace
}  // namespace contra4::io
