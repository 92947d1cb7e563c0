#include "contra4/io/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CsvReader reader_of(std::string text, std::size_t max_row_bytes = 1U << 20) {
  return CsvReader(bytes_in_memory(std::move(text)), "x.csv", max_row_bytes);
}

// Rows joined by '|', an error as its message.
std::vector<std::string> rows_of(std::string text, std::size_t max_row_bytes = 1U << 20) {
  CsvReader reader = reader_of(std::move(text), max_row_bytes);
  std::vector<std::string> rows;
  while (const auto row = reader.next()) {
    if (!*row) {
      rows.push_back(row->error().message);
      continue;
    }
    std::string joined;
    for (const std::string& field : ***row) joined += (joined.empty() ? "" : "|") + field;
    rows.push_back(joined);
  }
  return rows;
}

TEST(Csv, ReadsQuotesCommasBreaksAndDoubledQuotes) {
  EXPECT_THAT(rows_of("a,b\n1,2\n\"x, y\",\"he said \"\"no\"\"\"\n\"two\nlines\",\"\"\n"),
              ElementsAre("1|2", "x, y|he said \"no\"", "two\nlines|"));
}

TEST(Csv, TakesCrLfAByteOrderMarkAndNoLastBreak) {
  CsvReader reader = reader_of(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2\r\n\r\n3,4");
  EXPECT_THAT(reader.columns(), ElementsAre("a", "b"));
  EXPECT_EQ(reader.find_column("b"), 1U);
  EXPECT_FALSE(reader.find_column("c").has_value());
  EXPECT_THAT(***reader.next(), ElementsAre("1", "2"));
  EXPECT_THAT(***reader.next(), ElementsAre("3", "4"));
  EXPECT_EQ(reader.row(), 2U);
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Csv, ARaggedRowIsAnErrorWithItsNumberAndReadingGoesOn) {
  EXPECT_THAT(rows_of("a,b\n1\n1,2,3\n4,5\n"),
              ElementsAre("x.csv: row 1: 1 fields where the header has 2",
                          "x.csv: row 2: 3 fields where the header has 2", "4|5"));
}

TEST(Csv, StrayQuotesAreErrors) {
  EXPECT_THAT(rows_of("a,b\nx\"y,1\n\"x\"y,1\n3,4\n"),
              ElementsAre(HasSubstr("row 1: a quote stands inside field 1"),
                          HasSubstr("row 2: text follows the closing quote of field 1"), "3|4"));
}

TEST(Csv, AFileThatEndsInsideQuotesIsCut) {
  CsvReader reader = reader_of("a,b\n1,\"two");
  const auto row = reader.next();
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(row->error().message, HasSubstr("x.csv: row 1: the file ends inside"));
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Csv, ARowAboveTheLimitIsReadOver) {
  EXPECT_THAT(rows_of("a,b\n" + std::string(5000, 'x') + ",1\n3,4\n", 100),
              ElementsAre("x.csv: row 1: the row is larger than 100 bytes", "3|4"));
  EXPECT_THAT(rows_of("a,b\n" + std::string(5000, ',') + "\n3,4\n", 100),
              ElementsAre("x.csv: row 1: the row is larger than 100 bytes", "3|4"));
}

TEST(Csv, InvalidUtf8NamesTheColumn) {
  EXPECT_THAT(rows_of("a,b\n1,\xff\n3,4\n"),
              ElementsAre("x.csv: row 1: column 'b' is not valid UTF-8", "3|4"));
}

TEST(Csv, RefusesAHeaderThatNamesNothingOrTwice) {
  for (const std::string text : {"", "\n1,2\n", "a,b,a\n", "a,\"b\n"}) {
    EXPECT_THROW(reader_of(text), Exception) << text;
  }
}

TEST(Csv, ADamagedSourceIsDataLoss) {
  const std::string cut_gzip("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  try {
    CsvReader(bytes_in_memory(cut_gzip), "cut.csv.gz");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kDataLoss);
    EXPECT_THAT(exception.what(), HasSubstr("cut.csv.gz: "));
  }
}

}  // namespace
}  // namespace contra4::io
