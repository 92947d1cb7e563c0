// contra4 verify: embedded answerers, and servers on the loopback.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/pipeline/verify_fixtures.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

namespace fs = std::filesystem;
using contra4::testing::answer_as_model_server;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::TempDir;
using contra4::testing::with_failures;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kItems = 6;
constexpr int kOrders = 2 * (2 + 6 + 24);

class Verify : public ::testing::Test {
 protected:
  Verify() {
    pipeline::testing::write_questions(folder_ / "step2_3/random_test.json",
                                       pipeline::testing::make_items(kItems));
  }
  Outcome verify(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"verify", "--output-dir", folder_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::string answers(const std::string& model) const {
    return io::read_file(folder_ / ("step4/" + model + "_random_test.json"));
  }
  TempDir folder_;
};

TEST_F(Verify, RunsWithoutAServerAndSaysWhatThatIsWorth) {
  const Outcome outcome = verify(
      {"--model", "lexical/bm25", "--model", "first=blind/always-A", "--all-orders", "--json"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto json = io::parse_json(outcome.out, "counts").value();
  EXPECT_EQ(json.find_path("counts", "requests asked")->find_integer(), 2 * kOrders);
  EXPECT_EQ(json.find_path("counts", "agreeing: first")->find_integer(), 0);
  EXPECT_THAT(io::read_file(folder_ / "step4/bm25_random_test.manifest.json"),
              HasSubstr("not for publication"));
  EXPECT_THAT(answers("first"), HasSubstr(R"("answer_first": ["Scene A", "Scene A"])"));
  EXPECT_THAT(answers("bm25"), HasSubstr(R"("answer_bm25": ["Scene )"));
  EXPECT_THAT(
      verify({"--model", "lexical/bm25", "--model", "first=blind/always-A", "--all-orders"}).err,
      HasSubstr("done before"));
}

TEST_F(Verify, EachModelHasItsServerAndFailuresAreAskedAgain) {
  bool is_broken = true;
  const LoopbackServer llama([&](const LoopbackRequest& request) {
    if (is_broken && request.body.find("number 2?") != std::string::npos) {
      return LoopbackReply{.status = 400, .body = R"({"error": {"message": "too odd for me"}})"};
    }
    return answer_as_model_server(request);
  });
  const LoopbackServer phi(answer_as_model_server);
  const std::vector<std::string> flags = {"--model",     "llama=openai/l",
                                          "--model",     "phi=openai/p",
                                          "--base-url",  "llama=" + llama.base_url(),
                                          "--base-url",  "phi=" + phi.base_url(),
                                          "--until",     "majority",
                                          "--max-tries", "1"};
  const Outcome broken = verify(flags);
  EXPECT_EQ(broken.code, kExitSomeFailed) << broken.err;
  EXPECT_THAT(broken.err, AllOf(HasSubstr("llama, random_2"), HasSubstr("too odd for me")));
  for (const LoopbackRequest& request : phi.requests()) {
    EXPECT_THAT(request.body, HasSubstr(R"("model": "p")"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "step4/llama_random_test.json"));

  is_broken = false;
  const std::size_t asked = llama.num_requests();
  const Outcome whole = verify(flags);
  EXPECT_EQ(whole.code, kExitDone) << whole.err;
  EXPECT_LE(llama.num_requests() - asked, 24U) << "only what was open";
  EXPECT_THAT(llama.requests().back().body, AllOf(HasSubstr(R"("temperature": 0.3)"),
                                                  HasSubstr(R"("top_p": 0.9)"), HasSubstr(": 30")));
}

TEST_F(Verify, TwoServersWithFailuresGiveWhatSoundOnesGive) {
  const auto with = [&](const LoopbackServer& a, const LoopbackServer& b, const std::string& name) {
    const std::string dir = (folder_ / name).string();
    pipeline::testing::write_questions(folder_ / (name + "/step2_3/random_test.json"),
                                       pipeline::testing::make_items(kItems));
    int code = kExitSomeFailed;
    for (int run_number = 0; run_number < 12 && code == kExitSomeFailed; ++run_number) {
      const Outcome outcome =
          run({"verify", "--output-dir", dir, "--model", "m=openai/m", "--base-url", a.base_url(),
               "--base-url", b.base_url(), "--all-orders", "--max-tries", "1"});
      code = outcome.code;
    }
    EXPECT_EQ(code, kExitDone);
    return io::read_file(fs::path(dir) / "step4/m_random_test.json");
  };
  const LoopbackServer sound(answer_as_model_server);
  const std::string wanted = with(sound, sound, "sound");
  const LoopbackServer one(with_failures(answer_as_model_server, 0.1, 1));
  const LoopbackServer two(with_failures(answer_as_model_server, 0.1, 2));
  EXPECT_EQ(with(one, two, "shaky"), wanted);
}

TEST_F(Verify, ReplaysFromAnotherFolder) {
  ASSERT_EQ(verify({"--model", "lexical/bm25", "--all-orders"}).code, kExitDone);
  const TempDir other;
  const Outcome outcome =
      run({"verify", "--model", "bm25", "--replay", folder_.path().string(), "--output-dir",
           other.path().string(), "--all-orders", "--rule", "published"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(io::read_file(other / "step4/bm25_random_test.json"), answers("bm25"));
}

TEST_F(Verify, DryRunCountsAndAsksNothing) {
  const Outcome outcome = verify({"--model", "llama", "--model", "x=openai/x", "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("at most 128 requests"),
                    HasSubstr("llama (meta-llama/Llama-3.1-8B-Instruct), x (openai/x)")));
  EXPECT_FALSE(fs::exists(folder_ / "step4"));
}

TEST_F(Verify, WrongUseIsTold) {
  EXPECT_THAT(verify({}).err, HasSubstr("--model"));
  EXPECT_THAT(verify({"--model", "a/b=lexical/bm25"}).err, HasSubstr("'a/b'"));
  EXPECT_THAT(verify({"--model", "lexical/bm25", "--model", "bm25=blind/chance"}).err,
              HasSubstr("two models are called 'bm25'"));
  EXPECT_THAT(verify({"--model", "m=openai/m", "--base-url", "n=http://127.0.0.1:1/v1"}).err,
              HasSubstr("no --model is called 'n'"));
  EXPECT_THAT(verify({"--model", "lexical/bm25", "--compat", "--until", "majority"}).err,
              HasSubstr("--until says otherwise"));
  EXPECT_THAT(verify({"--model", "lexical/bm25", "--strategy", "similarity"}).err,
              HasSubstr("contra4 generate"));
  EXPECT_THAT(verify({"--model", "m", "--replay", (folder_ / "none").string()}).err,
              HasSubstr("no replies of 'm'"));
}

TEST_F(Verify, ThePublishedCommandLineParses) {
  const Outcome outcome = verify({"--model", "llama", "--strategy", "random", "--split", "test",
                                  "--batch_size", "16", "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
}

}  // namespace
}  // namespace contra4::apps
