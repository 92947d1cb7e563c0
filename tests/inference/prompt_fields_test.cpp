#include "contra4/inference/prompt_fields.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/yaml.h"
#include "tests/support/error_of.h"

namespace contra4 {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

struct Letter {
  std::string greeting = "Dear";
  std::vector<std::string> lines;
  Sampling sampling;
};

Letter read(const std::string& yaml) {
  const std::vector<PromptField<Letter>> fields = {
      text_field("greeting", &Letter::greeting),
      {"lines", [](Letter& letter, const FieldPlace& place, const io::JsonValue& value) {
         letter.lines = field_texts(place, value);
       }}};
  Letter letter;
  read_prompt_fields(io::parse_yaml(yaml, "letter.yaml").value(), "letter.yaml", fields, letter);
  return letter;
}

std::string refusal(const std::string& yaml) {
  const Error error = error_of([&] { read(yaml); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  return error.message;
}

TEST(PromptFields, ReadsWhatIsThereAndLeavesTheRest) {
  const Letter letter = read("lines: [one, two]\nmax_tokens: 12\ntop_p: 0.5\nstop: '\n'");
  EXPECT_EQ(letter.greeting, "Dear");
  EXPECT_THAT(letter.lines, ElementsAre("one", "two"));
  EXPECT_EQ(letter.sampling.max_tokens, 12);
  EXPECT_EQ(letter.sampling.top_p, 0.5);
  EXPECT_EQ(letter.sampling.temperature, 0);
  EXPECT_EQ(read("lines: one").lines, std::vector<std::string>{"one"});
}

TEST(PromptFields, NamesTheFileAndTheFieldAtFault) {
  EXPECT_EQ(refusal("greeting: 3"), "letter.yaml: 'greeting' is to be a text");
  EXPECT_EQ(refusal("lines: {a: b}"), "letter.yaml: 'lines' is to be a list of texts");
  EXPECT_EQ(refusal("lines: [a, 1]"), "letter.yaml: 'lines' is to be a text");
  EXPECT_EQ(refusal("top_p: 1.5"), "letter.yaml: 'top_p' is to be a number from 0 to 1");
  EXPECT_THAT(refusal("temperature: .nan"), HasSubstr("'temperature' is to be a number"));
  EXPECT_THAT(refusal("max_tokens: 0"), HasSubstr("'max_tokens' is to be a number from 1"));
  EXPECT_EQ(refusal("- a list"), "letter.yaml: is to hold fields: greeting, lines and so on");
}

TEST(PromptFields, NamesTheNearestFieldOrAllForAnUnknownOne) {
  EXPECT_EQ(refusal("greetings: x"),
            "letter.yaml: unknown field 'greetings'; 'greeting' is meant?");
  EXPECT_THAT(refusal("temprature: 1"), HasSubstr("'temperature' is meant?"));
  EXPECT_THAT(refusal("zzzzzzzzz: x"), HasSubstr("there are greeting, lines, temperature, top_p"));
}

}  // namespace
}  // namespace contra4
