// contra4 evaluate on the project's own small set: blind rules, and a server on the loopback.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/media/decoder.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/base64.h"
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

// What arrives is looked at by the decoders themselves.
class EvaluateMedia : public Evaluate {
 protected:
  void SetUp() override {
    try {
      decoder_ = &media::media_decoder();
    } catch (const Exception& error) {
      if (error.code() != ErrorCode::kUnimplemented) throw;
      GTEST_SKIP() << error.what();
    }
  }
  Outcome evaluate_media(std::vector<std::string> more) const {
    more.insert(more.end(), {"--input", "media", "--media-root", mini("media")});
    return evaluate(more, {{"CONTRA4_CACHE", (folder_ / "cache").string()}});
  }
  // Adds up what a request shows; every medium has to decode.
  void look_at(const io::JsonValue& root) {
    for (const auto& part : *root.find_path("messages", 0, "content")->find_array()) {
      const std::string& type = *part.find("type")->find_string();
      if (type == "text") {
        const std::string& text = *part.find("text")->find_string();
        num_objects_ += text.find("One and the same 3D object, drawn 4 times") != text.npos ? 1 : 0;
        num_videos_ += text.find("4 frames of one video, in order, at 0.") != text.npos ? 1 : 0;
      } else if (type == "image_url") {
        const std::string& url = *part.find_path("image_url", "url")->find_string();
        const std::string bytes = testing::base64_decode(url.substr(url.find(',') + 1));
        const auto picture = decoder_->decode_picture(bytes, "sent", {});
        ASSERT_TRUE(picture) << picture.error().message;
        EXPECT_LE(std::max(picture->width, picture->height), 300);
        ++num_pictures_;
      } else {
        ASSERT_EQ(type, "input_audio");
        EXPECT_EQ(*part.find_path("input_audio", "format")->find_string(), "wav");
        const std::string bytes =
            testing::base64_decode(*part.find_path("input_audio", "data")->find_string());
        EXPECT_GT(decoder_->decode_sound(bytes, "sent", {}).value().num_frames(), 1000U);
        ++num_sounds_;
      }
    }
  }

  const media::MediaDecoder* decoder_ = nullptr;
  int num_objects_ = 0;
  int num_videos_ = 0;
  int num_pictures_ = 0;
  int num_sounds_ = 0;
};

TEST_F(EvaluateMedia, SendsAllFourModalitiesToAServerThatTakesNoVideo) {
  const LoopbackServer server([](const LoopbackRequest& request) -> LoopbackReply {
    for (const char* type : {"video_url", "input_video"}) {
      if (request.body.find(std::string("\"") + type + "\"") == std::string::npos) continue;
      return {.status = 400,
              .body = std::string(R"({"error": {"message": "Invalid value: ')") + type +
                      R"('. Supported values are: 'text', 'image_url' and 'input_audio'."}})"};
    }
    return answer_as_model_server(request);
  });
  const auto outcome =
      evaluate_media({"--model", "openai/x", "--base-url", server.base_url(), "--video-frames", "4",
                      "--max-image-side", "300", "--view-side", "100"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("32 of 32 requests answered"));
  const auto dataset = data::load_dataset(mini("test.json"));
  std::map<Modality, int> num_scenes;
  for (const Item& item : dataset.items) {
    for (const Scene& scene : item.scenes) ++num_scenes[scene.modality];
  }
  for (const LoopbackRequest& request : server.requests()) {
    const auto root = io::parse_json(request.body, "request").value();
    const bool is_refused = request.body.find("video_url") != std::string::npos ||
                            request.body.find("input_video") != std::string::npos;
    const bool is_probe = request.body.find("What is this?") != std::string::npos;
    if (!is_refused && !is_probe) look_at(root);
  }
  EXPECT_EQ(num_objects_, num_scenes[Modality::kPointCloud]);
  EXPECT_EQ(num_videos_, num_scenes[Modality::kVideo]);
  EXPECT_EQ(num_sounds_, num_scenes[Modality::kAudio]);
  EXPECT_EQ(num_pictures_, num_scenes[Modality::kImage] + num_scenes[Modality::kPointCloud] +
                               4 * num_scenes[Modality::kVideo]);
  EXPECT_GT(num_objects_ * num_videos_ * num_sounds_, 0);
  const auto config = io::parse_json(file("config.json"), "config").value();
  EXPECT_EQ(config.find_path("settings", "media", "video_frames")->find_integer(), 4);
  // Other frames are other questions.
  EXPECT_EQ(evaluate_media({"--model", "openai/x", "--base-url", server.base_url()}).code,
            kExitFailed);
}

TEST_F(Evaluate, RefusesFormsOfMediaThatCannotBe) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--video-frames", "0"},
                                                {"--views", "7"},
                                                {"--up-axis", "x"},
                                                {"--view-side", "31"},
                                                {"--max-media-bytes", "1"},
                                                {"--max-image-side", "-1"}}) {
    std::vector<std::string> all = {"--model", "blind/chance"};
    all.insert(all.end(), flags.begin(), flags.end());
    const auto outcome = evaluate(all);
    EXPECT_EQ(outcome.code, kExitUsage) << flags[0];
    EXPECT_THAT(outcome.err, HasSubstr(flags[0]));
  }
}

TEST_F(EvaluateMedia, NamesPicturesForPrograms) {
  const std::string program = (folder_ / "look.sh").string();
  std::ofstream(program) << "tee -a " << (folder_ / "seen").string()
                         << " | sed -u 's/.*/{\"answer\": \"Scene A\"}/'\n";
  const auto outcome =
      evaluate_media({"--model", "exec/sh " + program, "--exec-pictures", "--views", "2",
                      "--up-axis", "z", "--view-side", "100", "--limit", "6"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  std::ifstream lines(folder_ / "seen");
  int num_pictures = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto request = io::parse_json(line, "request").value();
    for (const auto& scene : *request.find("scenes")->find_array()) {
      const std::string& modality = *scene.find("modality")->find_string();
      const auto* pictures = scene.find("pictures");
      EXPECT_EQ(pictures != nullptr, modality == "pc" || modality == "video") << line;
      if (pictures == nullptr) continue;
      for (const auto& picture : *pictures->find_array()) {
        const std::string& path = *picture.find_string();
        EXPECT_THAT(path, HasSubstr((folder_ / "cache").string()));
        EXPECT_TRUE(decoder_->decode_picture(io::read_file(path), "sent", {}));
        ++num_pictures;
      }
    }
  }
  EXPECT_GT(num_pictures, 2);
  const auto config = io::parse_json(file("config.json"), "config").value();
  EXPECT_EQ(config.find_path("settings", "media", "sent", "views")->find_integer(), 2);
  EXPECT_EQ(*config.find_path("settings", "media", "sent", "up")->find_string(), "z");
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
