#include "contra4/apps/arguments.h"

#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "contra4/apps/command.h"
#include "contra4/base/error.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Arguments : public ::testing::Test {
 protected:
  Arguments() {
    app_.set_help_flag();
    app_.add_option("--data-path,--dataset", dataset_);
    app_.add_option("--base-url", urls_)->allow_extra_args(false);
    app_.add_option("--limit", limit_);
    app_.add_option("--kind", kind_)->transform(one_of({"oracle-captions", "none"}));
    app_.add_option("--count", count_)->check(whole_number(1));
    app_.add_option("--tries", count_)->check(whole_number(1, 10));
    app_.add_option("--share", share_)->check(number(0, 1));
    app_.add_flag("--overwrite", overwrite_);
    add_config_flag(app_);
    app_.set_help_flag("--help,-h");
  }
  void parse(const std::vector<std::string>& arguments) {
    parse_arguments(app_, arguments, typed_);
  }
  std::string error_of(const std::vector<std::string>& arguments) {
    try {
      parse(arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
  std::string config(const std::string& text) {
    const auto path = folder_ / "config.yaml";
    std::ofstream(path) << text;
    return path.string();
  }

  CLI::App app_;
  std::string dataset_;
  std::vector<std::string> urls_;
  std::optional<int> limit_;
  std::int64_t count_ = 0;
  double share_ = 0;
  std::string kind_;
  bool overwrite_ = false;
  std::set<std::string> typed_;
  contra4::testing::TempDir folder_;
};

TEST_F(Arguments, UnderscoresOfFlagsAreHyphens) {
  parse({"--data_path", "a_b.json", "--limit=3"});
  EXPECT_EQ(dataset_, "a_b.json");
  EXPECT_EQ(limit_, 3);
}

TEST_F(Arguments, ValuesStayAsTheyAre) {
  parse({"--data_path=--x_y", "--base_url", "--no_flag_of_ours"});
  EXPECT_EQ(dataset_, "--x_y");
  EXPECT_THAT(urls_, ElementsAre("--no_flag_of_ours"));
}

TEST_F(Arguments, AnEmptyValueIsAValue) {
  parse({"--data-path=", "--overwrite"});
  EXPECT_EQ(dataset_, "");
  EXPECT_TRUE(overwrite_);
}

TEST_F(Arguments, NegativeNumbersAreValues) {
  parse({"--limit", "-3"});
  EXPECT_EQ(limit_, -3);
}

TEST_F(Arguments, SuggestsTheNearestFlag) {
  EXPECT_THAT(error_of({"--dat-set", "x"}), HasSubstr("did you mean --dataset?"));
  EXPECT_THAT(error_of({"--dat_set=x"}), HasSubstr("no flag --dat-set"));
}

TEST_F(Arguments, AFlagInPlaceOfAValueIsTold) {
  EXPECT_THAT(error_of({"--dataset", "--limit", "3"}), HasSubstr("--dataset needs a value"));
  EXPECT_THAT(error_of({"--dataset"}), HasSubstr("--dataset needs a value"));
}

TEST_F(Arguments, WrongNumbersAndExtraWordsAreTold) {
  EXPECT_THAT(error_of({"--limit", "many"}), HasSubstr("--limit = many"));
  EXPECT_THAT(error_of({"stray"}), HasSubstr("'stray'"));
}

TEST_F(Arguments, NumbersOutOfRangeAreToldWithTheRange) {
  parse({"--count", "12", "--share", "2.5e-1"});
  EXPECT_EQ(count_, 12);
  EXPECT_EQ(share_, 0.25);
  for (const std::string typed : {"0", "-1", "1e9", "1.5", "abc", "99999999999999999999", " 1"}) {
    EXPECT_EQ(error_of({"--count=" + typed}),
              "--count: '" + typed + "' is no whole number of at least 1");
  }
  EXPECT_EQ(error_of({"--tries", "11"}), "--tries: '11' is no whole number from 1 to 10");
  for (const std::string typed : {"1.01", "-0.1", "nan", "inf", "much", "0.5x"}) {
    EXPECT_EQ(error_of({"--share", typed}), "--share: '" + typed + "' is no number from 0 to 1");
  }
}

TEST_F(Arguments, OneOfTakesEitherSpellingAndSuggests) {
  parse({"--kind", "oracle_captions"});
  EXPECT_EQ(kind_, "oracle-captions");
  EXPECT_THAT(error_of({"--kind", "oracle-caption"}), HasSubstr("did you mean oracle-captions?"));
}

TEST_F(Arguments, ConfigFillsWhatWasNotTyped) {
  parse({"--config",
         config("data_path: a.json\nlimit: 5\noverwrite: true\n"
                "base-url: [http://a, http://b]\nkind: ~\n"),
         "--limit", "7"});
  EXPECT_EQ(dataset_, "a.json");
  EXPECT_EQ(limit_, 7);
  EXPECT_TRUE(overwrite_);
  EXPECT_THAT(urls_, ElementsAre("http://a", "http://b"));
}

TEST_F(Arguments, AnAliasThatWasTypedWinsOverConfig) {
  parse({"--config=" + config("dataset: a.json\n"), "--data-path", "b.json"});
  EXPECT_EQ(dataset_, "b.json");
}

TEST_F(Arguments, ConfigWithAnUnknownKeyIsRefusedWithTheNearest) {
  EXPECT_THAT(error_of({"--config", config("limits: 5\n")}), HasSubstr("did you mean limit?"));
  EXPECT_THAT(error_of({"--config", config("config: x.yaml\n")}), HasSubstr("no setting"));
}

TEST_F(Arguments, ConfigOfAnotherShapeIsRefused) {
  EXPECT_THAT(error_of({"--config", config("- limit\n")}), HasSubstr("flag: value"));
  EXPECT_THAT(error_of({"--config", config("limit: [1, 2]\n")}), HasSubstr("takes one value"));
  EXPECT_THAT(error_of({"--config", config("limit: {a: 1}\n")}), HasSubstr("plain value"));
  EXPECT_THAT(error_of({"--config", config("overwrite: 3\n")}), HasSubstr("true or false"));
  EXPECT_THAT(error_of({"--config", config("dataset: a\ndata_path: b\n")}), HasSubstr("twice"));
}

TEST_F(Arguments, AnEmptyConfigSaysNothing) {
  parse({"--config", config("")});
  EXPECT_FALSE(limit_);
}

TEST_F(Arguments, AMissingConfigIsNotFound) {
  try {
    parse({"--config", (folder_ / "none.yaml").string()});
    FAIL();
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

TEST_F(Arguments, HelpWinsOverWhatIsMissing) {
  EXPECT_THROW(parse({"--help"}), CLI::CallForHelp);
}

TEST(Hyphenated, TouchesNamesAlone) {
  EXPECT_EQ(hyphenated("--data_path=a_b"), "--data-path=a_b");
  EXPECT_EQ(hyphenated("a_b"), "a_b");
  EXPECT_EQ(hyphenated("-a_b"), "-a_b");
  EXPECT_EQ(hyphenated("--"), "--");
}

}  // namespace
}  // namespace contra4::apps
