#include "contra4/pipeline/writer_prompt.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::HasSubstr;

constexpr char kSmall[] = R"(
instruction: Compare.
scene: '{letter}: {caption}'
separator: " / "
user: |-
  {scenes}
  Q:
reply: "{question}"
reply_prefix: Which scene
examples:
  - {scenes: [a cat, a dog], question: 'Which scene barks?'}
temperature: 1.05
top_p: 0.9
max_tokens: 120
stop: ["\n"]
)";

std::string text_of(const Message& message) {
  std::string text;
  for (const ContentPart& part : message.parts) text += part.text;
  return text;
}

TEST(WriterPrompt, MakesOneTextForCompletions) {
  const auto prompt = parse_writer_prompt(kSmall, "small");
  const auto request =
      write_request(prompt, PromptForm::kCompletion, {.scenes = {"rain", "snow", "hail"}});
  ASSERT_EQ(request.messages.size(), 1U);
  EXPECT_EQ(text_of(request.messages[0]),
            "Compare.\n\nA: a cat / B: a dog\nQ: Which scene barks?\n\n"
            "A: rain / B: snow / C: hail\nQ:");
  EXPECT_EQ(request.reply_prefix, "Which scene");
  EXPECT_EQ(request.sampling.temperature, 1.05);
  EXPECT_EQ(request.sampling.top_p, 0.9);
  EXPECT_EQ(request.sampling.max_tokens, 120);
  EXPECT_THAT(request.sampling.stop, ::testing::ElementsAre("\n"));
}

TEST(WriterPrompt, MakesTurnsOfExamplesInAChat) {
  const auto request = write_request(parse_writer_prompt(kSmall, "small"), PromptForm::kChat,
                                     {.scenes = {"rain", "snow"}});
  ASSERT_EQ(request.messages.size(), 4U);
  EXPECT_EQ(request.messages[0].role, Role::kSystem);
  EXPECT_EQ(request.messages[2].role, Role::kAssistant);
  EXPECT_EQ(text_of(request.messages[2]), "Which scene barks?");
  EXPECT_EQ(text_of(request.messages[3]), "A: rain / B: snow\nQ:");
  EXPECT_TRUE(request.sampling.stop.empty());
}

TEST(WriterPrompt, LooksForNoPlaceholdersInWhatIsPutIn) {
  const auto request = write_request(parse_writer_prompt(kSmall, "small"), PromptForm::kChat,
                                     {.scenes = {"{scenes} {x}", "{letter}"}});
  EXPECT_EQ(text_of(request.messages.back()), "A: {scenes} {x} / B: {letter}\nQ:");
}

TEST(WriterPrompt, NamesTheFieldAtFault) {
  const auto error = [](const std::string& yaml) {
    return error_of([&] { parse_writer_prompt(yaml, "p.yaml"); }).message;
  };
  EXPECT_THAT(error("users: x"), HasSubstr("'user' is meant?"));
  EXPECT_THAT(error("scene: x\nuser: '{scenes}'"), HasSubstr("'scene' holds no {caption}"));
  EXPECT_THAT(error("scene: '{caption}'\nuser: x"), HasSubstr("'user' holds no {scenes}"));
  EXPECT_THAT(error("scene: '{caption} {modality}'\nuser: '{scenes}'"),
              HasSubstr("unknown placeholder {modality}"));
  EXPECT_THAT(error("temperature: hot"), HasSubstr("'temperature' is to be a number"));
  EXPECT_THAT(error("stop: [1]"), HasSubstr("'stop' is to be a text"));
  EXPECT_THAT(error("examples: [{scenes: [one]}]"), HasSubstr("'examples[0]' is to have 2 to 4"));
  EXPECT_THAT(error("examples: [{scenes: [a, b], reply: x}]"), HasSubstr("unknown field 'reply'"));
  EXPECT_THAT(error("- a list"), HasSubstr("is to hold fields"));
  EXPECT_THAT(error("scene: '{caption}'\nuser: '{scenes}'\nexamples: [{scenes: [a, b]}]"),
              HasSubstr("'reply' is missing"));
}

TEST(GeneratePrompts, OfTheProgramAskAsPublished) {
  const auto prompts = load_generate_prompts({});
  EXPECT_EQ(prompts.question.sampling.temperature, 1.05);
  EXPECT_EQ(prompts.answer.sampling.temperature, 0.3);
  EXPECT_EQ(prompts.question.sampling.max_tokens, 120);
  EXPECT_EQ(prompts.question.reply_prefix, "Which scene");
  EXPECT_GE(prompts.question.examples.size(), 4U);
  const WriterInput input = {.scenes = {"rain", "snow"}, .question = "Which scene is colder?"};
  const auto question =
      text_of(write_request(prompts.question, PromptForm::kCompletion, input).messages[0]);
  EXPECT_TRUE(question.ends_with("\n\nScene A. \"rain\"\nScene B. \"snow\"\nGenerated Question:"));
  const auto answer =
      text_of(write_request(prompts.answer, PromptForm::kCompletion, input).messages[0]);
  EXPECT_TRUE(answer.ends_with(
      "\n\nScene A. rain\nScene B. snow\nQuestion: Which scene is colder?\nAnswer:"));
  // What decides is told whole.
  const auto told =
      io::parse_json(description_json(prompts.answer, PromptForm::kChat), "x").value();
  EXPECT_EQ(*told.find("form")->find_string(), "chat");
  EXPECT_EQ(*told.find("instruction")->find_string(), prompts.answer.instruction);
}

TEST(GeneratePrompts, AreReplacedFileByFile) {
  const TempDir folder;
  EXPECT_THAT(error_of([&] { load_generate_prompts(folder.path()); }).message,
              HasSubstr("neither question.yaml nor answer.yaml"));
  io::write_file_atomically(folder / "question.yaml", kSmall);
  const auto prompts = load_generate_prompts(folder.path());
  EXPECT_EQ(prompts.question.instruction, "Compare.");
  EXPECT_EQ(prompts.answer.instruction, load_generate_prompts({}).answer.instruction);
  io::write_file_atomically(folder / "answer.yaml", "scene: [");
  EXPECT_THAT(error_of([&] { load_generate_prompts(folder.path()); }).message,
              HasSubstr("answer.yaml"));
}

}  // namespace
}  // namespace contra4::pipeline
