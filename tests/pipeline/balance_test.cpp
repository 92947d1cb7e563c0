#include "contra4/pipeline/balance.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/json.h"
#include "contra4/scoring/scene_orders.h"
#include "tests/pipeline/filter_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Balance : public ::testing::Test {
 protected:
  BalanceOutcome balance(BalanceOptions options) {
    options.durability = io::Durability::kUnsynced;
    options.when_changed = WhenChanged::kOverwrite;
    Stage stage = open_balance(files, options);
    return run_balance(stage, files, options, {});
  }
  // Rows with any number of scenes, right scenes that are mostly sounds, and
  // replies that name them in every order; what the filters keep.
  void make_filtered(int count) {
    Random random(11);
    std::vector<AnsweredRow> rows;
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> modalities = {"audio", "image", "pc", "video"};
      random.shuffle(modalities);
      modalities.resize(2 + random.below(3));
      const auto n = static_cast<int>(modalities.size());
      auto right = static_cast<int>(random.below(static_cast<std::uint64_t>(n)));
      for (int k = 0; k < n; ++k) {
        const bool is_sound = modalities[static_cast<std::size_t>(k)] == "audio";
        if (is_sound && random.below(10) < 4) right = k;
      }
      io::JsonWriter replies;
      replies.begin_array();
      for (const auto& order : scoring::all_orders(n)) {
        const auto place = std::find(order.begin(), order.end(), right) - order.begin();
        replies.value("Answer: " + scene_name(static_cast<int>(place)));
      }
      rows.push_back({.id = std::to_string(i),
                      .modalities = modalities,
                      .answer = scene_name(right) + ". For it is louder.",
                      .replies = replies.end_array().take()});
    }
    write_answers(files, "a", rows);
    ASSERT_EQ(filter(files, filter_options({"a"})).counts.back().second, count);
  }
  std::map<std::string, Item> items(const std::filesystem::path& path) const {
    std::map<std::string, Item> by_id;
    for (Item& item : data::load_dataset(path, {.answer = true}).items) {
      by_id[item.id.text] = item;
    }
    return by_id;
  }

  TempDir folder;
  StepFiles files{.folder = folder.path()};
};

TEST_F(Balance, KeepsTheRightSceneRightAndEveryReplyTrue) {
  make_filtered(120);
  balance({});
  const auto before = items(filter_stage_output(files));
  const auto after = items(files.balanced());
  ASSERT_EQ(after.size(), before.size());
  int num_moved = 0;
  for (const auto& [id, old_item] : before) {
    const Item& item = after.at(id);
    const Scene& scene = item.scenes[static_cast<std::size_t>(*item.answer)];
    const Scene& old_scene = old_item.scenes[static_cast<std::size_t>(*old_item.answer)];
    EXPECT_EQ(scene.id, old_scene.id);
    EXPECT_EQ(scene.modality, old_scene.modality);
    EXPECT_THAT(item.answer_text, HasSubstr("For it is louder"));
    num_moved += item.answer == old_item.answer ? 0 : 1;
  }
  EXPECT_GT(num_moved, 30);

  // The balanced rows are step 4 rows too: nothing about them may have become
  // untrue.
  const TempDir again;
  const StepFiles second{.folder = again.path()};
  std::filesystem::create_directories(second.answers_of("a").parent_path());
  std::filesystem::copy_file(files.balanced(), second.answers_of("a"));
  EXPECT_EQ(filter(second, filter_options({"a"})).counts.back().second, 120);
  EXPECT_EQ(ids_of(filter_stage_output(second)), ids_of(files.balanced()));
  const auto text = io::read_json_file(files.balanced());
  const auto text_again = io::read_json_file(filter_stage_output(second));
  EXPECT_EQ(sorted_json(text), sorted_json(text_again)) << "readings and answers moved along";
}

TEST_F(Balance, EveryPlaceIsRightEquallyOften) {
  make_filtered(121);
  const auto outcome = balance({});
  const BalanceState& after = outcome.before_and_after.back();
  EXPECT_EQ(after.rows, 121);
  for (std::size_t n = 2; n <= 4; ++n) {
    const auto end = after.positions[n].begin() + static_cast<std::ptrdiff_t>(n);
    const auto [least, most] = std::minmax_element(after.positions[n].begin(), end);
    EXPECT_LE(*most - *least, 1) << n;
    EXPECT_GT(*least, 0);
  }
}

TEST_F(Balance, TheSeedDecidesWhichRowGetsWhichPlace) {
  make_filtered(60);
  balance({.seed = 1});
  const std::string first = io::read_file(files.balanced());
  balance({.seed = 2});
  EXPECT_NE(io::read_file(files.balanced()), first);
  balance({.seed = 1});
  EXPECT_EQ(io::read_file(files.balanced()), first);
}

TEST_F(Balance, ModalitiesTellNothingAfterwardsAndEachDroppedRowIsOnRecord) {
  make_filtered(400);
  const auto outcome = balance({.by_modality = true});
  const BalanceState& before = outcome.before_and_after.front();
  const BalanceState& after = outcome.before_and_after.back();
  EXPECT_GT(before.best_order.accuracy - before.best_order.chance, .1);
  EXPECT_LE(after.best_order.accuracy - after.best_order.chance, .02);
  const auto left = items(files.balanced());
  std::size_t num_dropped = 0;
  for (const std::string& line : lines_of(dropped_path(files.balanced()))) {
    const auto json = io::parse_json(line, "line").value();
    EXPECT_EQ(left.count(*json.find("id")->find_string()), 0U);
    EXPECT_EQ(*json.find("reason")->find_string(), "modality");
    ++num_dropped;
  }
  EXPECT_EQ(num_dropped + left.size(), 400U);
}

// The blind rules of scoring/ see what the step says they see.
TEST_F(Balance, TheBestOrderIsTheOneThatThePriorFits) {
  make_filtered(150);
  const auto outcome = balance({.by_modality = true});
  std::vector<Item> list;
  for (auto& [id, item] : items(files.balanced())) list.push_back(item);
  const auto fit = scoring::ModalityPrior::fit(list);
  const BestOrder& best = outcome.before_and_after.back().best_order;
  EXPECT_DOUBLE_EQ(best.accuracy, static_cast<double>(fit.correct) / fit.total);
  const auto rows = scoring::blind_rows(list, list);
  const auto& blind = outcome.before_and_after.back().blind;
  ASSERT_EQ(blind.size(), rows.size());
  const auto hits = [](const scoring::BlindRow& row) {
    double sum = 0;
    for (const auto& observation : row.observations) sum += observation.hit;
    return sum;
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(blind[i].name, rows[i].name);
    EXPECT_NEAR(hits(blind[i]), hits(rows[i]), 1e-9) << rows[i].name;
  }
}

TEST_F(Balance, RowsThatCannotBeBalancedAreDroppedWithTheirReason) {
  AnsweredRow none{.id = "none", .answer = "It depends"};
  AnsweredRow lone{.id = "lone", .modalities = {"audio"}};
  AnsweredRow fine{.id = "fine"};
  io::write_file_atomically(
      filter_stage_output(files),
      "[" + row_json(none, "a") + ", " + row_json(lone, "a") + ",\n " + row_json(fine, "a") + "]");
  const auto outcome = balance({});
  EXPECT_THAT(ids_of(files.balanced()), ElementsAre("fine"));
  const auto dropped = lines_of(dropped_path(files.balanced()));
  ASSERT_EQ(dropped.size(), 2U);
  EXPECT_THAT(dropped[0], HasSubstr(R"("reason": "no answer")"));
  EXPECT_THAT(dropped[1], HasSubstr(R"("reason": "number of scenes")"));
}

TEST_F(Balance, AnEmptyListStaysOne) {
  io::write_file_atomically(filter_stage_output(files), "[]");
  EXPECT_EQ(balance({}).before_and_after.back().rows, 0);
  EXPECT_EQ(io::read_file(files.balanced()), "[]\n");
}

TEST_F(Balance, NothingIsLeftBehindAfterAStop) {
  make_filtered(20);
  std::stop_source stop;
  stop.request_stop();
  const BalanceOptions options;
  Stage stage = open_balance(files, options);
  const auto outcome = run_balance(stage, files, options, stop.get_token());
  EXPECT_TRUE(outcome.step.is_cancelled);
  EXPECT_FALSE(std::filesystem::exists(files.balanced()));
  EXPECT_FALSE(std::filesystem::exists(manifest_path(files.balanced())));
}

TEST_F(Balance, WrongRowsAndMissingFilesAreNamed) {
  EXPECT_THAT(error_of([&] { balance({}); }).message, HasSubstr("contra4 filter"));
  const std::string row = row_json({.id = "x"}, "a");
  io::write_file_atomically(filter_stage_output(files), "[" + row + "," + row + "]");
  EXPECT_THAT(error_of([&] { balance({}); }).message,
              HasSubstr("row 2 (id x): the id occurred before, in row 1"));
  io::write_file_atomically(filter_stage_output(files), R"([{"id": "y"}])");
  EXPECT_THAT(error_of([&] { balance({}); }).message, HasSubstr("row 1 (id y): there is no"));
}

}  // namespace
}  // namespace contra4::pipeline
