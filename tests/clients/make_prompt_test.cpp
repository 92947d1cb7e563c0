#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/clients/prompts/prompt.h"
#include "tests/clients/protocol_support.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;

Question two_scenes() {
  Question question;
  question.text = "Which scene is outdoors?";
  question.scenes.resize(2);
  question.scenes[0].caption = "a forest";
  question.scenes[1].caption = "a kitchen";
  return question;
}

std::string render(const Prompt& prompt) {
  const auto messages = prompt.render(two_scenes());
  EXPECT_EQ(messages.size(), 1U);
  return messages[0].parts[0].text;
}

TEST(BuiltInPrompts, AreFoundByName) {
  EXPECT_EQ(prompt_names(), (std::vector<std::string>{"contrastive", "published"}));
  for (const std::string& name : prompt_names()) EXPECT_EQ(make_prompt(name).name(), name);
  EXPECT_EQ(make_prompt(std::string(kDefaultPrompt)).name(), "contrastive");
}

TEST(BuiltInPrompts, PublishedIsTheOneLineOfTheBaseline) {
  const Prompt prompt = make_prompt("published");
  EXPECT_EQ(render(prompt),
            "<s>Answer the question Which scene is outdoors? by selecting one of the following "
            "options: Option A: a forest, Option B: a kitchen. Answer: Option");
  EXPECT_DOUBLE_EQ(prompt.sampling().temperature, 0.3);
  EXPECT_DOUBLE_EQ(prompt.sampling().top_p, 0.9);
  EXPECT_EQ(prompt.sampling().max_tokens, 30);
}

TEST(BuiltInPrompts, ContrastiveIsGreedyAndAsksForALetter) {
  const Prompt prompt = make_prompt("contrastive");
  const std::string text = render(prompt);
  EXPECT_THAT(text, HasSubstr("Scene A: a forest\nScene B: a kitchen\n\nQuestion: Which scene"));
  EXPECT_THAT(text, HasSubstr("nothing else: A or B."));
  EXPECT_EQ(prompt.sampling().temperature, 0);
}

class PromptFiles : public ::testing::Test {
 protected:
  Prompt read(const std::string& name, const std::string& text) {
    return make_prompt(testing::write_bytes(folder_ / name, text).string());
  }
  std::string error(const std::string& name, const std::string& text) {
    try {
      read(name, text);
    } catch (const Exception& failure) {
      EXPECT_EQ(failure.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(failure.what(), HasSubstr(name));
      return failure.what();
    }
    return "accepted";
  }
  testing::TempDir folder_;
};

TEST_F(PromptFiles, TakesPlainTextAsItStands) {
  const Prompt prompt = read("mine.txt", "# {question}\n{scenes}\nAnswer {letters}:\n\n");
  EXPECT_EQ(prompt.name(), "mine");
  EXPECT_EQ(render(prompt),
            "# Which scene is outdoors?\nScene A: a forest\nScene B: a kitchen\nAnswer A or B:");
}

TEST_F(PromptFiles, TakesFieldsOfYaml) {
  const Prompt prompt = read("mine.yaml", R"(name: terse
user: "{question} {scenes}"
scene: "{letter}) {content}"
separator: "; "
temperature: 0.7
max_tokens: 12
stop: ["\n", "."]
)");
  EXPECT_EQ(prompt.name(), "terse");
  EXPECT_EQ(render(prompt), "Which scene is outdoors? A) a forest; B) a kitchen");
  EXPECT_DOUBLE_EQ(prompt.sampling().temperature, 0.7);
  EXPECT_EQ(prompt.sampling().max_tokens, 12);
  EXPECT_EQ(prompt.sampling().stop, (std::vector<std::string>{"\n", "."}));
}

TEST_F(PromptFiles, NamesAWrongField) {
  EXPECT_THAT(error("a.yaml", "user: \"{question}{scenes}\"\nseperator: x\n"),
              HasSubstr("'separator' is meant?"));
  EXPECT_THAT(error("b.yaml", "zzzzzzzzzzz: x\n"), HasSubstr("bare_scene"));
  EXPECT_THAT(error("c.yaml", "user: 3\n"), HasSubstr("'user' is to be a text"));
  EXPECT_THAT(error("d.yaml", "temperature: hot\n"), HasSubstr("'temperature'"));
  EXPECT_THAT(error("e.yaml", "max_tokens: 0\n"), HasSubstr("'max_tokens'"));
  EXPECT_THAT(error("f.yaml", "stop: {a: b}\n"), HasSubstr("'stop'"));
  EXPECT_THAT(error("g.yaml", "- a\n- b\n"), HasSubstr("fields"));
  EXPECT_THAT(error("h.yaml", "user: \"{question}{scenes}{oops}\"\n"), HasSubstr("{oops}"));
  EXPECT_THAT(error("i.txt", "{question} {scene}"), HasSubstr("{scene}"));
  EXPECT_THAT(error("j.yaml", ""), HasSubstr("fields"));
}

TEST(MakePrompt, SaysWhatThereIs) {
  try {
    make_prompt("contrastiv");
    FAIL() << "found";
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("is contrastive meant?"));
  }
}

}  // namespace
}  // namespace contra4::clients
