#include "contra4/scoring/blind_rules.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

const std::vector<SceneView> kThree = {{Modality::kVideo, "short"},
                                       {Modality::kImage, "\xc3\xa9\xc3\xa9\xc3\xa9"},
                                       {Modality::kImage, "long caption"}};

TEST(ModalityPrior, TakesTheFirstOfTheBestModality) {
  const ModalityPrior prior(
      {Modality::kAudio, Modality::kImage, Modality::kVideo, Modality::kPointCloud});
  EXPECT_EQ(prior.choose(kThree, 0), 1);
  EXPECT_EQ(prior.choose({}, 0), std::nullopt);
  EXPECT_EQ(prior.note(), "audio > image > video > pc");
  EXPECT_EQ(prior.description_json(),
            R"({"rule": "modality-prior", "fitted": "audio > image > video > pc"})");
}

TEST(ModalityPrior, FitsTheBestOrderAndTheFirstOfEquals) {
  const std::vector<Item> items = {
      make_item("1", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}}, 1),
      make_item("2", {{Modality::kVideo, "a"}, {Modality::kImage, "c"}}, 0)};
  const ModalityPrior::Fit fit = ModalityPrior::fit(items);
  EXPECT_EQ(fit.correct, 2);
  EXPECT_EQ(fit.total, 2);
  EXPECT_EQ(ModalityPrior(fit.order).note(), "pc > video > audio > image");
}

TEST(PositionPrior, FitsTheMostFrequentPlacePerNumberOfScenes) {
  std::vector<Item> items;
  for (const int answer : {1, 0, 1}) {
    items.push_back(make_item("x", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}}, answer));
  }
  items.push_back(make_item(
      "y", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}, {Modality::kImage, "c"}}, 2));
  const PositionPrior prior = PositionPrior::fit(items);
  EXPECT_EQ(prior.choose(std::span(kThree).first(2), 0), 1);
  EXPECT_EQ(prior.choose(kThree, 0), 2);
  EXPECT_EQ(prior.note(), "B of 2, C of 3");
  // Of four scenes nothing was seen: as for three. Below the smallest seen: the first.
  const std::vector<SceneView> four(4);
  EXPECT_EQ(prior.choose(four, 0), 2);
  EXPECT_EQ(prior.choose(std::span(four).first(1), 0), 0);
}

TEST(LongestCaption, CountsCharactersNotBytes) {
  const LongestCaption rule;
  EXPECT_EQ(rule.choose(kThree, 0), 2);
  EXPECT_EQ(rule.choose(std::span(kThree).first(2), 0), 0);  // 5 characters against 3 of 6 bytes
  const std::vector<SceneView> equal(3);
  EXPECT_EQ(rule.choose(equal, 0), 0);
  EXPECT_TRUE(rule.needs_captions());
}

TEST(AlwaysPlace, HasNoAnswerBeyondTheScenesShown) {
  EXPECT_EQ(AlwaysPlace(2).choose(kThree, 0), 2);
  EXPECT_EQ(AlwaysPlace(3).choose(kThree, 0), std::nullopt);
  EXPECT_EQ(AlwaysPlace(3).expected_hit(kThree, 2), 0);
  EXPECT_EQ(AlwaysPlace(3).description_json(), R"({"rule": "always-D"})");
}

TEST(Chance, DrawsBySeedAndExpectsOneOverTheScenes) {
  const Chance chance;
  EXPECT_DOUBLE_EQ(chance.expected_hit(kThree, 0), 1.0 / 3);
  std::vector<int> counts(3);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    EXPECT_EQ(chance.choose(kThree, seed), chance.choose(kThree, seed));
    ++counts[static_cast<std::size_t>(*chance.choose(kThree, seed))];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);
}

TEST(BlindRules, AreMadeByName) {
  const std::vector<Item> fit = {
      make_item("1", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}}, 1)};
  for (const std::string& name : blind_rule_names()) {
    const auto rule = make_blind_rule(name, fit);
    const auto parsed = io::parse_json(rule->description_json(), "description").value();
    EXPECT_EQ(*parsed.find("rule")->find_string(), name);
  }
}

void expect_invalid(std::string_view name, const std::string& message) {
  try {
    make_blind_rule(name, {});
    FAIL() << name;
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(exception.what()).find(message), std::string::npos) << exception.what();
  }
}

TEST(BlindRules, RefuseUnknownNamesAndFitsOnNothing) {
  expect_invalid("always-E", "no rule 'always-E'");
  expect_invalid("always-", "no rule");
  expect_invalid("chanse", "did you mean 'chance'?");
  expect_invalid("modality-prior", "--fit");
  expect_invalid("position-prior", "--fit");
}

TEST(BlindRows, SayWhatIsNotAvailable) {
  std::vector<Item> items = {make_item("1", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}}, 1),
                             make_item("2", {{Modality::kAudio, "a"}, {Modality::kVideo, "b"}}, 1)};
  items[1].answer.reset();
  items[0].scenes[0].captions.clear();
  for (const BlindRow& row : blind_rows(items, {})) {
    if (is_fitted_rule(row.name)) {
      EXPECT_FALSE(row.is_available);
      EXPECT_EQ(row.note, "not fitted");
    } else if (row.name == "longest-caption") {
      EXPECT_FALSE(row.is_available);
      EXPECT_EQ(row.note, "no captions");
    } else {
      EXPECT_TRUE(row.is_available);
      ASSERT_EQ(row.observations.size(), 1U) << "only labelled items count";
    }
  }
}

TEST(BlindRulesGolden, ReachTheirKnownScoresOnTheReleasedSets) {
  CONTRA4_REQUIRE_SHARED();
  const ModalityPrior::Fit fit = ModalityPrior::fit(released_val().items);
  EXPECT_EQ(ModalityPrior(fit.order).note(), "audio > image > video > pc");
  EXPECT_EQ(fit.correct, 1463);
  EXPECT_EQ(fit.total, 3000);

  const auto& items = released_test().items;
  const SharedMedia media(items);
  const auto rows = blind_rows(items, released_val().items);
  const auto score = [&](std::string_view name) {
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const BlindRow& r) { return r.name == name; });
    return compute_accuracy(row->observations, media);
  };
  const Accuracy prior = score("modality-prior");
  EXPECT_EQ(prior.correct, 1299);
  EXPECT_EQ(prior.total, 2335);
  EXPECT_NEAR(prior.stderr_plain, .0103, .00005);
  EXPECT_NEAR(prior.stderr_shared_media, .0109, .00005);
  EXPECT_EQ(score("longest-caption").correct, 1181);
  EXPECT_EQ(score("always-A").correct, 880);
  EXPECT_EQ(score("always-B").correct, 786);
  EXPECT_EQ(score("always-C").correct, 485);
  EXPECT_EQ(score("always-D").correct, 184);
  EXPECT_NEAR(score("chance").accuracy, .3654, .00005);
}

}  // namespace
}  // namespace contra4::scoring
