// The commands that ask no server, on the project's own small set.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/media/decoder.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

std::string mini(const std::string& name) {
  return (mini_dir() / name).string();
}

io::JsonValue json_of(const Outcome& outcome) {
  return io::parse_json(outcome.out, "standard output").value();
}

TEST(DatasetCheck, AGoodFileIsFine) {
  const auto outcome = run({"dataset", "check", mini("test.json"), mini("val.json")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("test.json: 32 rows, none wrong"));
}

TEST(DatasetCheck, NamesWrongRowsAndFails) {
  const TempDir folder;
  const auto file = folder / "wrong.jsonl";
  std::ofstream(file) << "{\"id\": \"a\"}\nnot json\n";
  const auto outcome = run({"dataset", "check", file.string()});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.out, HasSubstr("wrong.jsonl: row 1"));
  EXPECT_THAT(outcome.out, HasSubstr("row 2"));
  const auto as_json = run({"dataset", "check", "--json", file.string()});
  EXPECT_EQ(as_json.code, kExitFailed);
  EXPECT_EQ(json_of(as_json).find_path(0, "wrong_rows")->find_integer(), 2);
}

TEST(DatasetCheck, NamesEveryMissingMediumAndWhatToSet) {
  const auto nowhere = run({"dataset", "check", "--media", mini("test.json")});
  EXPECT_EQ(nowhere.code, kExitFailed);
  EXPECT_THAT(nowhere.out, HasSubstr("missing: mini_audio thunder: set --media-root"));
  EXPECT_THAT(nowhere.err, HasSubstr("test.json: 32 rows, none wrong"));
  const auto found = run({"dataset", "check", "--media-root", mini("media"), mini("test.json")});
  EXPECT_EQ(found.code, kExitDone) << found.out;
  EXPECT_EQ(found.out, "");
  EXPECT_THAT(found.err, HasSubstr(" distinct media, 0 without a file"));
  const TempDir folder;
  const auto file = folder / "coco.jsonl";
  std::ofstream(file) << R"({"id": "a", "q_type": "mc_2", "question": "Which?", )"
                         R"("gt_answer": "Scene A", "modalities": ["image", "pc"], "examples": [)"
                         R"({"source": "coco_val", "id": 7, "caption": "x"}, )"
                         R"({"source": "pointllm", "id": "abc", "caption": "y"}]})"
                      << '\n';
  const auto coco = run({"dataset", "check", "--media", "--json", file.string()},
                        {{"OBJAVERSE_DIR", folder.path().string()}});
  EXPECT_EQ(coco.code, kExitFailed);
  const auto root = json_of(coco);
  EXPECT_EQ(root.find_path(0, "media", "missing")->find_integer(), 2);
  EXPECT_EQ(root.find_path(0, "media", "is_fine")->find_bool(), false);
  EXPECT_THAT(*root.find_path(0, "media", "problems", 0, "message")->find_string(),
              HasSubstr("set COCO_DIR or --media-root to find 000000000007.jpg"));
  EXPECT_THAT(*root.find_path(0, "media", "problems", 1, "message")->find_string(),
              HasSubstr("abc_8192.npz"));
  const auto few = run({"dataset", "check", "--media", "--max-problems", "1", mini("test.json")});
  EXPECT_THAT(few.out, HasSubstr("more"));
  EXPECT_EQ(run({"dataset", "check", "--media-root", "/nowhere", mini("test.json")}).code,
            kExitFailed);
}

TEST(DatasetCheck, DecodesEveryFileOnRequest) {
  try {
    media::media_decoder();
  } catch (const Exception& error) {
    if (error.code() != ErrorCode::kUnimplemented) throw;
    GTEST_SKIP() << error.what();
  }
  const auto fine = run({"dataset", "check", "--decode", "--media-root", mini("media"),
                         mini("test.json"), mini("val.json")});
  EXPECT_EQ(fine.code, kExitDone) << fine.out;
  EXPECT_THAT(fine.err, HasSubstr("0 that do not decode"));
  const TempDir folder;
  std::filesystem::copy(mini("media"), folder / "media", std::filesystem::copy_options::recursive);
  for (const char* cut : {"media/audio/thunder.wav", "media/image/103.png",
                          "media/video/rocket.mp4", "media/pc/table_8192.npz"}) {
    const auto path = folder / cut;
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  }
  const auto broken = run({"dataset", "check", "--decode", "--media-root",
                           (folder / "media").string(), mini("test.json")});
  EXPECT_EQ(broken.code, kExitFailed);
  for (const char* name : {"103.png", "rocket.mp4", "table_8192.npz"}) {
    EXPECT_THAT(broken.out, HasSubstr(std::string("does not decode: ") + name));
  }
}

TEST(DatasetCheck, AMissingFileFails) {
  const auto outcome = run({"dataset", "check", "/nowhere/x.json"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/x.json"));
}

TEST(DatasetDescribe, CountsAndComparesWithAnother) {
  const auto outcome =
      run({"dataset", "describe", mini("test.json"), "--against", mini("val.json")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("32 items"));
  EXPECT_THAT(outcome.out, HasSubstr("shared media"));
  const std::string rule = "\u2500  ";  // between the columns of the line under the titles
  const auto under_titles = outcome.out.find(rule);
  const auto next_line = outcome.out.find('\n', under_titles) + 1;
  EXPECT_EQ(outcome.out.compare(next_line, 4, "cell"), 0) << outcome.out;
  const auto as_json = run({"dataset", "describe", mini("test.json"), "--json"});
  EXPECT_EQ(json_of(as_json).find("items")->find_integer(), 32);
}

TEST(DatasetConvert, ARoundTripKeepsTheRows) {
  const TempDir folder;
  const auto lines = (folder / "a.jsonl.gz").string();
  const auto back = (folder / "test.json").string();
  EXPECT_EQ(run({"dataset", "convert", mini("test.json"), lines}).code, kExitDone);
  EXPECT_EQ(run({"dataset", "convert", lines, back}).code, kExitDone);
  EXPECT_EQ(run({"dataset", "describe", back, "--json"}).out,
            run({"dataset", "describe", mini("test.json"), "--json"}).out);
  const auto again = run({"dataset", "convert", lines, back});
  EXPECT_EQ(again.code, kExitFailed);
  EXPECT_THAT(again.err, HasSubstr("--overwrite"));
  EXPECT_EQ(run({"dataset", "convert", lines, back, "--overwrite"}).code, kExitDone);
}

TEST(DatasetConvert, AWrongRowLeavesNothing) {
  const TempDir folder;
  const auto file = folder / "wrong.jsonl";
  std::ofstream(file) << "{\"id\": \"a\"}\n";
  const auto out = folder / "out.json";
  EXPECT_EQ(run({"dataset", "convert", file.string(), out.string()}).code, kExitFailed);
  EXPECT_FALSE(std::filesystem::exists(out));
  const auto typo =
      run({"dataset", "convert", file.string(), out.string(), "--schema", "release-test"});
  EXPECT_EQ(typo.code, kExitUsage);
  EXPECT_THAT(typo.err, HasSubstr("did you mean released-test?"));
}

TEST(Score, TakesTheFlagsOfThePublishedScorer) {
  const auto outcome = run(
      {"score", "--gt_file", mini("test.json"), "--pred_file", mini("predictions/careful.json")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("careful"));
  EXPECT_THAT(outcome.out, HasSubstr("modality-prior"));
  EXPECT_THAT(outcome.out, HasSubstr("not fitted"));
}

TEST(Score, EveryFormatComesFromTheSameRows) {
  for (const char* format : {"table", "json", "markdown", "latex", "csv"}) {
    const auto outcome = run({"score", "--dataset", mini("test.json"), "--predictions",
                              mini("predictions/careful.json"), mini("predictions/hasty.json"),
                              "--fit", mini("val.json"), "--format", format});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("hasty")) << format;
  }
}

TEST(Score, WritesToAFile) {
  const TempDir folder;
  const auto file = folder / "board.csv";
  const auto outcome =
      run({"score", "--dataset", mini("test.json"), "--predictions",
           mini("predictions/careful.json"), "--format", "csv", "--output", file.string()});
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(io::read_file(file), HasSubstr("careful"));
}

TEST(Score, TheScoredSetIsNoFitSet) {
  const auto outcome = run({"score", "--dataset", mini("test.json"), "--predictions",
                            mini("predictions/careful.json"), "--fit", mini("test.json")});
  EXPECT_EQ(outcome.code, kExitFailed);
}

TEST(Score, WithoutADatasetOrPredictionsIsWrongUsage) {
  EXPECT_EQ(run({"score", "--predictions", mini("predictions/careful.json")}).code, kExitUsage);
  EXPECT_EQ(run({"score", "--dataset", mini("test.json")}).code, kExitUsage);
}

TEST(Score, AnUnknownRuleSuggests) {
  const auto outcome =
      run({"score", "--dataset", mini("test.json"), "--predictions", "x", "--scoring", "choise"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean choice?"));
}

TEST(Compare, TwoFilesOfPredictions) {
  const auto outcome = run({"compare", "--dataset", mini("test.json"),
                            mini("predictions/careful.json"), mini("predictions/hasty.json")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("careful"));
}

TEST(Compare, CsvHoldsBareNumbers) {
  const auto outcome =
      run({"compare", "--dataset", mini("test.json"), mini("predictions/careful.json"),
           mini("predictions/hasty.json"), "--format", "csv"});
  EXPECT_THAT(outcome.out, HasSubstr("run_a,run_b,items,"));
  EXPECT_THAT(outcome.out, HasSubstr("\ncareful,hasty,32,0."));
}

TEST(Compare, FilesAloneDoNotTellTheirDataset) {
  const auto outcome =
      run({"compare", mini("predictions/careful.json"), mini("predictions/hasty.json")});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--dataset"));
}

TEST(Models, ListsFamiliesWithoutAskingAnybody) {
  const auto outcome = run({"models"}, {{"OPENAI_API_KEY", "sk-secret-of-the-test"}});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  for (const char* family : {"blind/", "embed/", "openai/", "gemini/", "exec/", "replay/"}) {
    EXPECT_THAT(outcome.out, HasSubstr(family));
  }
  EXPECT_THAT(outcome.out, Not(HasSubstr("sk-secret")));
  EXPECT_THAT(outcome.out, HasSubstr("OPENAI_API_KEY is set"));
  EXPECT_TRUE(json_of(run({"models", "--json"})).is_array());
}

TEST(Ask, ABlindRuleAnswers) {
  const auto outcome =
      run({"ask", "--model", "blind/longest-caption", "--question", "Which scene is longer?",
           "--scene", "audio:a bell", "--scene", "image:a very long description"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Scene B"));
}

TEST(Ask, WritesATrace) {
  const TempDir folder;
  const auto file = folder / "trace.json";
  const auto outcome = run({"ask", "--model", "blind/always-A", "--question", "Which?", "--scene",
                            "audio:x", "--scene", "pc:y", "--trace", file.string()});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto trace = io::read_json_file(file);
  EXPECT_EQ(*trace.find("choice")->find_string(), "A");
  for (const char* member : {"prompt", "prompt_token_ids", "token_ids", "text"}) {
    EXPECT_NE(trace.find(member), nullptr) << member;
  }
}

TEST(Ask, MisspeltScenesAreTold) {
  const std::vector<std::string> base = {"ask", "--model", "blind/always-A", "--question",
                                         "Which?"};
  const auto with = [&base](std::initializer_list<const char*> scenes) {
    auto arguments = base;
    for (const char* scene : scenes) {
      arguments.emplace_back("--scene");
      arguments.emplace_back(scene);
    }
    return run(arguments);
  };
  EXPECT_EQ(with({"audio:x"}).code, kExitUsage);
  EXPECT_THAT(with({"smell:x", "audio:y"}).err, HasSubstr("MODALITY"));
  EXPECT_THAT(with({"audio:", "audio:y"}).err, HasSubstr("nothing after the colon"));
  EXPECT_THAT(with({"image:phtoo.jpg", "audio:y"}).err, HasSubstr("no file phtoo.jpg"));
}

TEST(Ask, AnUnknownFamilySuggests) {
  const auto outcome = run(
      {"ask", "--model", "opnai/x", "--question", "q", "--scene", "audio:a", "--scene", "audio:b"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("openai"));
}

}  // namespace
}  // namespace contra4::apps
