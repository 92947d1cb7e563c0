#include "contra4/scoring/trial.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::scoring {
namespace {

using testing::error_of;

TEST(Trial, PlacesAndScenesAreEachOthersInverse) {
  const Trial trial{.item = 0, .order = {2, 0, 1}, .choice = 0};
  EXPECT_EQ(chosen_scene(trial), 2);
  for (const int scene : trial.order) {
    const int place = shown_place(trial.order, scene);
    EXPECT_EQ(chosen_scene({.item = 0, .order = trial.order, .choice = place}), scene);
  }
}

TEST(Trial, WithoutAChoiceNoSceneIsChosen) {
  EXPECT_EQ(chosen_scene({.item = 0, .order = {1, 0}, .choice = std::nullopt}), std::nullopt);
}

TEST(Trial, WhatWasNotShownIsAMistakeOfOurs) {
  EXPECT_EQ(error_of([] {
              chosen_scene({.item = 0, .order = {1, 0}, .choice = 2});
            }).code,
            ErrorCode::kInternal);
  EXPECT_EQ(error_of([] {
              chosen_scene({.item = 0, .order = {1, 0}, .choice = -1});
            }).code,
            ErrorCode::kInternal);
  constexpr std::array kOrder = {1, 0};
  EXPECT_EQ(error_of([&] { shown_place(kOrder, 2); }).code, ErrorCode::kInternal);
}

TEST(Trial, ObservationsKeepItemAndHit) {
  const std::array trials = {Trial{.item = 4, .order = {0, 1}, .choice = 1, .hit = 1},
                             Trial{.item = 4, .order = {1, 0}, .choice = std::nullopt, .hit = 0}};
  const auto list = observations(trials);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].item, 4U);
  EXPECT_EQ(list[0].hit, 1);
  EXPECT_EQ(list[1].hit, 0);
}

}  // namespace
}  // namespace contra4::scoring
