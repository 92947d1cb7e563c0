#include "contra4/pipeline/taxonomy.h"

#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::string found(std::string_view reply) {
  const Taxonomy taxonomy = default_taxonomy();
  const auto index = find_category(taxonomy, reply);
  return index ? taxonomy.categories[*index].name : "none";
}

TEST(Taxonomy, TheDefaultHasNineNamesWithDescriptionsAndExamples) {
  const Taxonomy taxonomy = default_taxonomy();
  ASSERT_EQ(taxonomy.categories.size(), 9U);
  for (const Category& category : taxonomy.categories) {
    EXPECT_FALSE(category.description.empty()) << category.name;
    EXPECT_GE(category.examples.size(), 5U) << category.name;
    EXPECT_EQ(found(category.name), category.name);
  }
}

TEST(Taxonomy, TheDefaultNamesAreThoseOfTheReleasedSet) {
  CONTRA4_REQUIRE_SHARED();
  std::set<std::string> released;
  std::set<std::string> questions;
  for (const Item& item :
       data::load_dataset(testing::shared_dir() / "contra4" / "release" / "test.json").items) {
    released.insert(item.category);
    questions.insert(item.question);
  }
  std::set<std::string> ours;
  for (const Category& category : default_taxonomy().categories) ours.insert(category.name);
  EXPECT_EQ(ours, released);
}

TEST(FindCategory, TakesTheNameInAnyForm) {
  const std::string name = "Objects, Tools & Technology";
  for (const char* reply :
       {"Objects, Tools & Technology", "objects, tools and technology",
        "**Objects/Tools/Technology**",
        "\n  Category: Objects, Tools & Technology.\nBecause it names a saw.", "4", "4.", "4)",
        "4. Objects, Tools & Technology", "Objects, Tools & Technology, since a saw is a tool",
        "It belongs to Objects, Tools & Technology.", "Object, Tools & Technology",
        R"({"answer": "Objects, Tools & Technology"})",
        "```json\n{\"answer\": \"Objects, Tools & Technology\"}\n```"}) {
    EXPECT_EQ(found(reply), name) << reply;
  }
  EXPECT_EQ(found("Emotions & Sensory Experiences"), "Emotions & Sentory Experiences");
  EXPECT_EQ(found("Other"), "Other");
  EXPECT_EQ(found("other."), "Other");
}

TEST(FindCategory, OtherRepliesNameNone) {
  for (const char* reply :
       {"", "\n\n", "Sports", "Objects", "0", "10", "4711", "Either Audio, Sound & Music or Other",
        "Motion & Physical Activity / Audio, Sound & Music and more, as in the scene"}) {
    if (std::string(reply).starts_with("Motion")) {
      EXPECT_EQ(found(reply), "Motion & Physical Activity");  // the one it begins with
    } else {
      EXPECT_EQ(found(reply), "none") << reply;
    }
  }
  EXPECT_EQ(found(R"({"answer": 3})"), "none");
  EXPECT_EQ(found("{\"answer\": \"Sports\"}"), "none");
  EXPECT_EQ(found("another"), "none");
}

TEST(FindCategory, PrefersTheLongerNameAtTheBeginning) {
  const Taxonomy taxonomy{{{.name = "Sound", .description = {}, .examples = {}},
                           {.name = "Sound and Music", .description = {}, .examples = {}}}};
  EXPECT_EQ(find_category(taxonomy, "Sound"), 0U);
  EXPECT_EQ(find_category(taxonomy, "sound & music!"), 1U);
  EXPECT_EQ(find_category(taxonomy, "Sound & Music, I think"), 1U);
}

TEST(FreeCategory, IsTheFirstLine) {
  EXPECT_EQ(free_category("Category: sound and loudness.\nQuestion: more"), "sound and loudness");
  EXPECT_EQ(free_category("\n \"Vehicles\"\n"), "Vehicles");
  EXPECT_EQ(free_category("category:  **Größe**"), "Größe");
  EXPECT_EQ(free_category(""), "");
  EXPECT_EQ(free_category(" ...\n"), "");
  EXPECT_EQ(free_category(std::string(200, 'x')), "");
}

TEST(ParseTaxonomy, ReadsAFileOfTheUsers) {
  const testing::TempDir folder;
  std::ofstream(folder / "t.yaml") << "categories:\n  - name: Sport\n    examples: ['Which scene "
                                      "shows a goal?']\n  - name: Rest\n";
  const Taxonomy taxonomy = read_taxonomy(folder / "t.yaml");
  ASSERT_EQ(taxonomy.categories.size(), 2U);
  EXPECT_EQ(taxonomy.categories[0].examples[0], "Which scene shows a goal?");
  EXPECT_NE(to_json(taxonomy), to_json(default_taxonomy()));
  EXPECT_EQ(error_of([&] { read_taxonomy(folder / "none.yaml"); }).code, ErrorCode::kNotFound);
}

TEST(ParseTaxonomy, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"[a, b]", "expected one member"},
      {"categories: x", "with a list"},
      {"categories: []", "two categories or more"},
      {"categories: [{name: A}]", "two categories or more"},
      {"categories: [{name: A}, {name: a.}]", "two categories are named 'a.'"},
      {"categories: [{name: A}, {description: x}]", "category 2: it has no name"},
      {"categories: [A, B]", "category 1: expected name"},
      {"categories: [{name: A, example: x}, {name: B}]", "unknown member 'example'"},
      {"categories: [{name: A, examples: [1]}, {name: B}]", "quote it"},
      {"categories: [{name: 3}, {name: B}]", "'name' is no text"},
      {"categories: [{name: A}, {name: B}]\nrest: A", "expected one member"},
      {"categories: [", "t.yaml"},
  };
  for (const auto& [text, words] : cases) {
    const auto taxonomy = parse_taxonomy(text, "t.yaml");
    ASSERT_FALSE(taxonomy) << text;
    EXPECT_THAT(taxonomy.error().message, HasSubstr(words)) << text;
  }
}

}  // namespace
}  // namespace contra4::pipeline
