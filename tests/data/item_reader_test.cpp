#include "contra4/data/item_reader.h"

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::vector<std::string> read(const std::filesystem::path& path, const ReadLimits& limits = {}) {
  return ids_of(*open_items(path, limits));
}

std::string list_of(const std::vector<std::string>& rows) {
  std::string text = "[\n";
  for (std::size_t i = 0; i < rows.size(); ++i) text += (i > 0 ? ",\n" : "") + rows[i];
  return text + "\n]";
}

TEST(ItemReader, ReadsListsAndLinesPlainAndGzip) {
  const testing::TempDir folder;
  const std::string first = row_with_id("\"a\"");
  const std::string second = row_with_id("12345678901234567890123");
  for (const char* name : {"x.json", "x.json.gz"}) {
    write_bytes(folder / name, list_of({first, second}));
    EXPECT_THAT(read(folder / name), ElementsAre("a", "12345678901234567890123")) << name;
  }
  for (const char* name : {"x.jsonl", "x.jsonl.gz"}) {
    write_bytes(folder / name, first + "\n" + second + "\n");
    EXPECT_THAT(read(folder / name), ElementsAre("a", "12345678901234567890123")) << name;
  }
}

TEST(ItemReader, AWrongRowIsNamedAndTheNextIsRead) {
  const testing::TempDir folder;
  const auto path = folder / "x.json";
  write_bytes(path, list_of({row_with_id("1"), row_with("gt_answer", "\"Scene D\""),
                             R"({"id": 5 "question": 1})", "7", row_with_id("2")}));
  const auto reader = open_items(path);
  EXPECT_TRUE(reader->next()->has_value());
  const auto wrong = reader->next();
  EXPECT_EQ(wrong->error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(wrong->error().message,
            path.string() + ": row 2 (id r1): the answer is Scene D, but there are 2 scenes");
  EXPECT_EQ(reader->row(), 2U);
  EXPECT_EQ(reader->id_text(), "r1");
  EXPECT_THAT(ids_of(*reader),
              ElementsAre(HasSubstr("x.json: row 3: not valid JSON"),
                          EndsWith("x.json: row 4: the row is a number, not an object"), "2"));
  EXPECT_FALSE(reader->ended_early());
}

TEST(ItemReader, ACutFileGivesItsWholeRowsAndOneLastDataLoss) {
  const testing::TempDir folder;
  const std::string rows = row_with_id("1") + ",\n" + row_with_id("2");
  write_bytes(folder / "x.json", "[" + rows.substr(0, rows.size() - 20));
  auto reader = open_items(folder / "x.json");
  EXPECT_THAT(ids_of(*reader), ElementsAre("1", HasSubstr("row 2: the file ends in the middle")));
  EXPECT_TRUE(reader->ended_early());

  const std::string lines = row_with_id("1") + "\n" + row_with_id("2");
  write_bytes(folder / "x.jsonl", lines.substr(0, lines.size() - 20));
  reader = open_items(folder / "x.jsonl");
  EXPECT_TRUE(reader->next()->has_value());
  const auto last = reader->next();
  EXPECT_EQ(last->error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(last->error().message, HasSubstr("row 2: the file ends in the middle of a row"));
  EXPECT_TRUE(reader->ended_early());

  write_bytes(folder / "x.json.gz", list_of({row_with_id("1"), row_with_id("2")}));
  const std::string whole = io::read_file(folder / "x.json.gz");
  io::write_file_atomically(folder / "cut.json.gz", whole.substr(0, whole.size() - 4));
  const std::vector<std::string> ids = read(folder / "cut.json.gz");
  EXPECT_THAT(ids.back(), HasSubstr("the gzip stream ends too early"));
}

TEST(ItemReader, ALastLineThatIsOnlyAWrongItemIsNoCutFile) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl", row_with("id", ""));
  const auto reader = open_items(folder / "x.jsonl");
  EXPECT_THAT(ids_of(*reader), ElementsAre(HasSubstr("row 1: there is no 'id'")));
  EXPECT_FALSE(reader->ended_early());
}

TEST(ItemReader, SaysWhatTheTopLevelShouldBe) {
  const testing::TempDir folder;
  write_bytes(folder / "object.json", R"({"data": []})");
  EXPECT_THAT(read(folder / "object.json"),
              ElementsAre(EndsWith("object.json: the top level is an object, a list of rows is "
                                   "needed; one object per line is read from .jsonl")));
  write_bytes(folder / "garbage.json", "<html>");
  EXPECT_THAT(read(folder / "garbage.json"), ElementsAre(HasSubstr("not a JSON list")));
  write_bytes(folder / "list.jsonl", "[" + row_with_id("1") + "]\n");
  EXPECT_THAT(read(folder / "list.jsonl"), ElementsAre(HasSubstr("begins with '['")));
}

TEST(ItemReader, ALineOfAnySizeCostsNoMemory) {
  const testing::TempDir folder;
  const auto path = folder / "huge.jsonl";
  constexpr int kMegabytes = 64;
  const auto sink = io::create_bytes(path);
  sink->write(row_with_id("1") + "\n{\"id\": \"huge\", \"question\": \"");
  const std::string block = [] {
    std::string text;
    for (int i = 0; text.size() < 1U << 20; ++i) text += std::to_string(i * 2654435761U);
    return text;
  }();
  for (int i = 0; i < kMegabytes; ++i) sink->write(block);
  sink->write("\"}\n" + row_with_id("3") + "\n");
  sink->commit();
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_THAT(read(path), ElementsAre("1", HasSubstr("row 2: the row has 67"), "3"));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 32 * 1024) << "kB";
}

TEST(ItemReader, AGzipBombEndsTheReading) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl.gz", row_with_id("1") + "\n" + std::string(8U << 20, ' '));
  const auto reader = open_items(folder / "x.jsonl.gz", {.max_decompressed_bytes = 1U << 20});
  EXPECT_TRUE(reader->next()->has_value());
  const auto last = reader->next();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(last->error().message, HasSubstr("unfolds to more than"));
  EXPECT_FALSE(reader->next().has_value());
  EXPECT_TRUE(reader->ended_early());
}

TEST(ItemReader, RefusesASuffixNobodyReadsAndAMissingFile) {
  const testing::TempDir folder;
  write_bytes(folder / "x.txt", "[]");
  EXPECT_THROW(open_items(folder / "x.txt"), Exception);
  try {
    open_items(folder / "none.json");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
  }
}

TEST(ItemReader, SchemasHaveNames) {
  for (const Schema schema :
       {Schema::kReadme, Schema::kReleasedTest, Schema::kReleasedVal, Schema::kGenerated}) {
    EXPECT_EQ(parse_schema(to_string(schema)), schema);
  }
  EXPECT_FALSE(parse_schema("README").has_value());
}

}  // namespace
}  // namespace contra4::data
