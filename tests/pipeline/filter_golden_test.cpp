// What filter and balance make of the published kind of input, beside what the published scripts
// do.
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/json.h"
#include "contra4/pipeline/balance.h"
#include "contra4/pipeline/filter.h"
#include "tests/pipeline/filter_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::TempDir;

class FilterGolden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (contra4::testing::shared_dir().empty()) return;
    files.strategy = GetParam();
    copy_golden_answers(files);
    filter(files, filter_options({"llama", "mistral", "phi"}, true));
  }
  BalanceOutcome balance(BalanceOptions options) const {
    options.durability = io::Durability::kUnsynced;
    options.when_changed = WhenChanged::kOverwrite;
    Stage stage = open_balance(files, options);
    return run_balance(stage, files, options, {});
  }

  TempDir folder;
  StepFiles files{.folder = folder.path()};
};

TEST_P(FilterGolden, KeepsWhatThePublishedScriptKeeps) {
  CONTRA4_REQUIRE_SHARED();
  const auto goldens = contra4::testing::shared_dir() / "goldens" / "generation" / "filters";
  std::size_t num_compared = 0;
  for (const std::string& name : filter_names({"llama", "mistral", "phi"})) {
    const auto path = files.filtered(name);
    const auto golden = goldens / (step_name(path) + ".ids.json.gz");
    const auto wanted = io::parse_json(contra4::testing::read_gz(golden), "golden").value();
    std::vector<std::string> ids;
    for (const auto& id : *wanted.find_array()) ids.push_back(*id.find_string());
    EXPECT_EQ(ids_of(path), ids) << name;
    ++num_compared;
  }
  EXPECT_EQ(num_compared, 11U);

  // Every dropped id once, and none that was kept.
  std::set<std::string> ids;
  for (const std::string& id : ids_of(filter_stage_output(files))) ids.insert(id);
  const std::size_t num_kept = ids.size();
  const auto dropped_lines = lines_of(dropped_path(filter_stage_output(files)));
  for (const std::string& line : dropped_lines) {
    ids.insert(*io::parse_json(line, "line").value().find("id")->find_string());
  }
  EXPECT_EQ(ids.size(), num_kept + dropped_lines.size());
}

TEST_P(FilterGolden, BalanceWritesWhatThePublishedScriptsWrite) {
  CONTRA4_REQUIRE_SHARED();
  balance({.compat = true});
  const auto golden = contra4::testing::shared_dir() / "goldens" / "generation" / "balanced" /
                      (step_name(files.balanced()) + ".json.gz");
  const auto wanted = io::parse_json(contra4::testing::read_gz(golden), "golden").value();
  const auto got = io::read_json_file(files.balanced());
  ASSERT_EQ(got.find_array()->size(), wanted.find_array()->size());
  for (std::size_t i = 0; i < got.find_array()->size(); ++i) {
    ASSERT_EQ(sorted_json(got.find_array()->at(i)), sorted_json(wanted.find_array()->at(i))) << i;
  }
}

TEST_P(FilterGolden, EvenModalitiesKeepThreeRowsOfFive) {
  CONTRA4_REQUIRE_SHARED();
  const auto outcome = balance({.by_modality = true});
  std::vector<Item> list;
  for (const Item& item : data::load_dataset(files.balanced(), {.answer = true}).items) {
    list.push_back(item);
  }
  double chance = 0;
  for (const Item& item : list) chance += 1.0 / item.num_scenes();
  const auto fit = scoring::ModalityPrior::fit(list);
  EXPECT_LE(static_cast<double>(fit.correct) / fit.total - chance / fit.total, .02);
  const auto& before = outcome.before_and_after.front();
  EXPECT_GE(static_cast<double>(list.size()), .6 * static_cast<double>(before.rows));
  EXPECT_EQ(lines_of(dropped_path(files.balanced())).size() + list.size(),
            static_cast<std::size_t>(outcome.step.counts.front().second));
}

INSTANTIATE_TEST_SUITE_P(Strategies, FilterGolden, ::testing::Values("random", "similarity"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace contra4::pipeline
