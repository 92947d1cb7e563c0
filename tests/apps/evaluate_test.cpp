// contra4 evaluate on the project's own small set: blind rules, and a server on the loopback.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::answer_as_model_server;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMiniItems = 32;

std::string mini(const std::string& name) {
  return (mini_dir() / name).string();
}

class Evaluate : public ::testing::Test {
 protected:
  std::string run_folder() const { return (folder_ / "run").string(); }
  Outcome evaluate(std::vector<std::string> more, const Variables& variables = {},
                   std::stop_token stop = {}) const {
    std::vector<std::string> arguments = {"evaluate", "--dataset", mini("test.json"), "--output",
                                          run_folder()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, variables, std::move(stop));
  }
  std::string file(const std::string& name) const {
    return io::read_file(std::filesystem::path(run_folder()) / name);
  }
  TempDir folder_;
};

TEST_F(Evaluate, ABlindRuleLeavesAWholeRun) {
  const auto outcome =
      evaluate({"--model", "blind/modality-prior", "--fit", mini("val.json"), "--input", "none"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("modality-prior"));
  EXPECT_THAT(outcome.err, HasSubstr("32 of 32 requests answered"));
  for (const char* name :
       {"config.json", "journal.jsonl", "predictions.json", "results.json", "report.md"}) {
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(run_folder()) / name)) << name;
  }
  const auto results = io::parse_json(file("results.json"), "results").value();
  EXPECT_EQ(results.find_path("accuracy", "all", "total")->find_integer(), kMiniItems);
  EXPECT_THAT(file("report.md"), HasSubstr("contra4 evaluate"));
}

TEST_F(Evaluate, ASecondRunAsksNothing) {
  const LoopbackServer server(answer_as_model_server);
  const std::vector<std::string> flags = {"--model",         "openai/x", "--base-url",
                                          server.base_url(), "--input",  "oracle-captions"};
  EXPECT_EQ(evaluate(flags).code, kExitDone);
  const auto asked = server.num_requests();
  EXPECT_GE(asked, static_cast<std::size_t>(kMiniItems));
  const auto predictions = file("predictions.json");
  const auto second = evaluate(flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_EQ(server.num_requests(), asked);
  EXPECT_THAT(second.err, HasSubstr("32 by an earlier run"));
  EXPECT_EQ(file("predictions.json"), predictions);
}

TEST_F(Evaluate, AChangedSettingIsAnErrorThatNamesIt) {
  EXPECT_EQ(evaluate({"--model", "blind/chance", "--seed", "1"}).code, kExitDone);
  const auto changed = evaluate({"--model", "blind/chance", "--seed", "2"});
  EXPECT_EQ(changed.code, kExitFailed);
  EXPECT_THAT(changed.err, HasSubstr("seed: 1 -> 2"));
  EXPECT_THAT(changed.err, HasSubstr("--overwrite"));
  EXPECT_EQ(evaluate({"--model", "blind/chance", "--seed", "2", "--overwrite"}).code, kExitDone);
}

TEST_F(Evaluate, FailedItemsAreListedAndAskedAgain) {
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackReply reply = answer_as_model_server(request);
    if (request.body.find("Which scene would be the loudest?") != std::string::npos)
      reply = {.status = 400, .body = "{}"};
    return reply;
  });
  const std::vector<std::string> flags = {"--model",         "openai/x", "--base-url",
                                          server.base_url(), "--input",  "oracle-captions"};
  const auto first = evaluate(flags);
  EXPECT_EQ(first.code, kExitSomeFailed) << first.err;
  EXPECT_THAT(first.err, HasSubstr("failed: "));
  EXPECT_THAT(first.err, HasSubstr("asks those again"));
  server.set_handler(answer_as_model_server);
  const auto second = evaluate(flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
}

TEST_F(Evaluate, ADryRunAsksNothingAndTellsWhatItWould) {
  const LoopbackServer server(answer_as_model_server);
  const auto prices = folder_ / "prices.yaml";
  std::ofstream(prices) << "x: {prompt: 1.0, completion: 2.0}\n";
  const auto outcome = evaluate({"--model", "openai/x", "--base-url", server.base_url(), "--input",
                                 "oracle-captions", "--permutations", "all", "--prices",
                                 prices.string(), "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("openai/x would be asked 288 requests about 32 items"));
  EXPECT_THAT(outcome.out, HasSubstr("mc_4/similarity"));
  EXPECT_THAT(outcome.out, HasSubstr("Scene A"));
  EXPECT_THAT(outcome.out, HasSubstr("$"));
  EXPECT_EQ(server.num_requests(), 0U);
  EXPECT_FALSE(std::filesystem::exists(run_folder()));
}

TEST_F(Evaluate, AModelWithoutFamilyIsOnTheServerOfBaseUrl) {
  const LoopbackServer server(answer_as_model_server);
  const auto outcome = run({"evaluate", "--data_path", mini("test.json"), "--model_id",
                            "meta-llama/Llama-3.1-8B-Instruct", "--bs", "4", "--input",
                            "oracle_captions", "--output", run_folder(), "--limit", "3"},
                           {{"OPENAI_BASE_URL", server.base_url()}});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(file("config.json"), HasSubstr("openai/meta-llama/Llama-3.1-8B-Instruct"));
}

TEST_F(Evaluate, TheEnvironmentWinsOverConfigAndAFlagOverBoth) {
  const LoopbackServer from_environment(answer_as_model_server);
  const LoopbackServer from_file(answer_as_model_server);
  const LoopbackServer typed(answer_as_model_server);
  const auto config = folder_ / "c.yaml";
  std::ofstream(config) << "model: openai/x\ninput: oracle-captions\nlimit: 2\nbase_url: "
                        << from_file.base_url() << "\n";
  const Variables variables = {{"OPENAI_BASE_URL", from_environment.base_url()}};
  EXPECT_EQ(evaluate({"--config", config.string()}, variables).code, kExitDone);
  EXPECT_GT(from_environment.num_requests(), 0U);
  EXPECT_EQ(from_file.num_requests(), 0U);
  EXPECT_EQ(evaluate({"--config", config.string(), "--base-url", typed.base_url(), "--overwrite"},
                     variables)
                .code,
            kExitDone);
  EXPECT_GT(typed.num_requests(), 0U);
}

TEST_F(Evaluate, AKeyReachesTheServerAndNoFile) {
  const LoopbackServer server(answer_as_model_server);
  const std::string key = "sk-a-secret-of-this-test";
  const auto outcome = evaluate({"--model", "openai/x", "--base-url", server.base_url(), "--input",
                                 "oracle-captions", "--verbose"},
                                {{"OPENAI_API_KEY", key}});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(std::string(server.requests().front().header("authorization")), HasSubstr(key));
  for (const auto& entry : std::filesystem::directory_iterator(run_folder())) {
    EXPECT_THAT(io::read_file(entry.path()), Not(HasSubstr(key))) << entry.path();
  }
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(key)));
}

TEST_F(Evaluate, MissingMediaAreListedBeforeAnythingRuns) {
  const LoopbackServer server(answer_as_model_server);
  const std::vector<std::string> flags = {"--model",         "openai/x", "--base-url",
                                          server.base_url(), "--input",  "media"};
  const auto outcome = evaluate(flags);
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("without a file"));
  EXPECT_THAT(outcome.err, HasSubstr("--skip-missing-media"));
  EXPECT_EQ(server.num_requests(), 0U);
}

TEST_F(Evaluate, PredictedCaptionsCountTheMissingApart) {
  const auto outcome =
      evaluate({"--model", "blind/longest-caption", "--input", "predicted-captions", "--captions",
                mini("predicted_captions.jsonl")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("without input"));
  EXPECT_EQ(evaluate({"--model", "blind/chance", "--input", "predicted-captions"}).code,
            kExitUsage);
  EXPECT_EQ(evaluate({"--model", "blind/chance", "--captions", "x"}).code, kExitUsage);
}

TEST_F(Evaluate, ShardsAreScoredAsOneRun) {
  std::vector<std::string> folders;
  for (const char* shard : {"1/2", "2/2"}) {
    folders.push_back((folder_ / (std::string("s") + shard[0])).string());
    const auto outcome = run({"evaluate", "--dataset", mini("test.json"), "--model",
                              "blind/always-A", "--shard", shard, "--output", folders.back()});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  }
  const auto outcome = run(
      {"score", "--dataset", mini("test.json"), "--predictions", folders[0], folders[1], "--json"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto results = io::parse_json(outcome.out, "results").value();
  EXPECT_EQ(results.find_path("accuracy", "all", "total")->find_integer(), kMiniItems);
}

TEST_F(Evaluate, CompareFindsTheDatasetOfItsRuns) {
  const auto other = (folder_ / "other").string();
  EXPECT_EQ(evaluate({"--model", "blind/always-A"}).code, kExitDone);
  EXPECT_EQ(run({"evaluate", "--dataset", mini("test.json"), "--model", "blind/longest-caption",
                 "--output", other})
                .code,
            kExitDone);
  const auto outcome = run({"compare", run_folder(), other});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("longest-caption"));
}

TEST_F(Evaluate, NoiseRunsGiveTheMsnr) {
  const LoopbackServer server(answer_as_model_server);
  const auto asks = [&](const char* input, std::vector<std::string> more) {
    more.insert(more.begin(),
                {"evaluate", "--dataset", mini("test.json"), "--model", "openai/x", "--base-url",
                 server.base_url(), "--input", input, "--output", (folder_ / input).string()});
    return run(more);
  };
  EXPECT_EQ(asks("none", {}).code, kExitDone);
  EXPECT_EQ(asks("random-captions", {}).code, kExitDone);
  const auto outcome =
      asks("oracle-captions", {"--json", "--noise-none", (folder_ / "none").string(),
                               "--noise-random", (folder_ / "random-captions").string()});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\"msnr\""));
}

TEST_F(Evaluate, AStopKeepsWhatIsDone) {
  std::stop_source stop;
  int count = 0;
  const LoopbackServer server([&](const LoopbackRequest& request) {
    if (++count == 10) stop.request_stop();
    LoopbackReply reply = answer_as_model_server(request);
    reply.delay = std::chrono::milliseconds(5);
    return reply;
  });
  const std::vector<std::string> flags = {
      "--model",         "openai/x",      "--base-url", server.base_url(),   "--input",
      "oracle-captions", "--concurrency", "1",          "--max-concurrency", "1"};
  const auto outcome = evaluate(flags, {}, stop.get_token());
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
  const auto second = evaluate(flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_THAT(second.err, HasSubstr("by an earlier run"));
}

TEST_F(Evaluate, WrongValuesAreWrongUsage) {
  const std::vector<std::vector<std::string>> cases = {
      {"--model", "blind/chance", "--shard", "3/2"},
      {"--model", "blind/chance", "--limit", "0"},
      {"--model", "blind/chance", "--permutations", "some"},
      {"--model", "blind/chance", "--input", "smell"},
      {"--model", "blind/chance", "--concurrency", "0"},
      {"--model", "openai/x", "--base-url", "http://h", "--max-cost", "3"},
      {"--model", "openai/x", "--base-url", "http://h", "--min-concurrency", "9",
       "--max-concurrency", "3"},
      {}};
  for (const auto& flags : cases) {
    const auto outcome = evaluate(flags);
    EXPECT_EQ(outcome.code, kExitUsage) << ::testing::PrintToString(flags) << outcome.err;
  }
}

TEST_F(Evaluate, APriorWithoutFitNamesTheFlag) {
  const auto outcome = evaluate({"--model", "blind/modality-prior"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("--fit"));
}

}  // namespace
}  // namespace contra4::apps
