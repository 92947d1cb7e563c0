#include "contra4/eval/gathered_journal.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::TempDir;

std::string line(const std::string& id, const std::string& order, const std::string& status) {
  return fmt::format(
      R"({{"id": "{}", "part": "{}", "status": "{}", "text": "t", "error": {{"code": "unavailable", "message": "m"}}}})"
      "\n",
      id, order, status);
}

class GatherAnswers : public ::testing::Test {
 protected:
  std::size_t gather() {
    const std::vector<std::filesystem::path> from = {folder_ / "a", folder_ / "b", folder_ / "no"};
    return gather_answers(plan_, from, folder_ / "all");
  }
  TempDir folder_;
  data::Dataset dataset_ = testing::make_dataset(2);
  RequestPlan plan_{dataset_.items, {}};
};

TEST_F(GatherAnswers, TakesEachFinalAnswerOnce) {
  const std::string first = line("item_0", "AB", "answered");
  const std::string second = line("item_1", "ABC", "blocked");
  std::ofstream(folder_ / "a") << line("item_1", "ABC", "failed") << first << "garbage\n";
  std::ofstream(folder_ / "b") << second << line("item_0", "AB", "answered")
                               << line("stranger", "AB", "answered") << R"({"id": "it)";
  EXPECT_EQ(gather(), 2U);
  EXPECT_EQ(io::read_file(folder_ / "all"), first + second);
  EXPECT_EQ(gather(), 0U);
  EXPECT_EQ(io::read_file(folder_ / "all"), first + second);
}

TEST_F(GatherAnswers, KeepsWhatWasThereAndCutsATornLine) {
  const std::string own = line("item_0", "AB", "answered");
  const std::string other = line("item_1", "ABC", "answered");
  std::ofstream(folder_ / "all") << own << R"({"id": "item_1)";
  std::ofstream(folder_ / "a") << line("item_0", "AB", "blocked") << other;
  EXPECT_EQ(gather(), 1U);
  EXPECT_EQ(io::read_file(folder_ / "all"), own + other);
}

TEST_F(GatherAnswers, MakesNoFileOfNothing) {
  EXPECT_EQ(gather(), 0U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "all"));
}

}  // namespace
}  // namespace contra4::eval
