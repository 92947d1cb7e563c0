#include "contra4/data/table_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Member `name` of each row as text, or the message of a wrong row.
std::vector<std::string> column(TableReader& reader, std::string_view name) {
  std::vector<std::string> values;
  while (const auto row = reader.next()) {
    if (!*row) {
      values.push_back(row->error().message);
      continue;
    }
    const io::JsonValue* value = (*row)->find(name);
    values.push_back(value == nullptr        ? "absent"
                     : value->find_string()  ? *value->find_string()
                     : value->find_integer() ? std::to_string(*value->find_integer())
                                             : "other");
  }
  return values;
}

TEST(TableReader, ReadsCsvAsText) {
  const testing::TempDir folder;
  write_bytes(folder / "x.csv.gz", "id,caption\n007,\"a, b\"\n8\n9,c\n");
  const auto reader = open_table(folder / "x.csv.gz");
  EXPECT_THAT(reader->columns(), ElementsAre("id", "caption"));
  EXPECT_THAT(column(*reader, "id"), ElementsAre("007", HasSubstr("row 2: 1 fields"), "9"));
}

TEST(TableReader, ReadsListsAndLines) {
  const testing::TempDir folder;
  write_bytes(folder / "x.json", R"([{"id": 7}, 3, {"id": "007"}, {"x": 1}])");
  EXPECT_THAT(column(*open_table(folder / "x.json"), "id"),
              ElementsAre("7", HasSubstr("x.json: row 2: not an object"), "007", "absent"));
  write_bytes(folder / "x.jsonl", "{\"id\": 7}\n{\"id\" 8}\n\n{\"id\": 9}\n");
  const auto lines = open_table(folder / "x.jsonl");
  EXPECT_THAT(column(*lines, "id"), ElementsAre("7", HasSubstr("x.jsonl: row 2: not valid"), "9"));
  EXPECT_EQ(lines->row(), 4U);
}

TEST(TableReader, DamageIsTheLastRow) {
  const testing::TempDir folder;
  write_bytes(folder / "x.json", R"([{"id": 7}, {"id": )");
  EXPECT_THAT(column(*open_table(folder / "x.json"), "id"),
              ElementsAre("7", HasSubstr("x.json: row 2: the file ends in the middle of a row")));
}

TEST(TableReader, RefusesASuffixNobodyReads) {
  EXPECT_THROW(open_table("x.xml"), Exception);
}

}  // namespace
}  // namespace contra4::data
