#include "contra4/scoring/scene_view.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/scoring/scoring_fixtures.h"
#include "tests/support/error_of.h"

namespace contra4::scoring {
namespace {

using testing::error_of;

TEST(SceneView, ShowsModalityAndFirstCaptionInOrder) {
  const Item item =
      make_item("x", {{Modality::kAudio, "a", "rain"}, {Modality::kVideo, "b", "a street"}}, 0);
  const auto views = scene_views(item);
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].modality, Modality::kAudio);
  EXPECT_EQ(views[0].caption, "rain");
  constexpr std::array kSwapped = {1, 0};
  const auto swapped = scene_views(item, kSwapped);
  ASSERT_EQ(swapped.size(), 2U);
  EXPECT_EQ(swapped[0].modality, Modality::kVideo);
  EXPECT_EQ(swapped[1].caption, "rain");
}

TEST(SceneView, ASceneWithoutCaptionHasAnEmptyOne) {
  Item item = make_item("x", {{Modality::kImage, "a"}, {Modality::kPointCloud, "b"}}, 0);
  item.scenes[1].captions.clear();
  EXPECT_EQ(scene_views(item)[1].caption, "");
}

TEST(SceneView, AnOrderOfOtherScenesIsAMistakeOfOurs) {
  const Item item = make_item("x", {{Modality::kImage, "a"}, {Modality::kVideo, "b"}}, 0);
  constexpr std::array kTooFar = {0, 2};
  constexpr std::array kNegative = {-1, 0};
  EXPECT_EQ(error_of([&] { scene_views(item, kTooFar); }).code, ErrorCode::kInternal);
  EXPECT_EQ(error_of([&] { scene_views(item, kNegative); }).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace contra4::scoring
