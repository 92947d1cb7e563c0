#include "contra4/report/dataset_folder.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/report/dataset_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::report {
namespace {

namespace fs = std::filesystem;
using contra4::testing::error_of;
using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::make_steps;
using ::testing::Not;

class DatasetFolder : public ::testing::Test {
 protected:
  DatasetFolderOptions options() const {
    DatasetFolderOptions options;
    options.folder = dir_ / "set";
    options.info.name = "mini";
    options.splits = {{"test", mini_dir() / "test.json"}};
    options.steps = {make_steps("random", 500), make_steps("similarity", 250)};
    options.config_json = R"({"sample": {"seed": 123}})";
    return options;
  }
  std::string file(const std::string& name) const { return io::read_file(dir_ / "set" / name); }
  fs::path write_rows(const std::string& text) const {
    io::write_file_atomically(dir_ / "rows.jsonl", text);
    return dir_ / "rows.jsonl";
  }

  TempDir dir_;
};

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = io::read_file(entry.path());
  }
  return files;
}

std::string row(const std::string& id, const std::string& answer = "Scene A") {
  return R"({"id": ")" + id + R"(", "question": "Which?", "gt_answer": ")" + answer +
         R"(", "selection_type": "random", "q_type": "mc_2", "modalities": ["audio", "image"],)" +
         R"( "examples": [{"source": "s", "id": 1, "caption": "a"},)" +
         R"( {"source": "t", "id": "2", "caption": "<b> & \"c\"", "url": "u"}]})" + "\n";
}

TEST_F(DatasetFolder, HoldsTheSameItemsInEveryFile) {
  const DatasetFolderOutcome outcome = write_dataset_folder(options());
  EXPECT_EQ(outcome.num_items, 32U);
  const data::Dataset before = data::load_dataset(mini_dir() / "test.json");
  int num_tables = 0;
  for (const char* const name : {"test.json", "test.jsonl", "test.parquet"}) {
    if (!fs::exists(dir_ / "set" / name)) continue;  // a build without Parquet
    ++num_tables;
    const data::Dataset after = data::load_dataset(dir_ / "set" / name, {.answer = true});
    ASSERT_EQ(after.items.size(), before.items.size()) << name;
    for (std::size_t i = 0; i < after.items.size(); ++i) {
      EXPECT_EQ(after.items[i].id, before.items[i].id);
      EXPECT_EQ(after.items[i].question, before.items[i].question);
      EXPECT_EQ(after.items[i].answer, before.items[i].answer);
      EXPECT_EQ(after.items[i].scenes[0].id, before.items[i].scenes[0].id);
    }
  }
  EXPECT_GE(num_tables, 2);
}

TEST_F(DatasetFolder, ManifestHasTheHashOfEveryOtherFile) {
  write_dataset_folder(options());
  const io::JsonValue manifest = io::parse_json(file("manifest.json"), "manifest").value();
  const io::JsonValue::Object& files = *manifest.find("files")->find_object();
  for (const auto& [name, content] : files_of(dir_ / "set")) {
    if (name == "manifest.json") continue;
    const io::JsonValue* const sha256 = manifest.find_path("files", name.c_str(), "sha256");
    ASSERT_NE(sha256, nullptr) << name;
    EXPECT_EQ(*sha256->find_string(), sha256_hex(content)) << name;
  }
  EXPECT_EQ(files.size() + 1, files_of(dir_ / "set").size());
  EXPECT_EQ(manifest.find_path("config", "sample", "seed")->find_integer(), 123);
  EXPECT_EQ(manifest.find_path("seeds", 0, "seed")->find_integer(), 123);
  EXPECT_EQ(*manifest.find_path("strategies", 1, "steps", 2, "stage")->find_string(), "verify");
  EXPECT_EQ(manifest.find_path("strategies", 0, "steps", 2, "counts", "consistent")->find_integer(),
            500);
}

TEST_F(DatasetFolder, SameInputGivesTheSameBytesAgainAndElsewhere) {
  write_dataset_folder(options());
  const auto first = files_of(dir_ / "set");
  write_dataset_folder(options());
  EXPECT_EQ(files_of(dir_ / "set"), first);
  DatasetFolderOptions elsewhere = options();
  elsewhere.folder = dir_ / "deeper" / "copy";
  write_dataset_folder(elsewhere);
  EXPECT_EQ(files_of(dir_ / "deeper" / "copy"), first);
}

TEST_F(DatasetFolder, ItsOwnFilesCanBeItsInput) {
  write_dataset_folder(options());
  const auto first = files_of(dir_ / "set");
  DatasetFolderOptions again = options();
  again.splits = {{"test", dir_ / "set" / "test.json"}};
  write_dataset_folder(again);
  EXPECT_EQ(files_of(dir_ / "set"), first);
}

TEST_F(DatasetFolder, PriorsWithoutOtherItemsAreSaidToBeFittedOnTheScored) {
  write_dataset_folder(options());
  EXPECT_THAT(file("README.md"), HasSubstr("fitted on the very questions"));
}

TEST_F(DatasetFolder, PriorsAreFittedOnAnotherSplitOrAGivenFile) {
  DatasetFolderOptions two = options();
  two.splits = {{"train", mini_dir() / "test.json"}, {"val", mini_dir() / "val.json"}};
  write_dataset_folder(two);
  EXPECT_THAT(file("README.md"), AllOf(HasSubstr("fitted on `val`"), HasSubstr("fitted on `train`"),
                                       Not(HasSubstr("fitted on the very questions"))));
  DatasetFolderOptions given = options();
  given.fit = mini_dir() / "val.json";
  write_dataset_folder(given);
  EXPECT_THAT(file("README.md"), HasSubstr("fitted on `val.json`"));
}

TEST_F(DatasetFolder, SourcesThatNobodyDescribesAreNamedAsSuch) {
  write_dataset_folder(options());
  EXPECT_THAT(file("README.md"),
              AllOf(HasSubstr("| mini_audio | audio | not stated |"),
                    HasSubstr("| sounds | audio | CC0 1.0 |"), HasSubstr("license: unknown")));
}

TEST_F(DatasetFolder, NotesGoToTheTop) {
  DatasetFolderOptions noted = options();
  noted.notes = {"answered by word overlap", "answered by word overlap"};
  const DatasetFolderOutcome outcome = write_dataset_folder(noted);
  EXPECT_GE(outcome.notes.size(), 2U);
  EXPECT_THAT(file("README.md"), HasSubstr("> **Answered by word overlap.**"));
  EXPECT_THAT(file("manifest.json"), HasSubstr("answered by word overlap"));
}

TEST_F(DatasetFolder, UglyTextStaysWhole) {
  DatasetFolderOptions ugly = options();
  ugly.info.title = "A: \"b\" & <c>\n--- # d";
  ugly.splits = {{"test", write_rows(row("x|1") + row("y\\n<2>", "Scene B"))}};
  write_dataset_folder(ugly);
  const data::Dataset after = data::load_dataset(dir_ / "set" / "test.jsonl");
  EXPECT_EQ(after.items[0].scenes[1].caption(), "<b> & \"c\"");
  EXPECT_EQ(after.items[1].id.text, "y\n<2>");
  EXPECT_THAT(file("test.json"), HasSubstr("\"url\": \"u\""));
  EXPECT_THAT(file("README.md"), HasSubstr("pretty_name: \"A: \\\"b\\\" & <c>\\n--- # d\""));
  EXPECT_TRUE(io::parse_json(file("croissant.json"), "croissant"));
}

TEST_F(DatasetFolder, NoQuestionsAreASetToo) {
  DatasetFolderOptions empty = options();
  empty.splits = {{"test", write_rows("")}};
  EXPECT_EQ(write_dataset_folder(empty).num_items, 0U);
  EXPECT_THAT(file("README.md"), AllOf(HasSubstr("0 questions"), Not(HasSubstr("nan"))));
  EXPECT_EQ(file("test.json"), "[]\n");
}

TEST_F(DatasetFolder, RowsThatCannotBePublishedAreNamed) {
  DatasetFolderOptions bad = options();
  bad.splits = {{"test", write_rows(row("a") + row("b", "no scene"))}};
  const Error unanswered = error_of([&] { write_dataset_folder(bad); });
  EXPECT_EQ(unanswered.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(unanswered.message, AllOf(HasSubstr("rows.jsonl"), HasSubstr("row 2 (id b)")));
  bad.splits = {{"test", write_rows(row("a") + row("a"))}};
  EXPECT_THAT(error_of([&] { write_dataset_folder(bad); }).message,
              HasSubstr("row 2 (id a): the id occurred before"));
  bad.splits = {{"test", write_rows(row("a") + "{broken\n")}};
  EXPECT_THAT(error_of([&] { write_dataset_folder(bad); }).message, HasSubstr("rows.jsonl"));
  bad.splits = {{"test", dir_ / "missing.json"}};
  EXPECT_EQ(error_of([&] { write_dataset_folder(bad); }).code, ErrorCode::kNotFound);
}

TEST_F(DatasetFolder, AFailureLeavesNoManifestThatVouchesForOldFiles) {
  write_dataset_folder(options());
  const std::string before = file("test.json");
  DatasetFolderOptions bad = options();
  bad.splits = {{"test", write_rows(row("a") + row("a"))}};
  error_of([&] { write_dataset_folder(bad); });
  EXPECT_FALSE(fs::exists(dir_ / "set" / "manifest.json"));
  EXPECT_EQ(file("test.json"), before);  // whole, as it was
  for (const auto& [name, content] : files_of(dir_ / "set")) {
    EXPECT_THAT(name, Not(HasSubstr("tmp"))) << name;
  }
}

TEST_F(DatasetFolder, NamesThatCannotBeAreRefusedBeforeAnythingIsWritten) {
  DatasetFolderOptions wrong = options();
  for (const char* const name : {"", "a/b", "..", "a b"}) {
    wrong.splits[0].name = name;
    EXPECT_EQ(error_of([&] { write_dataset_folder(wrong); }).code, ErrorCode::kInvalidArgument);
  }
  wrong.splits = {options().splits[0], options().splits[0]};
  EXPECT_THAT(error_of([&] { write_dataset_folder(wrong); }).message, HasSubstr("given twice"));
  wrong.splits.clear();
  EXPECT_EQ(error_of([&] { write_dataset_folder(wrong); }).code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(fs::exists(dir_ / "set"));
}

TEST_F(DatasetFolder, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const Error error = error_of([&] { write_dataset_folder(options(), stop.get_token()); });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace contra4::report
