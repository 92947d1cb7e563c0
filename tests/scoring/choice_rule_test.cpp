#include "contra4/scoring/choice_rule.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::scoring {
namespace {

struct Case {
  std::string_view reply;
  int num_scenes;
  std::string_view expected;  // letter, "none", "several", "empty"
};

std::string read(std::string_view reply, int num_scenes) {
  const ParsedChoice choice = parse_choice(reply, num_scenes);
  EXPECT_EQ(choice.index.has_value(), choice.reading == Reading::kOne);
  return choice.index ? std::string(1, scene_letter(*choice.index))
                      : std::string(to_string(choice.reading));
}

void expect_all(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(read(c.reply, c.num_scenes), c.expected) << c.reply;
}

TEST(ChoiceRule, ReadsTheLetterAlone) {
  expect_all({
      {"B", 2, "B"},
      {"b", 2, "B"},
      {"A", 2, "A"},
      {"a", 2, "A"},
      {"B.", 2, "B"},
      {"(B)", 2, "B"},
      {"(b)", 2, "B"},
      {"[C]", 3, "C"},
      {"<B>", 2, "B"},
      {"\"B\"", 2, "B"},
      {"'B'", 2, "B"},
      {"**B**", 2, "B"},
      {"`B`", 2, "B"},
      {"_B_", 2, "B"},
      {"$B$", 2, "B"},
      {"- B", 2, "B"},
      {" \n\n B \n", 2, "B"},
      {"B!", 2, "B"},
      {"Scene B", 2, "B"},
      {"Scene B.", 2, "B"},
      {"scene b", 2, "B"},
      {"scene a", 2, "A"},
      {"SCENE B", 2, "B"},
      {"Scene: B", 2, "B"},
      {"Scene (B)", 2, "B"},
      {"Scene_B", 2, "B"},
      {"**Scene C**", 3, "C"},
      {"**Scene** **C**", 3, "C"},
      {"Option B", 2, "B"},
      {"option d", 4, "D"},
      {"Choice C.", 4, "C"},
      {"B B B B", 2, "B"},
      {"Scene B Scene B", 2, "B"},
  });
}

TEST(ChoiceRule, ReadsALetterWithItsReason) {
  expect_all({
      {"B) because the rain is loud", 2, "B"},
      {"B. A dog barks loudly in Scene B", 2, "B"},
      {"B. Scene A is quieter.", 2, "B"},
      {"B: the street", 2, "B"},
      {"B because it is louder than A", 2, "B"},
      {"B, because it is louder than Scene A", 2, "B"},
      {"Scene B, since Scene A is silent", 2, "B"},
      {"Scene B because it is louder than Scene A.", 2, "B"},
      {"Scene B.\n\nScene A shows a lake, Scene B shows a storm.", 2, "B"},
      {"Scene B - the storm is louder than in Scene A", 2, "B"},
      {"(A) The first one is louder", 2, "A"},
      {"A. The lake", 2, "A"},
      {"A because of the rain", 2, "A"},
      {"b) because", 2, "B"},
      {"b\nScene a is quiet.", 2, "B"},
      {"B.Because it is", 2, "B"},
      {"Scene A is quiet, Scene B is loud.\n\n**Scene B**", 2, "B"},
      {"Scene A is quiet, Scene B is loud.\nB", 2, "B"},
  });
}

TEST(ChoiceRule, ReadsAnswerPhrases) {
  expect_all({
      {"The answer is B.", 2, "B"},
      {"The answer is Scene B.", 2, "B"},
      {"the answer is scene b", 2, "B"},
      {"The answer is A", 2, "A"},
      {"the answer is a.", 2, "A"},
      {"The answer is: (B)", 2, "B"},
      {"Answer: B", 2, "B"},
      {"Answer:\n\nB", 2, "B"},
      {"**Answer:** B", 2, "B"},
      {"**Answer: Scene B**", 2, "B"},
      {"Answer - B", 2, "B"},
      {"ANSWER = B", 2, "B"},
      {"Answer B", 2, "B"},
      {"My choice is Scene C", 3, "C"},
      {"The correct answer would be option B", 2, "B"},
      {"The correct option is (b).", 2, "B"},
      {"The correct scene is Scene A, not Scene B.", 2, "A"},
      {"The answer is most likely Scene B.", 2, "B"},
      {"The answer is B, although Scene A is close.", 2, "B"},
      {"The answer is Scene B rather than Scene A.", 2, "B"},
      {"The answer is not Scene A but Scene B.", 2, "B"},
      {"The answer to the question \"Which scene is louder?\" is Scene B.", 2, "B"},
      {"To answer the question we compare. Scene A is quiet. Scene B is loud. The answer is B.", 2,
       "B"},
      {"The answer cannot be A, which is quiet, so the answer is B.", 2, "B"},
      {"The answer is Scene B and Scene A is quiet.", 2, "B"},
      {"Scene B is the answer; Scene A is too quiet.", 2, "B"},
      {"Scene B is the correct choice. Scene A is quiet.", 2, "B"},
      {"Scene A is quiet, so B is correct.", 2, "B"},
      {"I would choose Scene B over Scene A.", 2, "B"},
      {"I'd go with Scene B. Scene A is quiet.", 2, "B"},
      {"Between Scene A and Scene B, I pick B.", 2, "B"},
      {"Scene A is quiet and Scene B is loud. So it's B.", 2, "B"},
      {"Scene A is quiet and Scene B is loud. Therefore, Scene B.", 2, "B"},
      {"Compared with Scene A, I think it's Scene B.", 2, "B"},
  });
}

TEST(ChoiceRule, ReadsAnswerFields) {
  expect_all({
      {"\\boxed{B}", 2, "B"},
      {"Scene A is quiet. $\\boxed{\\text{Scene B}}$", 2, "B"},
      {"Scene A is quiet, B is loud. Final answer: B", 2, "B"},
      {"The answer could be A. Final Answer: **B**", 2, "B"},
      {"<answer>B</answer>", 2, "B"},
      {"Scene A is quiet.<answer> Scene B </answer> Scene A", 2, "B"},
      {R"({"answer": "B"})", 2, "B"},
      {R"({"answer": "A"})", 2, "A"},
      {"```json\n{\"reason\": \"Scene A is quiet, Scene B loud\", \"answer\": \"Scene B\"}\n```", 2,
       "B"},
      {R"({"final_answer": "b", "reason": "Scene A is quiet"})", 2, "B"},
      {R"({"choice": "C", "why": "A and B are quiet"})", 3, "C"},
      {R"({"scene": "B", "reason": "louder than Scene A"})", 2, "B"},
      {R"(["B"])", 2, "B"},
      {R"({"answer": null})", 2, "none"},
      {"Final: B", 2, "B"},
  });
}

TEST(ChoiceRule, TellsTheArticleFromTheLetter) {
  expect_all({
      {"A dog barks", 2, "none"},
      {"A", 2, "A"},
      {"a dog barks in the rain", 2, "none"},
      {"The answer is a dog.", 2, "none"},
      {"Answer: A dog barks", 2, "none"},
      {"Answer: A Lego block toy", 2, "none"},
      {"In the scene a dog barks", 2, "none"},
      {"A dog barks in Scene B", 2, "B"},
      {"Scene B. A dog barks there.", 2, "B"},
      {"A is louder", 2, "A"},
      {"B is louder", 2, "B"},
      {"Scene B is louder.", 2, "B"},
      {"I hear rain in Scene B", 2, "B"},
      {"It has a 3-D look", 4, "none"},
      {"A D-shaped object", 4, "none"},
      {"It was recorded in the U.S.A. at 20 C", 4, "none"},
      {"I cannot see", 4, "none"},
      {"It is at 6 A.M. in Washington D.C. now", 4, "none"},
  });
}

TEST(ChoiceRule, HasNoAnswerForSeveralLetters) {
  expect_all({
      {"Scene B is louder than Scene A", 2, "several"},
      {"Scene B is louder than A", 2, "several"},
      {"Scene A or Scene B", 2, "several"},
      {"Scene A rather than Scene B", 2, "several"},
      {"A and B", 2, "several"},
      {"A/B", 2, "several"},
      {"A, B", 2, "several"},
      {"Scenes A and B", 2, "several"},
      {"scene a or b", 2, "several"},
      {"A B C", 3, "several"},
      {"Answer: A or B", 2, "several"},
      {"Answer: A, B", 2, "several"},
      {"The answer is A and B", 2, "several"},
      {"The answer is Scene A and Scene B are", 2, "several"},
      {"The answer is A. No, the answer is B.", 2, "several"},
      {"The answer is both.", 2, "several"},
      {"A) a quiet lake\nB) a loud street", 2, "several"},
      {"Scene A: a quiet lake. Scene B: a loud street.", 2, "several"},
      {"Scene A:\na quiet lake\nScene B:\na loud street", 2, "several"},
      {"A\nB", 2, "several"},
      {R"({"A": 0.1, "B": 0.9})", 2, "several"},
      {"Neither A nor B", 2, "several"},
      {"A: B", 2, "several"},
  });
}

TEST(ChoiceRule, HasNoAnswerWithoutAShownScene) {
  expect_all({
      {"", 2, "empty"},
      {" \n\t ", 2, "empty"},
      {"...", 2, "none"},
      {"None", 2, "none"},
      {"None of the scenes", 2, "none"},
      {"I cannot tell", 2, "none"},
      {"Cannot determine from the scenes", 2, "none"},
      {"The answer is unclear", 2, "none"},
      {"The answer can't be determined.", 2, "none"},
      {"Answer: none. Scene A is as loud.", 2, "none"},
      {"D", 3, "none"},
      {"Scene E", 2, "none"},
      {"E) because", 2, "none"},
      {"The answer is D.", 3, "none"},
      {"Z", 4, "none"},
      {"It is not Scene A.", 2, "none"},
      {"It is louder than Scene A.", 2, "none"},
      {"2", 2, "none"},
      {R"({"answer": 2})", 2, "none"},
      {"the sound in b is louder", 2, "none"},
      {"1.", 2, "none"},
      {"If the answer is A, I would hear rain", 2, "none"},
      {"BBBB", 2, "none"},
      {"Scene", 2, "none"},
      {"The answer is Sc", 2, "none"},
  });
}

TEST(ChoiceRule, CountsScenes) {
  expect_all({
      {"Scene 2", 2, "B"},
      {"Option 1", 2, "A"},
      {"Scene number 3", 3, "C"},
      {"Scene #2", 2, "B"},
      {"scene two", 2, "B"},
      {"The second scene", 2, "B"},
      {"The answer is the first option.", 2, "A"},
      {"Scene 3", 2, "none"},
      {"Scene 0", 2, "none"},
      {"Scene 99999999999", 2, "none"},
  });
}

TEST(ChoiceRule, ReadsLettersInOtherDress) {
  expect_all({
      {"\xef\xbc\xa2", 2, "B"},                          // full-width B
      {"\xef\xbc\x88\xef\xbc\xa2\xef\xbc\x89", 2, "B"},  // full-width (B)
      {"\xf0\x9d\x90\x81", 2, "B"},                      // mathematical bold B
      {"\xe2\x92\xb7", 2, "B"},                          // circled B
      {"\xf0\x9f\x85\xb1\xef\xb8\x8f", 2, "B"},          // squared B
      {"\xe2\x80\x9c\x42\xe2\x80\x9d", 2, "B"},          // curly quotes
      {"Scene\xc2\xa0\x42", 2, "B"},                     // no-break space
      {"\xef\xbb\xbf\x42", 2, "B"},                      // byte order mark
      {"Szene B", 2, "B"},
      {"Die Antwort ist B, weil Szene A still ist.", 2, "B"},
      {"Sc\xc3\xa8ne B", 2, "B"},
      {"La r\xc3\xa9ponse est B.", 2, "B"},
      {"A resposta \xc3\xa9 B.", 2, "B"},
      {"La respuesta es la escena B.", 2, "B"},
      {"\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: B", 2, "B"},  // Russian: answer
      {"\xe5\x9c\xba\xe6\x99\xaf"
       "B",
       2, "B"},  // Chinese: scene
      {"\xe5\x9c\xba\xe6\x99\xaf"
       "A",
       2, "A"},
      {"\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
       "A\xe3\x80\x82"
       "B\xe5\xae\x89\xe9\x9d\x99",
       2, "A"},
      {"\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
       "B",
       2, "B"},  // Chinese: answer
      {"\xe7\xad\x94\xe3\x81\x88\xe3\x81\xaf"
       "B\xe3\x81\xa7\xe3\x81\x99",
       2, "B"},  // Japanese
  });
}

TEST(ChoiceRule, IgnoresReasoning) {
  expect_all({
      {"<think>Scene A is quiet, so A?</think>B", 2, "B"},
      {"<think>Scene A is quiet, so the answer is A", 2, "empty"},
      {"Scene A is quiet.\nThe answer is A?</think>\n\nB", 2, "B"},
      {"<think></think>", 2, "empty"},
      {"<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>Scene B"
       "<|return|>",
       2, "B"},
  });
}

TEST(ChoiceRule, StopsWhereTheModelTalksOn) {
  expect_all({
      {"B</s> A", 2, "B"},
      {"B<|eot_id|><|start_header_id|>user", 2, "B"},
      {"<|assistant|>B", 2, "B"},
      {"B\n\nQuestion: Which scene is quieter?\nAnswer: A", 2, "B"},
      {"Scene B\nHuman: and now?\nScene A", 2, "B"},
      {"Let us see.\nQuestion: which?\nAnswer: A", 2, "A"},
  });
}

TEST(ChoiceRule, FallsBackToTheChoicesOwnWords) {
  const std::vector<SceneView> shown = {{Modality::kAudio, "A dog barks"},
                                        {Modality::kImage, "A man in a D shirt, smiling."},
                                        {Modality::kImage, "A dog barks loudly"}};
  const auto place = [&](std::string_view reply) { return parse_choice(reply, shown).index; };
  EXPECT_EQ(place("a dog barks."), 0);
  EXPECT_EQ(place("It is the one in which a dog barks loudly"), 2);
  EXPECT_EQ(place("A man in a D shirt, smiling"), 1);
  EXPECT_EQ(place("the audio clip"), 0);
  EXPECT_EQ(parse_choice("the image", shown).reading, Reading::kSeveral);
  EXPECT_EQ(parse_choice("the video", shown).reading, Reading::kNone);
  EXPECT_EQ(parse_choice("the image and the audio", shown).reading, Reading::kNone);
  EXPECT_EQ(parse_choice("I hear no sound and see nothing in the footage", shown).reading,
            Reading::kNone);
  // A letter goes before words.
  EXPECT_EQ(place("Scene A. A dog barks loudly"), 0);

  const std::vector<SceneView> equal = {{Modality::kImage, "rain"}, {Modality::kImage, "Rain."}};
  EXPECT_EQ(parse_choice("rain", equal).reading, Reading::kSeveral);
  const std::vector<SceneView> empty = {{Modality::kImage, ""}, {Modality::kImage, ""}};
  EXPECT_EQ(parse_choice("???", empty).reading, Reading::kNone);
}

TEST(ChoiceRule, SurvivesAnyBytes) {
  Random random(1);
  const std::vector<std::string> pieces = {
      "Scene ", "B",    "answer", "\n",  ":",        "<think>",  "\"",
      "\xff",   "\xe5", "(",      "not", "is",       "</s",      "<|",
      "A",      "'s",   ".",      "-",   "\\boxed{", "\xf0\x9d", "{\"answer\": "};
  for (int round = 0; round < 3000; ++round) {
    std::string reply;
    for (std::uint64_t n = random.below(30); n > 0; --n) {
      if (random.below(4) == 0) {
        reply.push_back(static_cast<char>(random.below(256)));
      } else {
        reply += pieces[random.below(pieces.size())];
      }
    }
    const int num_scenes = 1 + static_cast<int>(random.below(26));
    const ParsedChoice choice = parse_choice(reply, num_scenes);
    ASSERT_EQ(choice.index.has_value(), choice.reading == Reading::kOne);
    if (choice.index) {
      ASSERT_GE(*choice.index, 0);
      ASSERT_LT(*choice.index, num_scenes);
    }
  }
}

// A step that took quadratic time would run into the time limit of the test.
TEST(ChoiceRule, ReadsRepliesOfAMegabyte) {
  for (const std::string_view piece :
       {"Scene ", "answer ", "answer is ", "A ", "(", "<", "<|", "<think>", "\n",
        "is: ", "Question:\n", "\xe7\xad\x94\xe6\xa1\x88", "' "}) {
    std::string reply;
    while (reply.size() < 1'000'000) reply += piece;
    const ParsedChoice choice = parse_choice(reply, 4);
    EXPECT_EQ(choice.index.has_value(), choice.reading == Reading::kOne) << piece;
  }
}

}  // namespace
}  // namespace contra4::scoring
