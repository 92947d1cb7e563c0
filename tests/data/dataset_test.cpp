#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string message_of(const std::filesystem::path& path, const ItemRequirements& needs = {}) {
  try {
    load_dataset(path, needs);
    return "";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    return exception.what();
  }
}

TEST(Dataset, HasTheNameAndTheHashOfTheFileOnDisk) {
  const testing::TempDir folder;
  for (const char* name : {"set.json", "set.json.gz"}) {
    const std::string padding(300000, ' ');
    write_bytes(folder / name, "[" + row_with_id("1") + padding + "]" + padding);
    const Dataset dataset = load_dataset(folder / name);
    EXPECT_EQ(dataset.name, "set");
    EXPECT_EQ(dataset.sha256, sha256_hex_of_file(folder / name));
    ASSERT_EQ(dataset.items.size(), 1U);
    EXPECT_EQ(dataset.items[0].scenes[0].extra.size(), 1U);
  }
}

TEST(Dataset, NamesTenWrongRowsAndCountsTheRest) {
  const testing::TempDir folder;
  std::string text;
  for (int i = 0; i < 12; ++i) text += row_with("gt_answer", "\"Scene D\"") + "\n";
  write_bytes(folder / "x.jsonl", text);
  const std::string message = message_of(folder / "x.jsonl");
  EXPECT_THAT(message, HasSubstr("x.jsonl: 12 wrong rows:"));
  EXPECT_THAT(message, HasSubstr("x.jsonl: row 10 (id r1): the answer is Scene D"));
  EXPECT_THAT(message, Not(HasSubstr("row 11")));
  EXPECT_THAT(message, HasSubstr("and 2 more"));
}

TEST(Dataset, TuplesAreNoQuestions) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl", tuple_row() + "\n");
  EXPECT_THAT(message_of(folder / "x.jsonl"),
              HasSubstr("x.jsonl: row 1 (id random_0): there is no question"));
}

TEST(Dataset, DuplicateIdsAreWrongRowsWhateverTheirType) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl", row_with_id("7") + "\n" + row_with_id("\"007\"") + "\n" +
                                      row_with_id("\"7\"") + "\n");
  EXPECT_THAT(message_of(folder / "x.jsonl"),
              HasSubstr("row 3 (id 7): the id occurred before, in row 1"));
}

TEST(Dataset, RequiresWhatTheUseNeeds) {
  const testing::TempDir folder;
  const std::string no_caption = row_with(
      "examples", R"([{"source": "s", "id": 1, "caption": "x"}, {"source": "s", "id": 2}])");
  write_bytes(folder / "x.jsonl", no_caption + "\n");
  EXPECT_EQ(message_of(folder / "x.jsonl", {.answer = true}), "");
  EXPECT_THAT(message_of(folder / "x.jsonl", {.captions = true}),
              HasSubstr("Scene B has no caption"));
  write_bytes(folder / "y.jsonl", row_with("gt_answer", "") + "\n");
  EXPECT_EQ(message_of(folder / "y.jsonl", {.captions = true}), "");
  EXPECT_THAT(message_of(folder / "y.jsonl", {.answer = true}), HasSubstr("there is no answer"));
}

TEST(Dataset, ACutFileIsNoSet) {
  const testing::TempDir folder;
  write_bytes(folder / "x.json", "[" + row_with_id("1") + ",");
  EXPECT_THAT(message_of(folder / "x.json"), HasSubstr("the file ends in the middle"));
}

}  // namespace
}  // namespace contra4::data
