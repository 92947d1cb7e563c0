#include "contra4/clients/exec_protocol.h"

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "tests/clients/answerer_support.h"

namespace contra4::clients {
namespace {

TEST(ExecRequest, TellsAllThatIsShownOnOneLine) {
  Question question = make_question(7);
  question.text = "Which\nscene?";
  question.scenes[0].id = {"42", true};
  question.scenes[0].media = "/data/a b.wav";
  question.scenes[1].id = {"007", false};
  question.scenes[1].caption.clear();
  EXPECT_EQ(
      exec_request_line(question),
      R"({"ticket": 7, "id": "item7", "question": "Which\nscene?", "scenes": [)"
      R"({"name": "Scene A", "letter": "A", "modality": "audio", "source": "test", "id": 42, )"
      R"("caption": "caption 0", "media": "/data/a b.wav"}, )"
      R"({"name": "Scene B", "letter": "B", "modality": "image", "source": "test", )"
      R"("id": "007"}], "seed": 7})");
}

TEST(ExecRequest, NamesPicturesOfTheScenesThatHaveSome) {
  Question question = make_question(7);
  question.scenes[1].media = "/data/chair.npz";
  const std::vector<ScenePictures> pictures = {{}, {{"/c/1.jpg", "/c/2.jpg"}, "Two pictures:"}};
  const auto root = io::parse_json(exec_request_line(question, pictures), "line").value();
  EXPECT_EQ(root.find_path("scenes", 0, "pictures"), nullptr);
  EXPECT_EQ(*root.find_path("scenes", 1, "media")->find_string(), "/data/chair.npz");
  EXPECT_EQ(*root.find_path("scenes", 1, "pictures", 1)->find_string(), "/c/2.jpg");
  EXPECT_EQ(*root.find_path("scenes", 1, "pictures_show")->find_string(), "Two pictures:");
}

TEST(ExecReply, ReadsEveryForm) {
  const auto read = [](std::string_view line) { return parse_exec_reply(line).value(); };
  EXPECT_EQ(read(R"({"ticket": 3, "answer": "it is B"})").ticket, 3U);
  EXPECT_EQ(read(R"({"answer": "it is B"})").text, "it is B");
  EXPECT_EQ(read(R"({"answer": "it is B"})").choice, std::nullopt);
  EXPECT_EQ(read(R"({"answer": ""})").text, "");
  EXPECT_EQ(read(R"({"answer": null})").text, "");
  EXPECT_EQ(read(R"({"answer": 2})").text, "2");
  EXPECT_EQ(read(R"({"choice": "b"})").choice, 1);
  EXPECT_EQ(read(R"({"choice": "Scene C"})").choice, 2);
  EXPECT_EQ(read(R"({"choice": 1})").text, "Scene B");
  EXPECT_EQ(read(R"({"choice": 1, "answer": "the louder one"})").text, "the louder one");
  EXPECT_EQ(read(R"({"scores": [0.5, 2]})").scores, (std::vector<double>{.5, 2}));
  EXPECT_EQ(read(R"({"error": "no GPU"})").error, "no GPU");
  EXPECT_FALSE(read(R"({"error": ""})").error.empty());
}

TEST(ExecReply, RefusesWhatIsNoAnswer) {
  for (const char* line :
       {"", "words", "[]", "{}", "null", R"({"ticket": 3})", R"({"ticket": -1, "answer": "B"})",
        R"({"ticket": "x", "answer": "B"})", R"({"ticket": 1.5, "answer": "B"})",
        R"({"answer": ["B"]})", R"({"choice": "?"})", R"({"choice": 77})", R"({"choice": true})",
        R"({"scores": "high"})", R"({"scores": ["high"]})", R"({"error": 1})",
        "{\"answer\": \"\xff\"}"}) {
    const Result<ExecReply> reply = parse_exec_reply(line);
    ASSERT_FALSE(reply) << line;
    EXPECT_EQ(reply.error().code, ErrorCode::kDataLoss);
  }
  const std::string long_line(100'000, 'x');
  EXPECT_LT(parse_exec_reply(long_line).error().message.size(), 400U);
}

TEST(ToAnswer, DecidesByChoiceThenText) {
  const Question question = make_question(1, 3);
  const auto answer = [&](std::string_view line) {
    return to_answer(question, parse_exec_reply(line).value());
  };
  EXPECT_EQ(answer(R"({"scores": [1, 3, 3]})").choice, 1);
  EXPECT_EQ(answer(R"({"scores": [1, 3, 3]})").text, "Scene B");
  EXPECT_EQ(answer(R"({"answer": "C", "scores": [1, 3, 2]})").choice, std::nullopt);
  EXPECT_EQ(answer(R"({"choice": "D"})").choice, std::nullopt);
  EXPECT_EQ(answer(R"({"choice": "D"})").text, "Scene D");
  EXPECT_EQ(answer(R"({"choice": "D"})").status, OutcomeStatus::kAnswered);
  EXPECT_EQ(answer(R"({"scores": [1, 2]})").status, OutcomeStatus::kFailed);
  EXPECT_NE(answer(R"({"scores": [1, 2]})").error.message.find("3 scenes"), std::string::npos);
  EXPECT_EQ(answer(R"({"error": "no GPU"})").status, OutcomeStatus::kFailed);
  EXPECT_NE(answer(R"({"error": "no GPU"})").error.message.find("no GPU"), std::string::npos);
}

}  // namespace
}  // namespace contra4::clients
