// contra4 generate on a few tuples, with a server on the loopback and without any.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::json_text;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::TempDir;
using contra4::testing::with_failures;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTuples = 12;

bool wants_question(const LoopbackRequest& request) {
  return request.body.find("Generated Question:") != std::string::npos;
}

// A chat server that goes on from the beginning of a reply; one seed of three gives no question.
LoopbackReply write_text(const LoopbackRequest& request) {
  const auto body = io::parse_json(request.body, "request").value();
  const std::int64_t seed = body.find("seed")->find_integer().value();
  std::string text = "Scene B. It is the kite.";
  if (wants_question(request)) {
    text = seed % 3 == 0 ? " is this one" : fmt::format(" is number {}?", seed % 100);
    if (body.find("continue_final_message") == nullptr &&
        request.path().find("chat") != std::string_view::npos) {
      text = "Which scene" + text;
    }
  }
  const bool is_chat = request.path().find("chat") != std::string_view::npos;
  return {.body = is_chat ? R"({"choices": [{"message": {"content": )" + json_text(text) + "}}]}"
                          : R"({"choices": [{"text": )" + json_text(text) + "}]}"};
}

class GenerateCommand : public ::testing::Test {
 protected:
  void write_tuples(const std::string& folder) const {
    std::string json;
    for (int i = 0; i < kTuples; ++i) {
      json += fmt::format(
          R"({{"id": "random_{}", "examples": [{{"source": "s", "id": {}, "caption": "rain {}"}}, )"
          R"({{"source": "t", "id": "k{}", "caption": "a red kite"}}], )"
          R"("modalities": ["audio", "image"]}})"
          "\n",
          i, i, i, i);
    }
    std::filesystem::create_directories(folder_ / folder / "step1");
    io::write_file_atomically(folder_ / folder / "step1" / "tuples_random_test.jsonl", json);
  }
  Outcome generate(const std::string& folder, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"generate",
                                          "--strategy",
                                          "random",
                                          "--split",
                                          "test",
                                          "--output-dir",
                                          (folder_ / folder).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::string file(const std::string& name) const { return io::read_file(folder_ / name); }
  TempDir folder_;
};

TEST_F(GenerateCommand, NeedsTuples) {
  const auto outcome = generate("a", {"--model_id", "rules"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("contra4 sample"));
}

TEST_F(GenerateCommand, WritesByRulesAndSaysSo) {
  write_tuples("a");
  const auto outcome = generate("a", {"--model_id", "rules"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("not for publication"));
  EXPECT_THAT(file("a/step2_3/random_test.manifest.json"), HasSubstr("\"rules\""));
  EXPECT_THAT(file("a/step2_3/random_test.json"), HasSubstr("\"questions\": [\"Which scene"));
  EXPECT_THAT(outcome.err, HasSubstr("random_test.json: written"));
  EXPECT_THAT(generate("a", {"--model_id", "rules"}).err, HasSubstr("done before, nothing to do"));
}

TEST_F(GenerateCommand, EndsWithTheSameBytesWhateverFails) {
  const LoopbackServer calm(write_text);
  write_tuples("calm");
  const auto first =
      generate("calm", {"--model_id", "m", "--base-url", calm.base_url(), "--bs", "1"});
  EXPECT_EQ(first.code, kExitDone) << first.err;
  // 429, 500, cut replies.
  const LoopbackServer rough(with_failures(write_text, 0.3, 5));
  write_tuples("rough");
  const auto second = generate("rough", {"--model_id", "m", "--base-url", rough.base_url(), "--bs",
                                         "8", "--max-tries", "50"});
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_GT(rough.num_requests(), calm.num_requests());
  for (const char* name : {"step2/random_test.json", "step2_3/random_test.json"}) {
    EXPECT_EQ(file(std::string("calm/") + name), file(std::string("rough/") + name));
  }
  // Where servers are is no setting: done before.
  const auto asked = rough.num_requests();
  EXPECT_EQ(generate("calm", {"--model_id", "m", "--base-url", rough.base_url()}).code, kExitDone);
  EXPECT_EQ(rough.num_requests(), asked);
}

TEST_F(GenerateCommand, BeginsTheReplyInBothForms) {
  const LoopbackServer server(write_text);
  write_tuples("chat");
  write_tuples("completions");
  const std::vector<std::string> flags = {"--model_id", "m", "--base-url", server.base_url()};
  EXPECT_EQ(generate("chat", flags).code, kExitDone);
  EXPECT_THAT(server.requests().front().body, HasSubstr("\"continue_final_message\": true"));
  const auto before = server.num_requests();
  auto older = flags;
  older.insert(older.end(), {"--api", "completions"});
  EXPECT_EQ(generate("completions", older).code, kExitDone);
  EXPECT_THAT(server.requests()[before].body, HasSubstr("Generated Question: Which scene\""));
  EXPECT_THAT(file("completions/step2/random_test.json"), HasSubstr("\"Which scene is number "));
}

TEST_F(GenerateCommand, ChecksTheReplyWhereAServerCannotBeginIt) {
  const LoopbackServer server([](const LoopbackRequest& request) {
    if (request.body.find("continue_final_message") != std::string::npos) {
      return LoopbackReply{
          .status = 400,
          .body =
              R"({"error": {"message": "Unrecognized request argument: add_generation_prompt"}})"};
    }
    return write_text(request);
  });
  write_tuples("a");
  const auto outcome = generate("a", {"--model_id", "m", "--base-url", server.base_url()});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(file("a/step2/random_test.json"), HasSubstr("\"Which scene is number "));
}

TEST_F(GenerateCommand, TellsFailedRequestsAndAsksThoseAgain) {
  LoopbackServer server([](const LoopbackRequest& request) {
    if (request.body.find("rain 3\\\"") != std::string::npos) {
      return LoopbackReply{.status = 400, .body = "{}"};
    }
    return write_text(request);
  });
  write_tuples("a");
  const std::vector<std::string> flags = {"--model_id", "m", "--base-url", server.base_url()};
  const auto first = generate("a", flags);
  EXPECT_EQ(first.code, kExitSomeFailed) << first.err;
  EXPECT_THAT(first.err, HasSubstr("1 request without a reply"));
  server.set_handler(write_text);
  const auto before = server.num_requests();
  const auto second = generate("a", flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
  const std::vector<LoopbackRequest> requests = server.requests();
  ASSERT_GT(requests.size(), before);
  for (std::size_t i = before; i < requests.size(); ++i) {
    if (wants_question(requests[i])) {
      EXPECT_THAT(requests[i].body, HasSubstr("rain 3\\\""));
    }
  }
}

TEST_F(GenerateCommand, ADryRunShowsThePrompt) {
  write_tuples("a");
  const auto outcome =
      generate("a", {"--model_id", "m", "--base-url", "http://127.0.0.1:1/v1", "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("m would be asked 24 requests about 12 tuples"));
  EXPECT_THAT(outcome.out, HasSubstr("Scene A. \"rain 0\""));
  EXPECT_THAT(outcome.out, HasSubstr("begin with: Which scene"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/step2"));
}

TEST_F(GenerateCommand, RefusesModelsThatWriteNoText) {
  write_tuples("a");
  const auto outcome = generate("a", {"--model_id", "blind/always-A"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("openai/NAME"));
  EXPECT_EQ(generate("a", {"--model_id", "openai/m", "--base-url", "http://127.0.0.1:1",
                           "--answers-by", "rules"})
                .code,
            kExitUsage);
}

}  // namespace
}  // namespace contra4::apps
