#include "contra4/report/dataset_card.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/yaml.h"
#include "tests/report/dataset_fixtures.h"

namespace contra4::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::make_facts;
using ::testing::Not;
using ::testing::StartsWith;

// The header between the two lines of dashes.
io::JsonValue header_of(const std::string& card) {
  const std::size_t end = card.find("\n---\n", 4);
  EXPECT_THAT(card, StartsWith("---\n"));
  return io::parse_yaml(card.substr(4, end - 3), "README.md").value();
}

TEST(DatasetCard, HeaderIsWhatTheHubReads) {
  DatasetFacts facts = make_facts();
  facts.info.title = "Scenes: \"a\" & <b> # no";
  const io::JsonValue header = header_of(dataset_card(facts));
  EXPECT_EQ(*header.find("pretty_name")->find_string(), facts.info.title);
  EXPECT_EQ(*header.find("license")->find_string(), "other");
  EXPECT_EQ(*header.find("license_name")->find_string(), "as-the-sources");
  EXPECT_EQ(*header.find_path("language", 0)->find_string(), "en");
  EXPECT_EQ(*header.find_path("size_categories", 0)->find_string(), "n<1K");
  EXPECT_EQ(*header.find_path("task_categories", 0)->find_string(), "multiple-choice");
  const io::JsonValue* const file = header.find_path("configs", 0, "data_files", 0);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(*file->find("split")->find_string(), "test");
  EXPECT_EQ(*file->find("path")->find_string(), "test.parquet");
}

TEST(DatasetCard, AKnownLicenceNeedsNoName) {
  DatasetFacts facts = make_facts();
  facts.licence = {.id = "cc-by-4.0", .name = {}, .sentence = "All agree."};
  const io::JsonValue header = header_of(dataset_card(facts));
  EXPECT_EQ(*header.find("license")->find_string(), "cc-by-4.0");
  EXPECT_EQ(header.find("license_name"), nullptr);
}

TEST(DatasetCard, SizesGoByAllSplits) {
  DatasetFacts facts = make_facts();
  facts.splits.push_back(facts.splits.front());
  facts.splits.back().name = "val";
  const std::string card = dataset_card(facts);
  EXPECT_EQ(*header_of(card).find_path("size_categories", 0)->find_string(), "1K<n<10K");
  EXPECT_THAT(card, HasSubstr("| cell | test, questions | val, questions |"));
}

TEST(DatasetCard, HoldsEverySection) {
  const std::string card = dataset_card(make_facts());
  for (const char* const title :
       {"# a-set", "## What it is", "## How it was made", "### verify llama", "## Counts",
        "## Composition", "## Sources and licences", "## Limitations", "## How to load it",
        "## Citation"}) {
    EXPECT_THAT(card, HasSubstr("\n" + std::string(title) + "\n"));
  }
  EXPECT_THAT(card, AllOf(HasSubstr("![Questions left after each step](funnel.svg)"),
                          Not(HasSubstr("nan")), Not(HasSubstr("## Rules that see nothing"))));
  EXPECT_EQ(card, dataset_card(make_facts()));
}

TEST(DatasetCard, WhatTheManifestsWantKnownStandsAboveAllElse) {
  const std::string card = dataset_card(make_facts());
  const std::size_t warning =
      card.find("> **Questions were written by rules; not for publication.**\n");
  ASSERT_NE(warning, std::string::npos);
  EXPECT_LT(warning, card.find("## "));
  EXPECT_NE(card.find("- Questions were written by rules"), std::string::npos);
}

TEST(DatasetCard, CountsStandPerStepAndStrategy) {
  const std::string card = dataset_card(make_facts());
  EXPECT_THAT(card, HasSubstr("| step | count of | random | similarity |"));
  EXPECT_THAT(card, HasSubstr("| sample | captions | 22 | 22 |\n"
                              "|  | tuples | **2,000 (100.0%)** | **2,000 (100.0%)** |"));
  EXPECT_THAT(card, HasSubstr("|  | malformed | 31 | 31 |"));
  EXPECT_THAT(card, HasSubstr("|  | consistent | **500 (25.0%)** | **250 (12.5%)** |"));
  EXPECT_THAT(card, HasSubstr("|  | balanced | \u2013 | **240 (12.0%)** |"));
}

TEST(DatasetCard, SettingsAreGivenOnceWhereStrategiesAgree) {
  DatasetFacts facts = make_facts();
  facts.steps[1].manifests[1] = testing::make_manifest(
      "generate", R"({"writer": {"family": "rules"}, "temperature": 0.5})", {{"questions", 1}});
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card, HasSubstr("| writer.family | `rules` |"));
  EXPECT_THAT(card, HasSubstr("| temperature | `1.05` (random); `0.5` (similarity) |"));
  EXPECT_THAT(card, HasSubstr("| input: tuples | `SHA-256 0123456789ab` |"));
  EXPECT_THAT(card, HasSubstr("| seed | `123` |"));
  EXPECT_THAT(card, Not(HasSubstr("| sources |")));
}

TEST(DatasetCard, LongSettingsAreCutBetweenCharacters) {
  DatasetFacts facts = make_facts();
  std::string words;
  for (int i = 0; i < 200; ++i) words += "\u00e9";
  facts.steps[0].manifests[0].settings =
      io::parse_json(R"({"words": "x)" + words + "\"}", "settings").value();
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card, HasSubstr("\u00e9\u2026`"));
  EXPECT_THAT(card, Not(HasSubstr("\uFFFD")));
}

TEST(DatasetCard, SourcesHaveLicencesAndScenes) {
  DatasetFacts facts = make_facts();
  facts.sources.push_back({.name = "clips", .modality = "video"});
  facts.splits[0].summary.scenes_by_source["clips"] = 3;
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card,
              HasSubstr("| sounds | audio | CC0 1.0 | a.csv, b.csv | media/sounds | 15 | 750 |"));
  EXPECT_THAT(card, HasSubstr("| my_pictures | image | CC BY 4.0 | c\\|d.json |  | 7 | 750 |"));
  EXPECT_THAT(card, HasSubstr("| clips | video | not stated |  |  | \u2013 | 3 |"));
  EXPECT_THAT(card, HasSubstr("The licence of the source `clips` is not stated"));
}

TEST(DatasetCard, RulesThatSeeNothingAreToldWithTheirFit) {
  DatasetFacts facts = make_facts();
  const scoring::Accuracy most{.correct = 400,
                               .total = 740,
                               .accuracy = .54,
                               .stderr_plain = .02,
                               .stderr_shared_media = .02,
                               .ci95_low = .50,
                               .ci95_high = .58};
  scoring::Accuracy half = most;
  half.accuracy = .5;
  facts.splits[0].blind = {{"modality-prior", "audio > image", {{"all", most}}},
                           {"position-prior", "not fitted", {}},
                           {"chance", "", {{"all", half}}}};
  facts.splits[0].fitted_on = "val";
  EXPECT_THAT(dataset_card(facts),
              AllOf(HasSubstr("| `modality-prior` | 54.0 | 50.0\u201358.0 |"),
                    HasSubstr("audio &gt; image"), HasSubstr("The two priors are fitted on `val`."),
                    HasSubstr("The rule `modality-prior` gets 54.0% of the questions right "
                              "without seeing anything; guessing gets 50.0%.")));
  facts.splits[0].is_fitted_on_itself = true;
  EXPECT_THAT(dataset_card(facts), HasSubstr("fitted on the very questions that they are scored"));
}

TEST(DatasetCard, TextOfOthersIsNoMarkup) {
  DatasetFacts facts = make_facts();
  facts.info.title = "<img src=x> *t*";
  facts.steps[0].strategy = "ran|dom";
  facts.notes = {"a <b> | c"};
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card, HasSubstr("\n# &lt;img src=x&gt; \\*t\\*\n"));
  EXPECT_THAT(card, HasSubstr("ran\\|dom"));
  EXPECT_THAT(card, HasSubstr("> **A &lt;b&gt; \\| c.**"));
  EXPECT_THAT(card, HasSubstr("Emotions &amp; &lt;Sensory&gt;"));
  EXPECT_THAT(card, HasSubstr("````json\n"));  // the example has three backticks in it
}

TEST(DatasetCard, WordsOfTheMakerAreKept) {
  DatasetFacts facts = make_facts();
  facts.info.description = "Our *own* words.";
  facts.info.citation = "@misc{x, title={A}}";
  facts.info.homepage = "https://example.org/a?b=1&c=2";
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card, HasSubstr("\nOur *own* words.\n"));
  EXPECT_THAT(card, HasSubstr("```bibtex\n@misc{x, title={A}}\n```"));
  EXPECT_THAT(card, HasSubstr("panagopoulou2025contra4"));
  EXPECT_THAT(card, HasSubstr("<https://example.org/a?b=1&amp;c=2>"));
}

TEST(DatasetCard, ASetOfUnknownMakingHasNoSteps) {
  DatasetFacts facts = make_facts();
  facts.steps.clear();
  facts.notes.clear();
  facts.sources.clear();
  const std::string card = dataset_card(facts);
  EXPECT_THAT(card, AllOf(Not(HasSubstr("## How it was made")), Not(HasSubstr("funnel.svg")),
                          Not(HasSubstr("> **")), HasSubstr("## Composition")));
}

}  // namespace
}  // namespace contra4::report
