#include "contra4/report/funnel.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/dataset_fixtures.h"

namespace contra4::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_facts;
using testing::make_manifest;
using testing::make_steps;
using ::testing::Not;

std::vector<Funnel> make_funnels() {
  std::vector<Funnel> funnels;
  for (const StrategySteps& steps : make_facts().steps) funnels.push_back(funnel_of(steps));
  return funnels;
}

TEST(Funnel, TakesTheLastCountOfEachStep) {
  const Funnel funnel = funnel_of(make_steps("random", 500));
  ASSERT_EQ(funnel.steps.size(), 4U);
  EXPECT_EQ(funnel.steps[0].name, "sample");
  EXPECT_EQ(funnel.steps[0].count, 2000);
  EXPECT_EQ(funnel.steps[1].count, 1969);
  EXPECT_EQ(count_after(funnel, "verify phi"), 500);
  EXPECT_EQ(count_after(funnel, "filter"), std::nullopt);
}

TEST(Funnel, StepsWithoutCountsAreLeftOut) {
  const Funnel funnel = funnel_of({"random", {make_manifest("sample", "{}", {})}});
  EXPECT_TRUE(funnel.steps.empty());
}

TEST(Funnel, StepsOfAllStrategiesKeepTheirOrder) {
  EXPECT_THAT(step_names(make_funnels()),
              ElementsAre("sample", "generate", "verify llama", "verify phi", "balance"));
  const std::vector<Funnel> apart = {{"a", {{"x", 1}, {"z", 1}}},
                                     {"b", {{"x", 1}, {"y", 1}, {"z", 1}}}};
  EXPECT_THAT(step_names(apart), ElementsAre("x", "y", "z"));
}

TEST(Funnel, SharesAreOfTheFirstStep) {
  const Funnel funnel{"a", {{"x", 2000}, {"y", 500}}};
  EXPECT_EQ(count_and_share(funnel, 500), "500 (25.0%)");
  EXPECT_EQ(count_and_share({"a", {{"x", 0}}}, 0), "0");
  EXPECT_EQ(count_and_share({}, 1234), "1,234");
}

TEST(FunnelSvg, SaysItInWordsForWhoCannotSeeIt) {
  const std::string svg = funnel_svg("A set", make_funnels());
  EXPECT_THAT(svg, HasSubstr("role=\"img\""));
  EXPECT_THAT(svg, HasSubstr("<title id=\"funnel-title\">A set: questions left"));
  EXPECT_THAT(svg, HasSubstr("random: 2,000 after sample, 1,969 after generate"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(svg, HasSubstr("500<tspan class=\"faint\"> (25.0%)"));
  EXPECT_EQ(svg, funnel_svg("A set", make_funnels()));
}

TEST(FunnelSvg, StepsThatAStrategyLacksHaveADash) {
  EXPECT_THAT(funnel_svg("A set", make_funnels()), HasSubstr(">\u2013</text>"));
}

TEST(FunnelSvg, NamesCannotBreakIt) {
  const std::vector<Funnel> funnels = {
      {"</svg><script>", {{"a & \"b\" <c>", 3}, {std::string(300, 'x'), 2}, {"\xFF\x1b", 1}}}};
  const std::string svg = funnel_svg("<t> & co\nmore", funnels);
  EXPECT_THAT(svg, HasSubstr("&lt;t&gt; &amp; co"));
  EXPECT_THAT(svg, HasSubstr("&lt;/svg&gt;&lt;script&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("\x1b")));
  EXPECT_EQ(svg.find("</svg>"), svg.size() - 7);
}

TEST(FunnelSvg, NothingAndZeroAndGrowthAreDrawn) {
  EXPECT_THAT(funnel_svg("none", {}), HasSubstr("</svg>"));
  const std::vector<Funnel> funnels = {
      {"a", {{"x", 0}, {"y", 0}}}, {"b", {{"x", 10}, {"y", 25}}}, {"empty", {}}};
  const std::string svg = funnel_svg("odd", funnels);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("width=\"-")));
  EXPECT_THAT(svg, HasSubstr("25<tspan class=\"faint\"> (250.0%)"));
  EXPECT_THAT(svg, Not(HasSubstr("width=\"575")));  // 2.5 times the track
}

}  // namespace
}  // namespace contra4::report
