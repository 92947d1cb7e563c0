#include "contra4/report/dataset_facts.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/io/file.h"
#include "contra4/io/yaml.h"
#include "tests/report/dataset_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::report {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_facts;
using testing::make_manifest;
using testing::make_steps;

DatasetInfo parse(const std::string& yaml) {
  return parse_dataset_info(io::parse_yaml(yaml, "c.yaml").value(), "c.yaml: dataset");
}

TEST(DatasetInfo, IsReadFromAConfiguration) {
  const DatasetInfo info = parse(
      "name: my-set\ntitle: 'My & set'\nlanguage: de\nlicense: cc-by-4.0\n"
      "creators: [Ann, Bob]\nversion: '2.1.0'\n");
  EXPECT_EQ(info.name, "my-set");
  EXPECT_EQ(info.title, "My & set");
  EXPECT_THAT(info.languages, ElementsAre("de"));
  EXPECT_EQ(info.licence, "cc-by-4.0");
  EXPECT_THAT(info.creators, ElementsAre("Ann", "Bob"));
  EXPECT_EQ(info.data_version, "2.1.0");
}

TEST(DatasetInfo, UnknownMembersNameTheNearest) {
  const Error error = contra4::testing::error_of([] { parse("titel: x\n"); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("c.yaml: dataset"), HasSubstr("'titel'"),
                                   HasSubstr("did you mean 'title'")));
}

TEST(DatasetInfo, WrongTypesNamesAndVersionsAreRefused) {
  for (const char* const yaml :
       {"title: [a]\n", "creators: [1]\n", "version: 1.5\n", "data_version: '1.0'\n",
        "data_version: '1..0'\n", "name: 'a/b'\n", "name: ''\n", "name: .hidden\n",
        "name: 'with space'\n", "- a\n"}) {
    EXPECT_EQ(contra4::testing::error_of([&] { parse(yaml); }).code, ErrorCode::kInvalidArgument)
        << yaml;
  }
  EXPECT_THAT(contra4::testing::error_of([] { parse("name: 'a/b'\n"); }).message,
              HasSubstr("'a/b'"));
}

TEST(DatasetSources, FilesOfOneSourceArePutTogetherOnceForAllStrategies) {
  const std::vector<DatasetSource> sources = make_facts().sources;
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].name, "sounds");
  EXPECT_EQ(sources[0].entries, 15);
  EXPECT_THAT(sources[0].files, ElementsAre("a.csv", "b.csv"));
  EXPECT_EQ(sources[0].licence, "CC0 1.0");
  EXPECT_EQ(sources[0].media, "media/sounds");
  EXPECT_EQ(sources[1].modality, "image");
}

TEST(DatasetSources, SettingsOfAnotherShapeAreLeftOut) {
  const StrategySteps steps{
      "random",
      {make_manifest("sample", R"({"sources": {"a": 1}})", {}),
       make_manifest("sample", R"({"sources": [1, {"modality": "audio"}, {"name": "x"}]})", {}),
       make_manifest("sample", "[]", {})}};
  const auto sources = sources_of({&steps, 1});
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].name, "x");
  EXPECT_EQ(sources[0].licence, "");
}

TEST(DatasetNotes, EachSentenceOccursOnce) {
  EXPECT_THAT(make_facts().notes,
              ElementsAre("questions were written by rules; not for publication"));
}

DatasetLicence licence(const std::string& of_questions, const std::vector<std::string>& stated) {
  DatasetInfo info;
  info.licence = of_questions;
  std::vector<DatasetSource> sources;
  for (const std::string& text : stated) {
    sources.push_back({.name = "s" + std::to_string(sources.size()), .licence = text});
  }
  return licence_of(info, sources);
}

TEST(DatasetLicence, IsThatOfTheSourcesWhenAllAgree) {
  EXPECT_EQ(licence("", {"CC BY 4.0", "cc-by-4.0"}).id, "cc-by-4.0");
  EXPECT_EQ(licence("", {"CC BY 4.0", "MIT"}).id, "other");
  EXPECT_EQ(licence("", {"CC BY 4.0", ""}).id, "other");
  EXPECT_EQ(licence("", {}).id, "unknown");
  EXPECT_EQ(licence("", {"", ""}).id, "unknown");
}

TEST(DatasetLicence, OfTheQuestionsHoldsWhereSourcesAllowIt) {
  EXPECT_EQ(licence("CC BY 4.0", {}).id, "cc-by-4.0");
  EXPECT_EQ(licence("CC BY 4.0", {"CC0", "CC BY 4.0"}).id, "cc-by-4.0");
  const DatasetLicence mixed = licence("CC0 1.0", {"CC BY 4.0"});
  EXPECT_EQ(mixed.id, "other");
  EXPECT_EQ(mixed.name, "cc0-1.0-and-as-the-sources");
  EXPECT_EQ(licence("MIT", {"", "MIT"}).id, "other");
}

TEST(DatasetLicence, UnknownOnesKeepTheirNameInSmallLetters) {
  const DatasetLicence own = licence("Our Lab: Terms (v2)", {});
  EXPECT_EQ(own.id, "other");
  EXPECT_EQ(own.name, "our-lab-terms-v2");
}

TEST(StepLabels, TellRepeatedStepsApart) {
  EXPECT_THAT(step_labels(make_steps("random", 1)),
              ElementsAre("sample", "generate", "verify llama", "verify phi"));
  const StrategySteps halves{
      "random",
      {make_manifest("generate", R"({"model": "m"})", {{"tuples", 3}, {"questions", 2}}),
       make_manifest("generate", R"({"model": "m"})", {{"questions", 2}, {"answered", 1}})}};
  EXPECT_THAT(step_labels(halves), ElementsAre("generate: questions", "generate: answered"));
  const StrategySteps nameless{
      "random", {make_manifest("verify", "{}", {}), make_manifest("verify", "{}", {})}};
  EXPECT_THAT(step_labels(nameless), ElementsAre("verify", "verify (2)"));
}

TEST(DatasetFacts, DescribeThemselvesByWhatOccurs) {
  const DatasetFacts facts = make_facts();
  EXPECT_THAT(plain_description(facts), HasSubstr("(sounds and pictures)"));
  EXPECT_THAT(tags_of(facts),
              ElementsAre("contrastive-reasoning", "cross-modal", "multimodal", "audio", "image"));
  EXPECT_EQ(facts.title(), "a-set");
  EXPECT_EQ(facts.num_items(), 740U);
  EXPECT_EQ(facts.scenes_of("sounds"), 750U);
  EXPECT_EQ(facts.scenes_of("elsewhere"), 0U);
  EXPECT_NE(plain_description(DatasetFacts()), "");
}

TEST(DescribeFile, GivesSizeAndHash) {
  const contra4::testing::TempDir dir;
  io::write_file_atomically(dir / "a.json", "abc");
  const DatasetFile file = describe_file(dir / "a.json");
  EXPECT_EQ(file.name, "a.json");
  EXPECT_EQ(file.bytes, 3U);
  EXPECT_EQ(file.sha256, sha256_hex("abc"));
}

Item make_item(Modality first, Modality second, int answer) {
  Item item;
  item.selection_type = "random";
  item.q_type = "mc_2";
  for (const Modality modality : {first, second}) {
    Scene& scene = item.scenes.emplace_back();
    scene.modality = modality;
    scene.source = "s";
    scene.id.text = std::to_string(item.scenes.size());
    scene.captions = {"a caption"};
  }
  item.answer = answer;
  return item;
}

TEST(BlindFigures, ShowAShortcut) {
  const std::vector<Item> items = {make_item(Modality::kAudio, Modality::kImage, 0),
                                   make_item(Modality::kImage, Modality::kAudio, 1),
                                   make_item(Modality::kAudio, Modality::kVideo, 0)};
  const std::vector<BlindFigure> figures = blind_figures(items, items);
  ASSERT_FALSE(figures.empty());
  EXPECT_EQ(figures[0].rule, "modality-prior");
  EXPECT_EQ(figures[0].cells.front().name, "all");
  EXPECT_EQ(figures[0].cells.front().accuracy.accuracy, 1);
  const std::vector<BlindFigure> unfitted = blind_figures(items, {});
  EXPECT_TRUE(unfitted[0].cells.empty());
  EXPECT_EQ(unfitted[0].note, "not fitted");
}

}  // namespace
}  // namespace contra4::report
