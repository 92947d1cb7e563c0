#include "contra4/scoring/reasoning.h"

#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

TEST(Reasoning, TakesBlocksOff) {
  EXPECT_EQ(strip_reasoning("B"), "B");
  EXPECT_EQ(strip_reasoning("<think>A?</think>B"), "B");
  EXPECT_EQ(strip_reasoning("<THINKING>A?</THINKING>\nB"), "\nB");
  EXPECT_EQ(strip_reasoning("[THINK]A?[/THINK]B"), "B");
  EXPECT_EQ(strip_reasoning("<|begin_of_thought|>A<|end_of_thought|>B"), "B");
  EXPECT_EQ(strip_reasoning("\xe2\x97\x81think\xe2\x96\xb7"
                            "A\xe2\x97\x81/think\xe2\x96\xb7"
                            "B"),
            "B");
  EXPECT_EQ(strip_reasoning("B <think>A</think> C <think>D</think> E"), "B  C  E");
}

TEST(Reasoning, OfABlockNeverClosedTakesAllThatFollows) {
  EXPECT_EQ(strip_reasoning("B <think>so the answer is A"), "B ");
  EXPECT_EQ(strip_reasoning("<think>"), "");
}

TEST(Reasoning, OfABlockNeverOpenedTakesAllThatPrecedes) {
  EXPECT_EQ(strip_reasoning("A, I think.</think>\nB"), "\nB");
}

TEST(Reasoning, KeepsTheFinalChannelAlone) {
  EXPECT_EQ(strip_reasoning("<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>"
                            "final<|message|>B"),
            "<|message|>B");
  EXPECT_EQ(strip_reasoning("<|channel|>analysis<|message|>A? The answer is A"), "");
  EXPECT_EQ(strip_reasoning("analysisWe compare A and B.assistantfinalB"), "B");
  EXPECT_EQ(strip_reasoning("analysis shows B"), "analysis shows B");
}

TEST(Reasoning, LeavesOtherTagsAlone) {
  EXPECT_EQ(strip_reasoning("<thinks>B</thinks> <answer>"), "<thinks>B</thinks> <answer>");
  EXPECT_EQ(strip_reasoning("<thin"), "<thin");
}

}  // namespace
}  // namespace contra4::scoring
