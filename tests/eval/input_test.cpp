#include "contra4/eval/input.h"

#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using ::testing::HasSubstr;

TEST(Input, KindsHaveNamesWithEitherDash) {
  for (const auto kind :
       {InputKind::kMedia, InputKind::kOracleCaptions, InputKind::kPredictedCaptions,
        InputKind::kRandomCaptions, InputKind::kNone}) {
    EXPECT_EQ(parse_input_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(parse_input_kind("oracle_captions"), InputKind::kOracleCaptions);
  EXPECT_FALSE(parse_input_kind("captions"));
}

TEST(Input, FitsWhatTheModelNeeds) {
  EXPECT_EQ(default_input(InputNeed::kCaptions), InputKind::kOracleCaptions);
  EXPECT_EQ(default_input(InputNeed::kEither), InputKind::kMedia);
  EXPECT_EQ(default_input(InputNeed::kNothing), InputKind::kNone);
  EXPECT_NO_THROW(check_input(InputNeed::kEither, InputKind::kMedia));
  EXPECT_NO_THROW(check_input(InputNeed::kCaptions, InputKind::kRandomCaptions));
  EXPECT_NO_THROW(check_input(InputNeed::kMedia, InputKind::kNone));
  EXPECT_NO_THROW(check_input(InputNeed::kNothing, InputKind::kOracleCaptions));
  EXPECT_THROW(check_input(InputNeed::kCaptions, InputKind::kMedia), Exception);
  EXPECT_THROW(check_input(InputNeed::kCaptions, InputKind::kNone), Exception);
  EXPECT_THROW(check_input(InputNeed::kMedia, InputKind::kPredictedCaptions), Exception);
}

TEST(Input, GoldCaptionsStandInTheOrderOfTheFile) {
  const auto dataset = testing::make_dataset(3);
  const auto shown = show_gold_captions()->scenes_of(dataset.items[2]).value();
  ASSERT_EQ(shown.size(), 4U);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    EXPECT_EQ(shown[i].caption, dataset.items[2].scenes[i].caption());
    EXPECT_EQ(shown[i].modality, dataset.items[2].scenes[i].modality);
    EXPECT_EQ(shown[i].id.text, dataset.items[2].scenes[i].id.text);
    EXPECT_TRUE(shown[i].media.empty());
  }
}

TEST(Input, ItemWithoutACaptionCannotBeShown) {
  auto dataset = testing::make_dataset(1);
  dataset.items[0].scenes[1].captions.clear();
  const auto shown = show_gold_captions()->scenes_of(dataset.items[0]);
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(shown.error().message, HasSubstr("item 'item_0', Scene B (pc pc_src 'm0_1')"));
}

TEST(Input, PredictedCaptionsComeFromTheTable) {
  const auto dataset = testing::make_dataset(2);
  data::CaptionTable table;
  for (const Scene& scene : dataset.items[0].scenes) table.add(scene.source, scene.id, "predicted");
  table.add(dataset.items[1].scenes[0].source, dataset.items[1].scenes[0].id, "predicted");
  const auto source = show_predicted_captions(std::move(table));
  EXPECT_EQ(source->scenes_of(dataset.items[0]).value()[1].caption, "predicted");
  EXPECT_EQ(source->scenes_of(dataset.items[1]).error().code, ErrorCode::kNotFound);
}

TEST(Input, NothingIsShownButTheKindOfScene) {
  const auto dataset = testing::make_dataset(1);
  const auto shown = show_nothing()->scenes_of(dataset.items[0]).value();
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_TRUE(shown[0].caption.empty());
  EXPECT_TRUE(shown[0].media.empty());
  EXPECT_EQ(shown[1].modality, dataset.items[0].scenes[1].modality);
}

TEST(RandomCaptions, AreOfTheModalityAndOfOtherMedia) {
  const auto dataset = testing::make_dataset(60);
  std::map<std::string, std::pair<std::string, Modality>> medium_of_caption;
  for (const Item& item : dataset.items) {
    for (const Scene& scene : item.scenes) {
      medium_of_caption[std::string(scene.caption())] = {scene.source + scene.id.text,
                                                         scene.modality};
    }
  }
  const auto source = show_random_captions(dataset.items, 7);
  for (const Item& item : dataset.items) {
    std::set<std::string> taken;
    for (const Scene& scene : item.scenes) taken.insert(scene.source + scene.id.text);
    const auto shown = source->scenes_of(item).value();
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto& [medium, modality] = medium_of_caption.at(shown[i].caption);
      EXPECT_EQ(modality, item.scenes[i].modality);
      EXPECT_TRUE(taken.insert(medium).second) << "own or repeated medium " << medium;
    }
  }
}

TEST(RandomCaptions, DependOnSeedAndItemAlone) {
  const auto dataset = testing::make_dataset(40);
  const auto captions = [&](std::uint64_t seed, int from) {
    const auto source = show_random_captions(dataset.items, seed);
    std::vector<std::string> drawn;
    for (int i = 0; i < 40; ++i) {  // from another start: the order of the calls does not matter
      const auto item = static_cast<std::size_t>((i + from) % 40);
      const auto shown = source->scenes_of(dataset.items[item]).value();
      for (const ShownScene& scene : shown) {
        drawn.push_back(fmt::format("{} {}", item, scene.caption));
      }
    }
    std::sort(drawn.begin(), drawn.end());
    return drawn;
  };
  EXPECT_EQ(captions(7, 0), captions(7, 13));
  EXPECT_NE(captions(7, 0), captions(8, 0));
}

TEST(RandomCaptions, SayWhenThereIsNoOther) {
  const auto dataset = testing::make_dataset(1);
  const auto shown = show_random_captions(dataset.items, 1)->scenes_of(dataset.items[0]);
  ASSERT_FALSE(shown);
  EXPECT_THAT(shown.error().message, HasSubstr("no other item has a caption of this modality"));
}

TEST(Input, MediaAreFoundOrTold) {
  const contra4::testing::TempDir folder;
  auto dataset = testing::make_dataset(1);
  dataset.items[0].scenes[0].id.text = "there.wav";
  std::filesystem::create_directory(folder / "audio_src");
  std::ofstream(folder / "audio_src/there.wav") << "x";
  media::MediaRoots roots;
  roots.media_root = folder.path();
  const auto source = show_media(media::MediaLocator(roots));
  const auto shown = source->scenes_of(dataset.items[0]);
  ASSERT_FALSE(shown);
  EXPECT_THAT(shown.error().message, HasSubstr("Scene B (pc pc_src 'm0_1')"));
  dataset.items[0].scenes.pop_back();
  EXPECT_EQ(source->scenes_of(dataset.items[0]).value()[0].media,
            folder.path() / "audio_src/there.wav");
}

TEST(Input, MediaOfASetAreNamedOnce) {
  const auto dataset =
      testing::make_dataset(9);  // items 4 and 8 share a medium with their neighbour
  std::size_t scenes = 0;
  for (const Item& item : dataset.items) scenes += item.scenes.size();
  EXPECT_EQ(media_of(dataset.items).size(), scenes - 2);
}

TEST(InputGolden, CompleteItemsAmongThePredictedCaptions) {
  CONTRA4_REQUIRE_SHARED();
  const auto shared = contra4::testing::shared_dir() / "contra4";
  const auto dataset = data::load_dataset(shared / "release/test.json");
  const auto source = show_predicted_captions(
      data::CaptionTable::load(shared / "predicted_captions/predicted.jsonl"));
  int complete = 0;
  for (const Item& item : dataset.items) complete += source->scenes_of(item) ? 1 : 0;
  EXPECT_EQ(complete, 156);
  EXPECT_EQ(media_of(dataset.items).size(), 4995U);
}

}  // namespace
}  // namespace contra4::eval
