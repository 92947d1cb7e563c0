// Which replies are questions, and which are answers to them. What is neither is asked for again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace contra4::pipeline {

struct QuestionBounds {
  std::size_t max_words = 40;
  std::size_t max_characters = 250;  // code points
};

// What a reply comes to: a text, or why it is none.
struct JudgedReply {
  std::string text;
  std::string_view fault;     // empty: the text is good
  std::optional<int> answer;  // of answers: the scene named
  bool is_good() const { return fault.empty(); }
};

// The first line with words in it, without the white space and the quotes or asterisks around it.
// Faults: "empty", "beginning" (it does not begin with "Which scene"), "no question mark", "several
// questions", "words after the question", "modality" (it names one: picture, video, sound clip...),
// "names a scene" ("Scene B"), "too long".
JudgedReply judge_question(std::string_view reply, const QuestionBounds& bounds);

// The first such line, as "Scene B. reason": one that names its scene in another way has the name
// put in front. Faults: "empty", "no scene", "several scenes".
JudgedReply judge_answer(std::string_view reply, int num_scenes);

}  // namespace contra4::pipeline
