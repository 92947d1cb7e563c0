#include "contra4/pipeline/asked_items.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/pipeline/verify_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::TempDir;

TEST(AskedItems, GiveBackWhatTheFileSays) {
  const TempDir folder;
  auto items = testing::make_items(7);
  // Two of them fill more than a block.
  items[4].question = std::string(3 << 20, 'q');
  items[5].question = std::string(3 << 20, 'r');
  testing::write_questions(folder / "q.json", items);
  const AskedItems asked = AskedItems::load(folder / "q.json", {});
  ASSERT_EQ(asked.size(), items.size());
  const auto by_id = asked.by_id();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const AskedItem item = asked.at(i);
    EXPECT_EQ(item.id, items[i].id.text);
    EXPECT_EQ(asked.id(i), items[i].id.text);
    EXPECT_EQ(by_id.at(items[i].id.text), i);
    EXPECT_EQ(item.question, items[i].question);
    EXPECT_EQ(asked.answer(i), items[i].answer);
    ASSERT_EQ(item.scenes().size(), items[i].scenes.size());
    for (std::size_t k = 0; k < items[i].scenes.size(); ++k) {
      EXPECT_EQ(item.scenes()[k].modality, items[i].scenes[k].modality);
      EXPECT_EQ(item.scenes()[k].source, items[i].scenes[k].source);
      EXPECT_EQ(item.scenes()[k].id, items[i].scenes[k].id.text);
      EXPECT_EQ(item.scenes()[k].has_integer_id, items[i].scenes[k].id.is_integer);
      EXPECT_EQ(item.scenes()[k].caption, items[i].scenes[k].caption());
    }
  }
}

TEST(AskedItems, OfAShardAreItsRange) {
  const TempDir folder;
  testing::write_questions(folder / "q.json", testing::make_items(7));
  const AskedItems part = AskedItems::load(folder / "q.json", {.index = 2, .count = 3});
  EXPECT_EQ(part.size(), part.rows().second - part.rows().first);
  EXPECT_EQ(part.id(0), "random_" + std::to_string(part.rows().first));
  const AskedItems whole = AskedItems::load(folder / "q.json", {});
  EXPECT_EQ(part.id_hash(0), whole.id_hash(part.rows().first));
}

}  // namespace
}  // namespace contra4::pipeline
