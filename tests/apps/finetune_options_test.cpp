#include "contra4/apps/finetune_options.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/base/error.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Options : public ::testing::Test {
 protected:
  Options() {
    std::filesystem::create_directory(model());
    std::ofstream(model() / "tokenizer.model") << "x";
  }
  std::filesystem::path model() const { return folder_ / "model"; }

  FinetuneFlags flags_of(std::vector<std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    FinetuneFlags flags;
    add_finetune_flags(app, flags);
    std::set<std::string> typed;
    parse_arguments(app, std::move(arguments), typed);
    return flags;
  }
  FinetuneOptions options_of(const FinetuneFlags& flags) {
    std::ostringstream out;
    const Context context{
        .out = out, .err = out, .environment = [](const std::string&) { return std::nullopt; }};
    return finetune_options(flags, context);
  }
  FinetuneOptions of(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--llama_ckpt_dir", model().string()});
    return options_of(flags_of(arguments));
  }
  std::string usage_error(std::vector<std::string> arguments) {
    try {
      of(std::move(arguments));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
  TempDir folder_;
};

TEST_F(Options, TakeEveryFlagOfThePublishedScript) {
  std::ofstream(folder_ / "7B.json") << "{}";
  const auto flags = flags_of({"--datasets",
                               "image",
                               "audio",
                               "--epochs",
                               "3",
                               "--batch_size",
                               "4",
                               "--accum_iter",
                               "5",
                               "--llama_type",
                               "onellm",
                               "--llama_ckpt_dir",
                               model().string(),
                               "--llama_config",
                               (folder_ / "7B.json").string(),
                               "--tokenizer_path",
                               (model() / "tokenizer.model").string(),
                               "--weight_decay",
                               "0.05",
                               "--lr",
                               "1e-5",
                               "--min_lr",
                               "1e-6",
                               "--warmup_epochs",
                               "0.5",
                               "--clip_grad",
                               "3",
                               "--output_dir",
                               "out",
                               "--log_dir",
                               "logs",
                               "--device",
                               "cuda",
                               "--seed",
                               "7",
                               "--auto_resume",
                               "--init_from_image",
                               "--num_workers",
                               "6",
                               "--pin_mem",
                               "--no_pin_mem",
                               "--world_size",
                               "1",
                               "--local_rank",
                               "-1",
                               "--dist_url",
                               "env://",
                               "--model_parallel_size",
                               "1",
                               "--data_parallel",
                               "fsdp",
                               "--precision",
                               "bf16",
                               "--save_interval",
                               "9",
                               "--save_consolidated",
                               "--checkpointing",
                               "--max_words",
                               "200",
                               "--image_words",
                               "31"});
  auto options = options_of(flags);
  choose_device(options, flags, 1);
  EXPECT_EQ(options.epochs, 3);
  EXPECT_EQ(options.batch_size, 4);
  EXPECT_EQ(options.accumulation, 5);
  EXPECT_EQ(options.checkpoint, model());
  EXPECT_EQ(options.config, folder_ / "7B.json");
  EXPECT_EQ(options.tokenizer, model() / "tokenizer.model");
  EXPECT_EQ(options.weight_decay, 0.05);
  EXPECT_EQ(options.learning_rate, 1e-5);
  EXPECT_EQ(options.min_learning_rate, 1e-6);
  EXPECT_EQ(options.max_gradient_norm, 3);
  EXPECT_EQ(options.output, "out");
  EXPECT_EQ(options.log_folder, "logs");
  EXPECT_EQ(options.device, "cuda:0");
  EXPECT_EQ(options.seed, 7U);
  EXPECT_TRUE(options.resumes_latest);
  EXPECT_EQ(options.num_decoders, 6);
  EXPECT_EQ(options.type, TrainingType::kBFloat16);
  EXPECT_EQ(options.save_steps, 9);
  EXPECT_EQ(options.save_minutes, 0);
  EXPECT_TRUE(options.saves_consolidated);
  EXPECT_TRUE(options.recomputes);
  EXPECT_EQ(options.max_words, 200);
  EXPECT_EQ(options.image_words, 31);
  EXPECT_EQ(options.data_parallel, DataParallel::kReplicated) << "one process shares nothing";
  set_warmup(options, flags, 100, 300);
  EXPECT_EQ(options.warmup_epochs, 0.5);
  EXPECT_EQ(notes_of(flags).size(), 2U) << "--datasets and --init-from-image have no effect";
}

TEST_F(Options, AreAsPublishedWithCompat) {
  const auto flags = flags_of({"--compat", "--llama_ckpt_dir", model().string()});
  auto options = options_of(flags);
  EXPECT_TRUE(options.is_compat);
  EXPECT_EQ(options.epochs, 1);
  EXPECT_EQ(options.batch_size, 2);
  EXPECT_EQ(options.accumulation, 1);
  EXPECT_EQ(options.learning_rate, 1e-7);
  EXPECT_EQ(options.min_learning_rate, 1e-10);
  EXPECT_EQ(options.weight_decay, 0.02);
  EXPECT_EQ(options.max_gradient_norm, 2);
  EXPECT_EQ(options.max_words, 180);
  EXPECT_EQ(options.image_words, 30);
  EXPECT_EQ(options.output, "./output");
  EXPECT_EQ(options.log_folder, "./output_dir");
  EXPECT_EQ(options.save_steps, 1000);
  EXPECT_EQ(options.save_epochs, 500);
  EXPECT_EQ(options.save_minutes, 0);
  EXPECT_TRUE(options.writes_torch_file);
  EXPECT_FALSE(options.writes_safetensors);
  set_warmup(options, flags, 100, 300);
  EXPECT_EQ(options.warmup_epochs, 1) << "whatever the number of epochs";
  choose_device(options, flags, 0);
  EXPECT_EQ(options.type, TrainingType::kBFloat16);
  EXPECT_EQ(of({"--compat", "--save_interval", "2"}).save_epochs, 2) << "epochs, as published";
  EXPECT_THAT(usage_error({"--compat", "--save_interval", "30min"}), HasSubstr("epochs"));
  EXPECT_THAT(usage_error({"--compat", "--prompt-template", "{question}"}), HasSubstr("--compat"));
}

TEST_F(Options, ComputeOneQuestionAtATimeWhereThatCostsNothing) {
  const auto at_once = [&](std::vector<std::string> arguments, int num_gpus) {
    arguments.insert(arguments.end(), {"--llama_ckpt_dir", model().string(), "--batch-size", "6"});
    const auto flags = flags_of(arguments);
    auto options = options_of(flags);
    choose_device(options, flags, num_gpus);
    return options.micro_batch_size;
  };
  EXPECT_EQ(at_once({}, 0), 1);
  EXPECT_EQ(at_once({}, 1), 6) << "on a GPU";
  EXPECT_EQ(at_once({"--compat"}, 0), 6);
  EXPECT_EQ(at_once({"--world_size", "2", "--local_rank", "0", "--data-parallel", "fsdp"}, 0), 6);
  EXPECT_EQ(at_once({"--world_size", "2", "--local_rank", "0", "--data-parallel", "ddp"}, 0), 1);
  EXPECT_EQ(at_once({"--micro-batch-size", "3"}, 1), 3);
  EXPECT_THAT(usage_error({"--micro-batch-size", "4"}), HasSubstr("does not divide"));
  EXPECT_THAT(usage_error({"--micro-batch-size", "1", "--compat"}), HasSubstr("--compat"));
}

TEST_F(Options, MoveTheWeightsWithoutCompat) {
  const auto all = of({});
  EXPECT_EQ(all.learning_rate, 2e-5);
  EXPECT_EQ(all.min_learning_rate, 0);
  EXPECT_EQ(all.weight_decay, 0.02);
  EXPECT_EQ(all.max_words, 0) << "no answer is cut off";
  EXPECT_EQ(all.save_minutes, 30);
  EXPECT_EQ(all.save_steps, 0);
  EXPECT_EQ(all.save_epochs, 1);
  EXPECT_EQ(all.log_folder, std::filesystem::path("./output/tensorboard"));
  EXPECT_TRUE(all.writes_torch_file);
  EXPECT_TRUE(all.writes_safetensors);
  EXPECT_EQ(of({"--train", "projector"}).learning_rate, 2e-4);
  EXPECT_EQ(of({"--train", "lora"}).learning_rate, 2e-4);
  EXPECT_EQ(of({"--train", "lora"}).weight_decay, 0);
  EXPECT_EQ(of({"--lr", "3e-6", "--train", "lora"}).learning_rate, 3e-6);
  EXPECT_TRUE(std::isinf(of({"--clip_grad", "0"}).max_gradient_norm)) << "never clipped";
  EXPECT_EQ(of({"--log_dir", ""}).log_folder, "");
  auto options = of({});
  const auto flags = flags_of({"--epochs", "10"});
  set_warmup(options, flags, 100, 1000);
  EXPECT_DOUBLE_EQ(options.warmup_epochs, 0.3);
  set_warmup(options, flags, 100, 50);
  EXPECT_DOUBLE_EQ(options.warmup_epochs, 0.015) << "of a training that --max-steps ends";
}

TEST_F(Options, KnowLowRankUpdates) {
  const auto options = of({"--train", "lora", "--lora-rank", "16", "--lora-targets", "wq,w2"});
  EXPECT_EQ(options.trained, TrainedPart::kLora);
  EXPECT_EQ(options.lora.rank, 16);
  EXPECT_EQ(options.lora.alpha, 32);
  EXPECT_THAT(options.lora.targets, ElementsAre("wq", "w2"));
  EXPECT_EQ(of({"--train", "lora", "--lora-alpha", "4"}).lora.alpha, 4);
  EXPECT_THAT(usage_error({"--lora-rank", "4"}), HasSubstr("--train lora"));
  EXPECT_THAT(usage_error({"--train", "lora", "--lora-targets", "wx"}), HasSubstr("wq"));
}

TEST_F(Options, ChooseDeviceAndPrecisionByTheMachine) {
  const auto choose = [&](std::vector<std::string> arguments, int num_gpus) {
    const auto flags = flags_of(std::move(arguments));
    FinetuneOptions options;
    options.job.local_rank = 5;
    choose_device(options, flags, num_gpus);
    return options;
  };
  EXPECT_EQ(choose({}, 0).device, "cpu");
  EXPECT_EQ(choose({}, 0).type, TrainingType::kFloat32);
  EXPECT_EQ(choose({}, 4).device, "cuda:1") << "local rank modulo what is there";
  EXPECT_EQ(choose({}, 1).device, "cuda:0") << "one visible to each process";
  EXPECT_EQ(choose({}, 4).type, TrainingType::kBFloat16);
  EXPECT_EQ(choose({"--device", "cpu"}, 4).device, "cpu");
  EXPECT_EQ(choose({"--device", "cuda:3"}, 4).device, "cuda:3");
  EXPECT_EQ(choose({"--device", "cuda"}, 0).device, "cuda") << "for the module to refuse";
  EXPECT_EQ(choose({"--precision", "fp64"}, 0).type, TrainingType::kFloat64);
  EXPECT_EQ(choose({"--precision", "tf32"}, 4).type, TrainingType::kFloat32);
  EXPECT_EQ(choose({"--precision", "fp16"}, 4).type, TrainingType::kBFloat16);
  EXPECT_EQ(notes_of(flags_of({"--precision", "fp16"})).size(), 1U) << "and it is said";
  EXPECT_THROW(choose({"--device", "cuda:0,1"}, 4), UsageError);
  EXPECT_THROW(choose({"--device", "tpu"}, 4), UsageError);
}

TEST_F(Options, FindTheCheckpointToGoOnFrom) {
  const auto make = [&](const std::string& name, bool is_whole) {
    std::filesystem::create_directories(folder_ / "run" / name);
    if (is_whole) std::ofstream(folder_ / "run" / name / "checkpoint.json") << "{}";
  };
  make("epoch_002_iter_000000100", true);
  make("epoch_010_iter_000000002", true);
  make("epoch_9_iter_000000100", true);
  make("epoch_011_iter_000000000", false);
  make("epoch_012_iter_000000000x", true);
  const auto run = folder_ / "run";
  EXPECT_EQ(of({"--resume", run.string()}).resume, run / "epoch_010_iter_000000002");
  EXPECT_EQ(of({"--resume", (run / "epoch_9_iter_000000100").string()}).resume,
            run / "epoch_9_iter_000000100");
  EXPECT_FALSE(of({"--resume", run.string()}).resumes_latest);
  EXPECT_EQ(of({"--resume", ""}).resume, "") << "the script's default";
  EXPECT_FALSE(of({"--overwrite"}).resumes_latest);
  for (const auto& nowhere : {folder_ / "nowhere", model()}) {
    try {
      of({"--resume", nowhere.string()});
      FAIL();
    } catch (const Exception& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound);
      EXPECT_THAT(error.what(), HasSubstr(nowhere.string()));
    }
  }
  EXPECT_THAT(usage_error({"--overwrite", "--auto_resume"}), HasSubstr("--overwrite"));
}

TEST_F(Options, NameWhatIsNotThere) {
  const auto words = [&](std::vector<std::string> arguments) -> std::string {
    try {
      options_of(flags_of(std::move(arguments)));
    } catch (const Exception& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(words({}), HasSubstr("OneLLM/OneLLM-7B"));
  EXPECT_THAT(words({"--llama_ckpt_dir", "/nowhere"}), HasSubstr("--llama-ckpt-dir /nowhere"));
  EXPECT_THAT(words({"--init_from", "/nowhere"}), HasSubstr("--init-from /nowhere"));
  const std::string model_dir = model().string();
  EXPECT_THAT(words({"--llama_ckpt_dir", model_dir, "--llama_config", "/no.json"}),
              HasSubstr("--llama-config /no.json"));
  EXPECT_THAT(words({"--llama_ckpt_dir", model_dir, "--tokenizer_path", "/no.model"}),
              HasSubstr("--tokenizer-path /no.model"));
  EXPECT_THAT(words({"--llama_ckpt_dir", folder_.path().string()}), HasSubstr("tokenizer.model"));
  // The weights of one folder with the tokenizer of the other.
  const auto both =
      options_of(flags_of({"--llama_ckpt_dir", model_dir, "--init_from", folder_.path().string()}));
  EXPECT_EQ(both.checkpoint, folder_.path());
  EXPECT_EQ(both.tokenizer, model() / "tokenizer.model");
}

TEST_F(Options, RefuseWhatContradictsItself) {
  EXPECT_THAT(usage_error({"--early-stop", "2"}), HasSubstr("--val"));
  EXPECT_THAT(usage_error({"--lr", "1e-5", "--min_lr", "1e-4"}), HasSubstr("--min-lr"));
  EXPECT_EQ(usage_error({"--compat", "--lr", "1e-12"}), "") << "the floor follows";
  EXPECT_NE(usage_error({"--lr", "-1"}), "");
  EXPECT_NE(usage_error({"--epochs", "0"}), "");
  EXPECT_NE(usage_error({"--model_parallel_size", "2"}), "");
  EXPECT_NE(usage_error({"--llama_type", "llama"}), "");
  EXPECT_NE(usage_error({"--output_dir", ""}), "");
}

TEST(ParseSaveInterval, TakesStepsAndTimes) {
  EXPECT_EQ(parse_save_interval("500").steps, 500);
  EXPECT_EQ(parse_save_interval("500").minutes, 0);
  EXPECT_EQ(parse_save_interval("0").steps, 0);
  EXPECT_EQ(parse_save_interval("30min").minutes, 30);
  EXPECT_EQ(parse_save_interval("30m").minutes, 30);
  EXPECT_EQ(parse_save_interval("90s").minutes, 1.5);
  EXPECT_EQ(parse_save_interval("0.5h").minutes, 30);
  for (const char* wrong :
       {"", "min", "-5", "5 min", "5days", "1.5", "inf", "nan", "0min", "1e99"}) {
    EXPECT_THROW(parse_save_interval(wrong), UsageError) << wrong;
  }
}

}  // namespace
}  // namespace contra4::apps
