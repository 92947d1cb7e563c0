#include "contra4/data/record_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Gives its bytes in pieces, to move every border through the text.
class Dripping final : public io::ByteSource {
 public:
  Dripping(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min({piece_, buffer.size(), bytes_.size() - position_});
    std::copy_n(bytes_.data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t piece_;
  std::size_t position_ = 0;
};

struct Outcome {
  std::vector<std::string> rows;  // "row number: text" or "row number: !code message"
  bool ended_early = false;
};

Outcome read(std::string bytes, RecordFormat format, std::uint64_t limit = 1000,
             std::size_t piece = 7) {
  const auto reader =
      read_records(std::make_unique<Dripping>(std::move(bytes), piece), format, limit);
  Outcome outcome;
  while (const auto record = reader->next()) {
    outcome.rows.push_back(
        std::to_string(reader->row()) + ": " +
        (record->has_value()
             ? std::string(**record)
             : "!" + std::string(to_string(record->error().code)) + " " + record->error().message));
  }
  EXPECT_FALSE(reader->next().has_value());
  outcome.ended_early = reader->ended_early();
  return outcome;
}

TEST(RecordReader, CutsAListWhateverThePieces) {
  const std::string text = "\xEF\xBB\xBF [ {\"a\": \"},{\"} ,\n{}, 12, \"x\", [1,2],null ] \n";
  for (const std::size_t piece : {1, 2, 3, 5, 64, 1000}) {
    const Outcome outcome = read(text, RecordFormat::kList, 1000, piece);
    EXPECT_THAT(outcome.rows, ElementsAre("1: {\"a\": \"},{\"}", "2: {}", "3: 12", "4: \"x\"",
                                          "5: [1,2]", "6: null"));
    EXPECT_FALSE(outcome.ended_early);
  }
  EXPECT_THAT(read("[]", RecordFormat::kList).rows, ElementsAre());
}

TEST(RecordReader, DamageAroundTheRowsEndsTheReading) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[{},]", "a comma stands before the end"},
      {"[{} {}]", "'{' where a comma or the end of the list belongs"},
      {"[,{}]", "',' where a row belongs"},
      {"[{},,{}]", "',' where a row belongs"},
      {"[{}}", "'}' where a comma"},
      {"[{}] x", "'x' follows the end of the list"},
      {"[{}]]", "']' follows the end of the list"},
      {"[{}", "the file ends in the middle of the list"},
      {"[{},", "the file ends in the middle of the list"},
      {"[", "the file ends in the middle of the list"},
      {"[{}, {\"a\": 1", "the file ends in the middle of a row"},
      {"[{}, 12", "the file ends in the middle of a row"},
      {"", "the file is empty"},
      {" \n", "the file is empty"},
      {"{\"a\": []}", "the top level is an object"},
      {"id,question\n", "begins with 'i': not a JSON list"},
      {std::string("\0\0", 2), "begins with byte 0x00"},
  };
  for (const auto& [text, message] : cases) {
    for (const std::size_t piece : {1, 100}) {
      const Outcome outcome = read(text, RecordFormat::kList, 1000, piece);
      ASSERT_FALSE(outcome.rows.empty()) << text;
      EXPECT_THAT(outcome.rows.back(), HasSubstr("!data_loss " + message)) << text;
      EXPECT_TRUE(outcome.ended_early);
    }
  }
}

TEST(RecordReader, ARowAboveTheLimitIsReadOverAndTheNextIsRead) {
  const std::string large = "{\"a\": \"" + std::string(3000, '}') + "\"}";
  const Outcome list = read("[{}, " + large + ", {}]", RecordFormat::kList, 100);
  EXPECT_THAT(list.rows, ElementsAre("1: {}",
                                     "2: !resource_exhausted the row has 3009 bytes, more than the "
                                     "limit of 100; it was read over",
                                     "3: {}"));
  EXPECT_FALSE(list.ended_early);
  const Outcome lines = read("{}\n" + large + "\n{}\n", RecordFormat::kLines, 100);
  EXPECT_THAT(lines.rows,
              ElementsAre("1: {}", HasSubstr("2: !resource_exhausted the row has 3009"), "3: {}"));
}

TEST(RecordReader, LinesCountBlankOnesAndMayLackTheLastBreak) {
  const Outcome outcome =
      read("\xEF\xBB\xBF{\"a\": 1}\r\n\n  \n {} \n{\"b\": 2}", RecordFormat::kLines);
  EXPECT_THAT(outcome.rows, ElementsAre("1: {\"a\": 1}", "4: {}", "5: {\"b\": 2}"));
  EXPECT_FALSE(outcome.ended_early);
  EXPECT_THAT(read("", RecordFormat::kLines).rows, ElementsAre());
}

TEST(RecordReader, AListNamedAsLinesIsSaidOnce) {
  const Outcome outcome = read("[\n  {},\n  {}\n]\n", RecordFormat::kLines);
  EXPECT_THAT(outcome.rows, ElementsAre(HasSubstr("1: !data_loss begins with '['")));
  EXPECT_TRUE(outcome.ended_early);
}

TEST(RecordReader, TellsWhetherTheFileEndedTheLine) {
  const auto reader = read_records(io::bytes_in_memory("{}\n{"), RecordFormat::kLines, 100);
  EXPECT_TRUE(reader->next().has_value());
  EXPECT_FALSE(reader->was_ended_by_file());
  EXPECT_TRUE(reader->next().has_value());
  EXPECT_TRUE(reader->was_ended_by_file());
}

}  // namespace
}  // namespace contra4::data
