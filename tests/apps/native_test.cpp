// Native models as a user meets them: OneLLM of random weights over real files of all modalities.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::mini_dir;
using contra4::testing::shared_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTiny = std::string("onellm/") + CONTRA4_TINY_ONELLM;

class NativeModel : public ::testing::Test {
 protected:
  Outcome evaluate(const std::string& output, std::vector<std::string> more = {},
                   std::stop_token stop = {}) {
    std::vector<std::string> arguments = {"evaluate",
                                          "--dataset",
                                          (mini_dir() / "test.json").string(),
                                          "--model",
                                          kTiny,
                                          "--media-root",
                                          (mini_dir() / "media").string(),
                                          "--output",
                                          (folder_ / output).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, {{"CONTRA4_CACHE", (folder_ / "cache").string()}}, std::move(stop));
  }
  Outcome ask(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"ask", "--question", "Which scene is the loudest?",
                                          "--no-feature-store"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::string predictions(const std::string& output) {
    return io::read_file(folder_ / output / "predictions.json");
  }
  TempDir folder_;
};

TEST_F(NativeModel, AnswersTheMiniSetFromItsFilesAndAgainFromKeptFeatures) {
  const auto first = evaluate("first");
  ASSERT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.err, HasSubstr("onellm: "));
  const auto rows = io::parse_json(predictions("first"), "predictions").value();
  ASSERT_NE(rows.find_array(), nullptr);
  EXPECT_EQ(rows.find_array()->size(), 32U);
  EXPECT_THAT(predictions("first"), Not(HasSubstr("\"choice\": null")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache" / "features"));

  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--no-feature-store", "--batch-size", "1"}}) {
    ASSERT_EQ(evaluate("second", more).code, kExitDone);
    EXPECT_EQ(predictions("second"), predictions("first")) << "batches and kept features";
    std::filesystem::remove_all(folder_ / "second");
  }
}

TEST_F(NativeModel, AnswersInEveryOrderAndGoesOnAfterAnInterruption) {
  ASSERT_EQ(evaluate("whole", {"--permutations", "circular"}).code, kExitDone);
  // As a kill leaves it: half of the journal, a torn line, no predictions.
  const std::string journal = io::read_file(folder_ / "whole" / "journal.jsonl");
  std::filesystem::copy(folder_ / "whole", folder_ / "cut");
  std::filesystem::remove(folder_ / "cut" / "predictions.json");
  std::ofstream(folder_ / "cut" / "journal.jsonl") << journal.substr(0, journal.size() / 2);
  const auto rest = evaluate("cut", {"--permutations", "circular"});
  ASSERT_EQ(rest.code, kExitDone) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("by an earlier run"));
  EXPECT_EQ(predictions("cut"), predictions("whole"));

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = evaluate("stopped", {}, stop.get_token());
  EXPECT_EQ(stopped.code, kExitFailed);
  EXPECT_THAT(stopped.err, HasSubstr("the same command goes on"));
}

TEST_F(NativeModel, CountsAFileThatDoesNotDecodeAsFailed) {
  std::filesystem::copy(mini_dir() / "media", folder_ / "media",
                        std::filesystem::copy_options::recursive);
  std::ofstream(folder_ / "media" / "audio" / "thunder.wav", std::ios::trunc) << "no sound";
  const auto outcome =
      evaluate("run", {"--media-root", (folder_ / "media").string(), "--limit", "8"});
  EXPECT_EQ(outcome.code, kExitUsage) << "--media-root twice";
  std::filesystem::remove_all(folder_ / "run");
  const auto once = run({"evaluate", "--dataset", (mini_dir() / "test.json").string(), "--model",
                         kTiny, "--media-root", (folder_ / "media").string(), "--output",
                         (folder_ / "run").string(), "--no-feature-store"});
  EXPECT_EQ(once.code, kExitSomeFailed);
  EXPECT_THAT(once.err, HasSubstr("thunder.wav"));
  EXPECT_THAT(once.err, HasSubstr("failed"));
}

TEST_F(NativeModel, SaysWhatIsWrongWithFlagsAndFiles) {
  const auto words = [&](const Outcome& outcome) { return outcome.err; };
  EXPECT_THAT(words(ask({"--model", "onellm/nowhere", "--scene", "image:a red car", "--scene",
                         "audio:a bell"})),
              HasSubstr("no file or folder nowhere"));
  const auto captions =
      ask({"--model", kTiny, "--scene", "image:a red car", "--scene", "audio:a bell"});
  EXPECT_EQ(captions.code, kExitUsage);
  EXPECT_THAT(words(ask({"--model", "lexical/bm25", "--compat", "--scene", "image:a red car",
                         "--scene", "audio:a bell"})),
              HasSubstr("--compat is of native models"));
  EXPECT_EQ(evaluate("x", {"--compat", "--answer", "logprobs"}).code, kExitUsage);
  EXPECT_EQ(evaluate("x", {"--device", "tpu"}).code, kExitUsage);
  EXPECT_THAT(evaluate("x", {"--prompt-template", "nothing"}).err, HasSubstr("{question}"));
  EXPECT_THAT(evaluate("x", {"--tokenizer", "/nowhere.model"}).err, HasSubstr("/nowhere.model"));

  std::filesystem::create_directory(folder_ / "empty");
  const auto empty = run({"evaluate", "--dataset", (mini_dir() / "test.json").string(), "--model",
                          "onellm/" + (folder_ / "empty").string(), "--media-root",
                          (mini_dir() / "media").string(), "--output", (folder_ / "y").string()});
  EXPECT_EQ(empty.code, kExitFailed);
  EXPECT_THAT(empty.err, HasSubstr("tokenizer.model"));
}

// The whole way of a user's file: decoding, preprocessing, encoding, prompt, decoding of tokens.
TEST_F(NativeModel, AsksAsTheReferenceDoes) {
  CONTRA4_REQUIRE_SHARED();
  const auto goldens = shared_dir() / "goldens";
  const auto cases =
      io::parse_json(io::read_file(goldens / "onellm" / "cases.json"), "cases").value();
  ASSERT_NE(cases.find_array(), nullptr);
  ASSERT_EQ(cases.find_array()->size(), 4U);
  const auto scene_of = [&](const std::string& modality) {
    const auto media = goldens / "media";
    if (modality == "image") return "image:" + (media / "landscape.jpg").string();
    if (modality == "audio") return "audio:" + (media / "speech16k.wav").string();
    if (modality == "point") return "pc:" + (media / "chair_8192.npz").string();
    return "video:" + (goldens / "onellm" / "video_input.npz").string();
  };
  for (const io::JsonValue& one : *cases.find_array()) {
    for (const bool is_published : {true, false}) {
      std::vector<std::string> arguments = {"ask",
                                            "--model",
                                            "onellm/" + (goldens / "onellm").string(),
                                            "--question",
                                            *one.find("question")->find_string(),
                                            "--json",
                                            "--dtype",
                                            "float32",
                                            "--max-new-tokens",
                                            "8",
                                            "--no-feature-store"};
      for (const io::JsonValue& modality : *one.find("modalities")->find_array()) {
        arguments.insert(arguments.end(), {"--scene", scene_of(*modality.find_string())});
      }
      if (is_published) {
        arguments.emplace_back("--compat");
      } else {
        arguments.insert(arguments.end(), {"--answer", "text"});
      }
      const auto outcome = run(arguments);
      ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
      const auto trace = io::parse_json(outcome.out, "trace").value();
      const auto integers = [](const io::JsonValue* list) {
        std::vector<std::int64_t> numbers;
        for (const io::JsonValue& number : *list->find_array()) {
          numbers.push_back(*number.find_integer());
        }
        return numbers;
      };
      EXPECT_EQ(integers(trace.find("token_ids")),
                integers(one.find(is_published ? "published_tokens" : "corrected_tokens")));
      EXPECT_EQ(integers(trace.find("prompt_token_ids")), integers(one.find("prompt_tokens")));
      EXPECT_EQ(*trace.find("prompt")->find_string(), *one.find("prompt")->find_string());
      EXPECT_EQ(trace.find("sequence_length")->find_integer(),
                one.find("sequence_length")->find_integer());
    }
  }
}

}  // namespace
}  // namespace contra4::apps
