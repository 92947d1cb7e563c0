#include "contra4/scoring/choice_words.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array kShown = {SceneView{Modality::kAudio, "A dog barks."},
                               SceneView{Modality::kVideo, "A dog barks at a cat"},
                               SceneView{Modality::kImage, "Rain"}};

std::vector<int> captions(std::string_view reply, std::span<const SceneView> shown = kShown) {
  return captions_in(squash(reply), shown);
}

std::vector<int> modality(std::string_view reply) {
  return modality_named(ReplyTokens(normalise_reply(reply)), kShown);
}

TEST(ChoiceWords, SquashLeavesWords) {
  EXPECT_EQ(squash("  The *DOG*, barks!\n(loudly) "), "the dog barks loudly");
  EXPECT_EQ(squash("?!"), "");
}

TEST(ChoiceWords, AReplyThatIsACaptionNamesItsScene) {
  EXPECT_THAT(captions("a dog barks"), ElementsAre(0));
  EXPECT_THAT(captions("Rain."), ElementsAre(2)) << "one word, and nothing else";
}

TEST(ChoiceWords, ACaptionWithinTheReplyNeedsTwoWords) {
  EXPECT_THAT(captions("I choose the one where a dog barks loudly"), ElementsAre(0));
  EXPECT_THAT(captions("there is no rain here"), IsEmpty());
}

TEST(ChoiceWords, ACaptionInsideALongerOneDoesNotCount) {
  EXPECT_THAT(captions("it says: a dog barks at a cat"), ElementsAre(1));
}

TEST(ChoiceWords, PartsOfWordsAreNoWords) {
  constexpr std::array kCars = {SceneView{Modality::kAudio, "the car"},
                                SceneView{Modality::kVideo, "the carpet is red"}};
  EXPECT_THAT(captions("so the carpet is red", kCars), ElementsAre(1));
  EXPECT_THAT(captions("both the car and the carpet is red", kCars), ElementsAre(0, 1));
}

TEST(ChoiceWords, ScenesWithoutCaptionsAreNeverNamed) {
  constexpr std::array kBare = {SceneView{Modality::kAudio, ""}, SceneView{Modality::kVideo, "!"}};
  EXPECT_THAT(captions("", kBare), IsEmpty());
  EXPECT_THAT(captions("anything", kBare), IsEmpty());
}

TEST(ChoiceWords, AFewWordsMayBeNothingButAModality) {
  EXPECT_THAT(modality("The audio clip."), ElementsAre(0));
  EXPECT_THAT(modality("video"), ElementsAre(1));
  EXPECT_THAT(modality("the 3D model"), IsEmpty()) << "not shown";
  EXPECT_THAT(modality("the audio, not the video"), IsEmpty());
  EXPECT_THAT(modality("the audio of a dog"), IsEmpty());
  EXPECT_THAT(modality("the scene"), IsEmpty());
}

TEST(ChoiceWords, AModalityShownTwiceNamesBoth) {
  constexpr std::array kTwo = {SceneView{Modality::kImage, "x"}, SceneView{Modality::kImage, "y"}};
  EXPECT_THAT(modality_named(ReplyTokens("the picture"), kTwo), ElementsAre(0, 1));
}

}  // namespace
}  // namespace contra4::scoring
