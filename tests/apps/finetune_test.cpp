// `contra4 finetune` as far as no weight moves: what it takes, what it refuses, what it would do.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTiny = CONTRA4_TINY_ONELLM;

std::string mini(const std::string& name) {
  return (mini_dir() / name).string();
}

class Finetune : public ::testing::Test {
 protected:
  // On the validation set of data/mini: 16 questions.
  Outcome plan(std::vector<std::string> more, const Variables& variables = {}) {
    std::vector<std::string> arguments = {
        "finetune",     "--data",       mini("val.json"),
        "--media-root", mini("media"),  "--llama_ckpt_dir",
        kTiny,          "--output_dir", (folder_ / "run").string(),
        "--device",     "cpu",          "--dry-run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, variables);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  TempDir folder_;
};

TEST_F(Finetune, ListsTheFlagsOfThePublishedScript) {
  const auto outcome = run({"finetune", "--help"});
  EXPECT_EQ(outcome.code, kExitDone);
  for (const char* flag : {"--datasets",
                           "--epochs",
                           "--batch-size",
                           "--accum-iter",
                           "--llama-type",
                           "--llama-ckpt-dir",
                           "--llama-config",
                           "--tokenizer-path",
                           "--weight-decay",
                           "--lr ",
                           "--min-lr",
                           "--warmup-epochs",
                           "--clip-grad",
                           "--output-dir",
                           "--log-dir",
                           "--device",
                           "--seed",
                           "--resume",
                           "--auto-resume",
                           "--init-from ",
                           "--init-from-image",
                           "--num-workers",
                           "--pin-mem",
                           "--no-pin-mem",
                           "--world-size",
                           "--local-rank",
                           "--dist-on-itp",
                           "--dist-url",
                           "--model-parallel-size",
                           "--data-parallel",
                           "--precision",
                           "--save-interval",
                           "--save-consolidated",
                           "--checkpointing",
                           "--max-words",
                           "--image-words"}) {
    EXPECT_THAT(outcome.out, HasSubstr(flag));
  }
  EXPECT_THAT(run({"--help"}).out, HasSubstr("finetune"));
}

TEST_F(Finetune, NamesTheNearestFlag) {
  const auto outcome = run({"finetune", "--accum_itr", "2"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean --accum-iter?"));
}

TEST_F(Finetune, SaysHowMuchOfABatchIsComputedAtOnce) {
  const auto activations = [](const std::string& text) {
    const auto line = text.find("activations, about");
    EXPECT_NE(line, std::string::npos) << text;
    return text.substr(line, text.find('\n', line) - line);
  };
  const auto parts = plan({"--batch-size", "4"});
  EXPECT_THAT(parts.out, HasSubstr("computed: 1 question at a time"));
  const auto whole = plan({"--batch-size", "4", "--micro-batch-size", "4"});
  EXPECT_THAT(whole.out, Not(HasSubstr("at a time")));
  EXPECT_NE(activations(parts.out), activations(whole.out));
  EXPECT_EQ(activations(parts.out), activations(plan({"--batch-size", "1"}).out));
  const auto uneven = plan({"--batch-size", "4", "--micro-batch-size", "3"});
  EXPECT_EQ(uneven.code, kExitUsage);
  EXPECT_THAT(uneven.err, HasSubstr("--micro-batch-size 3 does not divide --batch-size 4"));
}

// As in the README of the paper, with the program's name for the script's.
TEST_F(Finetune, TakesThePublishedCommand) {
  const auto release = folder_ / "release";
  std::filesystem::create_directory(release);
  std::filesystem::copy(mini("val.json"), release / "train_unanimous_permute_filter.json");
  const auto outcome = run({"finetune", "--batch_size", "2", "--epochs", "1", "--output_dir",
                            (folder_ / "output").string(), "--llama_ckpt_dir", kTiny,
                            "--llama_config", kTiny + "/params.json", "--tokenizer_path",
                            kTiny + "/tokenizer.model", "--media-root", mini("media"), "--dry-run"},
                           {{"CONTRA4_RELEASE", release.string()}});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("16 questions"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "output")) << "a dry run writes nothing";
}

TEST_F(Finetune, SaysWhatItWouldDo) {
  const auto outcome = plan({});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("learnt from: 16 questions"));
  EXPECT_THAT(outcome.out, HasSubstr("of 2 x 1 x 1 questions"));
  EXPECT_THAT(outcome.out, HasSubstr("everything but CLIP"));
  EXPECT_THAT(outcome.out, HasSubstr("memory of a process on cpu, fp32"));
  const auto shared = plan({"--data-parallel", "fsdp", "--precision", "bf16", "--train", "lora"},
                           {{"RANK", "0"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "0"}});
  ASSERT_EQ(shared.code, kExitDone) << shared.err;
  EXPECT_THAT(shared.out, HasSubstr("of 2 x 4 x 1 questions"));
  EXPECT_THAT(shared.out, HasSubstr("low-rank updates"));
  EXPECT_THAT(shared.out, HasSubstr("bf16, fsdp"));
  const auto other = plan({}, {{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "3"}});
  EXPECT_EQ(other.code, kExitDone) << other.err;
  EXPECT_EQ(other.out + other.err, "") << "rank 0 talks for all";
}

TEST_F(Finetune, SaysWhatCompatNeverShows) {
  const auto outcome = plan({"--compat", "--batch_size", "3"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("never shown, as published"));
  EXPECT_THAT(outcome.out, HasSubstr("up to 1e-07 over 1 epochs"));
}

TEST_F(Finetune, NamesAndLeavesOutQuestionsWithoutAnAnswer) {
  const auto run_on = [&](const std::string& file) {
    return run({"finetune", "--data", file, "--media-root", mini("media"), "--llama_ckpt_dir",
                kTiny, "--output_dir", (folder_ / "run").string(), "--device", "cpu", "--dry-run"});
  };
  const std::string answer = "\"gt_answer\": \"Scene A\"";
  std::string some = io::read_file(mini("val.json"));
  const auto first = some.find(answer);
  ASSERT_NE(first, std::string::npos);
  some.replace(first, answer.size(), "\"noted\": 1");
  const auto outcome = run_on(write("some.json", some));
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err,
              HasSubstr("without an answer that names a scene: 1 of 16 items: mini_val_"));
  EXPECT_THAT(outcome.out, HasSubstr("15 questions"));

  // As a generator wrote it: an answer that names no scene is no reason to refuse the file.
  std::string generated = io::read_file(mini("val.json"));
  for (auto at = generated.find("\"gt_answer\": \""); at != std::string::npos;
       at = generated.find("\"gt_answer\": \"")) {
    generated.replace(at, 22, "\"answers\": [\"nobody\"]");
  }
  const auto none = run_on(write("none.json", generated));
  EXPECT_EQ(none.code, kExitFailed);
  EXPECT_THAT(none.err, HasSubstr("16 of 16 items"));
  EXPECT_THAT(none.err, HasSubstr("('nobody')"));
  EXPECT_THAT(none.err, HasSubstr("no question in it has an answer"));
  EXPECT_EQ(run_on(write("empty.json", "[]")).code, kExitFailed);
  EXPECT_EQ(run_on("/nowhere.json").code, kExitFailed);
}

TEST_F(Finetune, NamesMissingMediaBeforeAnythingRuns) {
  const std::vector<std::string> arguments = {
      "finetune", "--data",       mini("val.json"),          "--llama_ckpt_dir",
      kTiny,      "--output_dir", (folder_ / "run").string()};
  const auto outcome = run(arguments);
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("media of the questions are without a file"));
  EXPECT_THAT(outcome.err, HasSubstr("mini_image 201"));
  EXPECT_THAT(outcome.err, HasSubstr("--skip-missing-media"));
  auto skipping = arguments;
  skipping.emplace_back("--skip-missing-media");
  EXPECT_THAT(run(skipping).err, HasSubstr("no question has files for all of its scenes"));

  std::filesystem::copy(mini("media"), folder_ / "media", std::filesystem::copy_options::recursive);
  std::filesystem::remove(folder_ / "media" / "image" / "201.jpg");
  skipping.insert(skipping.end(), {"--media-root", (folder_ / "media").string(), "--dry-run"});
  const auto rest = run(skipping);
  EXPECT_EQ(rest.code, kExitDone) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("of 16 questions left out for missing media"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Finetune, RefusesACheckpointThatIsNone) {
  const auto with = [&](const std::string& checkpoint) {
    return run({"finetune", "--data", mini("val.json"), "--media-root", mini("media"),
                "--llama_ckpt_dir", checkpoint, "--tokenizer_path", kTiny + "/tokenizer.model",
                "--output_dir", (folder_ / "run").string(), "--dry-run"});
  };
  EXPECT_THAT(with("/nowhere").err, HasSubstr("/nowhere: no such file or folder"));
  std::filesystem::create_directory(folder_ / "empty");
  const auto empty = with((folder_ / "empty").string());
  EXPECT_EQ(empty.code, kExitFailed);
  EXPECT_THAT(empty.err, HasSubstr("consolidated"));
  std::filesystem::create_directory(folder_ / "broken");
  std::ofstream(folder_ / "broken" / "consolidated.00-of-01.pth") << "no checkpoint";
  const auto broken = with((folder_ / "broken").string());
  EXPECT_EQ(broken.code, kExitFailed);
  EXPECT_THAT(broken.err, HasSubstr("consolidated.00-of-01.pth"));
  const auto wrong_tokenizer = plan({"--tokenizer_path", mini("val.json")});
  EXPECT_EQ(wrong_tokenizer.code, kExitFailed);
  EXPECT_THAT(wrong_tokenizer.err, HasSubstr("val.json"));
  EXPECT_THAT(wrong_tokenizer.err, Not(HasSubstr("terminate")));
}

TEST_F(Finetune, SaysWhichFlagsHaveNoEffect) {
  const auto outcome = plan({"--datasets", "image", "--init_from_image", "--precision", "fp16"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("--datasets has no effect"));
  EXPECT_THAT(outcome.err, HasSubstr("--init-from-image has no effect"));
  EXPECT_THAT(outcome.err, HasSubstr("bf16"));
}

TEST_F(Finetune, TakesAConfigurationFile) {
  const auto file = write("finetune.yaml", "batch_size: 4\nepochs: 3\naccum_iter: 2\n");
  const auto outcome = plan({"--config", file, "--epochs", "2"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("of 4 x 1 x 2 questions"));
}

}  // namespace
}  // namespace contra4::apps
