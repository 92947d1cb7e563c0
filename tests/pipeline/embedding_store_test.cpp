#include "contra4/pipeline/embedding_store.h"

#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/npy.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 4;

// Sees what it is asked; can stop the run or die in the middle, as a killed process would.
struct Log {
  int num_opened = 0;
  std::vector<std::string> texts;
  int fail_at_call = 0;  // from 1; 0: never
  int num_calls = 0;
  std::stop_source* stop_after_first_call = nullptr;
};

std::vector<float> vector_of(const std::string& text) {
  if (text == "nothing") return {0, 0, 0};
  const auto angle =
      static_cast<float>(text.size() * 7 + static_cast<unsigned char>(text.c_str()[0]));
  return {std::cos(angle), std::sin(angle), 0};
}

class LoggingEmbedder final : public Embedder {
 public:
  explicit LoggingEmbedder(Log* log) : log_(log) {}
  Embeddings embed(std::span<const std::string> texts) override {
    if (++log_->num_calls == log_->fail_at_call) throw std::runtime_error("killed");
    Embeddings embeddings{.dimension = 3, .values = {}};
    for (const std::string& text : texts) {
      log_->texts.push_back(text);
      for (const float value : vector_of(text)) embeddings.values.push_back(value);
    }
    if (log_->stop_after_first_call != nullptr) log_->stop_after_first_call->request_stop();
    return embeddings;
  }
  std::string description_json() const override { return R"({"model": "plain"})"; }

 private:
  Log* log_;
};

class EmbeddingStoreTest : public ::testing::Test {
 protected:
  EmbeddedTexts embed(const std::vector<std::string>& texts, const std::string& description = "",
                      std::stop_token stop = {}) {
    EmbeddingStore store(
        [this] {
          ++log_.num_opened;
          return std::make_unique<LoggingEmbedder>(&log_);
        },
        {.folder = folder(), .description_json = description, .block = kBlock});
    progress_.clear();
    return store.embed(
        "image captions", texts,
        [this](std::int64_t done, std::int64_t total) { progress_.emplace_back(done, total); },
        stop);
  }
  fs::path folder() const { return temporary_ / "deep" / "embeddings"; }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (!fs::exists(folder())) return found;
    for (const auto& entry : fs::directory_iterator(folder())) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  // Texts "a", "bb", ...: as many as asked for, all different.
  static std::vector<std::string> texts(std::size_t count) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      texts.emplace_back(i + 1, static_cast<char>('a' + i % 26));
    }
    return texts;
  }
  static void expect_right(const EmbeddedTexts& embedded, const std::vector<std::string>& texts) {
    ASSERT_EQ(embedded.row_of.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_THAT(embedded.row(i), ::testing::ElementsAreArray(vector_of(texts[i]))) << texts[i];
    }
  }

  testing::TempDir temporary_;
  Log log_;
  std::vector<std::pair<std::int64_t, std::int64_t>> progress_;
};

TEST_F(EmbeddingStoreTest, ComputesEachDistinctTextOnceInBlocks) {
  std::vector<std::string> wanted = texts(10);
  wanted.insert(wanted.begin() + 3, {"a", "bb", ""});
  wanted.emplace_back("a");
  const EmbeddedTexts embedded = embed(wanted);
  expect_right(embedded, wanted);
  EXPECT_EQ(embedded.rows.size(), 11 * 3U);
  EXPECT_EQ(log_.texts.size(), 11U);
  EXPECT_EQ(log_.num_calls, 3);
  EXPECT_EQ(embedded.row_of[0], embedded.row_of.back());
  EXPECT_EQ(progress_.front(), std::pair(std::int64_t{0}, std::int64_t{11}));
  EXPECT_EQ(progress_.back(), std::pair(std::int64_t{11}, std::int64_t{11}));
}

TEST_F(EmbeddingStoreTest, KeepsANpyFileThatIsReadWithoutTheModel) {
  const std::vector<std::string> wanted = texts(6);
  embed(wanted);
  ASSERT_EQ(files().size(), 1U);
  EXPECT_THAT(files()[0].filename().string(),
              ::testing::MatchesRegex("image-captions-[0-9a-f]+\\.npy"));
  const testing::FloatMatrix matrix = testing::read_npy(files()[0]);
  EXPECT_EQ(matrix.num_rows, 6U);
  EXPECT_EQ(matrix.num_columns, 3U);
  EXPECT_THAT(matrix.row(5), ::testing::ElementsAreArray(vector_of(wanted[5])));

  log_ = {};
  expect_right(embed(wanted, R"({"model": "plain"})"), wanted);
  EXPECT_EQ(log_.num_opened, 0);
  EXPECT_THAT(progress_, ::testing::ElementsAre(std::pair(std::int64_t{6}, std::int64_t{6})));
}

TEST_F(EmbeddingStoreTest, OtherTextsOrAnotherModelAreOtherFiles) {
  embed({"ab", "c"});
  embed({"a", "bc"});
  embed({"c", "ab"});
  embed({"ab", "c", "ab"});  // the distinct ones of the first
  EXPECT_EQ(files().size(), 3U);
  embed({"ab", "c"}, R"({"model": "another"})");
  EXPECT_EQ(files().size(), 4U);
}

TEST_F(EmbeddingStoreTest, MapsOneFileOnceThatOutlivesTheStore) {
  const EmbeddedTexts first = embed({"x", "yy"});
  fs::remove_all(folder());
  expect_right(first, {"x", "yy"});
}

TEST_F(EmbeddingStoreTest, WithoutTextsNothingIsMade) {
  EXPECT_TRUE(embed({}).rows.empty());
  EXPECT_EQ(log_.num_opened, 0);
  EXPECT_TRUE(files().empty());
}

TEST_F(EmbeddingStoreTest, ContinuesAfterADeathWithTheSameBytes) {
  const std::vector<std::string> wanted = texts(18);
  embed(wanted);
  const std::string expected = io::read_file(files()[0]);
  for (int call = 1; call <= 5; ++call) {
    fs::remove_all(folder());
    log_ = {.fail_at_call = call};
    EXPECT_THROW(embed(wanted), std::runtime_error);
    ASSERT_EQ(files().size(), 1U);
    EXPECT_EQ(files()[0].extension(), ".partial");
    log_ = {};
    expect_right(embed(wanted), wanted);
    // The last block on disk is not trusted, the ones before it are.
    EXPECT_EQ(log_.texts.size(), 18 - kBlock * static_cast<std::size_t>(std::max(0, call - 2)));
    ASSERT_EQ(files().size(), 1U);
    EXPECT_EQ(io::read_file(files()[0]), expected);
  }
}

TEST_F(EmbeddingStoreTest, ContinuesFromAFileCutAnywhere) {
  const std::vector<std::string> wanted = texts(13);
  embed(wanted);
  const fs::path whole = files()[0];
  const std::string expected = io::read_file(whole);
  for (std::size_t size = 0; size <= expected.size(); size += 11) {
    fs::remove(whole);
    std::ofstream(whole.string() + ".partial", std::ios::binary) << expected.substr(0, size);
    expect_right(embed(wanted), wanted);
    EXPECT_EQ(io::read_file(whole), expected) << size;
    EXPECT_EQ(files().size(), 1U);
  }
}

TEST_F(EmbeddingStoreTest, MakesADamagedFileAnewWithAWarning) {
  const std::vector<std::string> wanted = texts(9);
  embed(wanted);
  const fs::path path = files()[0];
  const std::string expected = io::read_file(path);
  const std::string zeroed = expected.substr(0, 200) + std::string(expected.size() - 200, '\0');
  for (const std::string& damaged :
       {std::string(), expected.substr(0, 60), expected.substr(0, expected.size() - 1),
        expected + "x", std::string(expected.size(), 'x'), zeroed}) {
    io::write_file_atomically(path, damaged);
    log_ = {};
    ::testing::internal::CaptureStderr();
    expect_right(embed(wanted), wanted);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("is damaged"));
    EXPECT_EQ(log_.texts.size(), 9U);
    EXPECT_EQ(io::read_file(path), expected);
  }
}

TEST_F(EmbeddingStoreTest, AStopKeepsWhatIsDone) {
  std::stop_source stop;
  log_.stop_after_first_call = &stop;
  const std::vector<std::string> wanted = texts(20);
  const Error error = testing::error_of([&] { embed(wanted, "", stop.get_token()); });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
  EXPECT_THAT(error.message, ::testing::HasSubstr("image captions"));
  EXPECT_EQ(log_.num_calls, 1);
  EXPECT_EQ(files().size(), 1U);
  log_.stop_after_first_call = nullptr;
  expect_right(embed(wanted), wanted);
}

TEST_F(EmbeddingStoreTest, WaitsForAnotherThatMakesTheSame) {
  const std::vector<std::string> wanted = texts(9);
  embed(wanted);
  const fs::path whole = files()[0];
  const fs::path partial = whole.string() + ".partial";
  fs::rename(whole, partial);
  const int descriptor = ::open(partial.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(descriptor, LOCK_EX | LOCK_NB), 0);

  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(testing::error_of([&] { embed(wanted, "", stop.get_token()); }).code,
            ErrorCode::kCancelled);

  log_ = {};
  std::atomic<bool> is_back = false;
  std::jthread other([&] {
    expect_right(embed(wanted), wanted);
    is_back = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(is_back);
  fs::rename(partial, whole);  // the one that was waited for is done
  ::close(descriptor);
  other.join();
  EXPECT_TRUE(log_.texts.empty());
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(EmbeddingStoreTest, RefusesVectorsThatAreNotOfNormOne) {
  const Error error = testing::error_of([&] { embed({"a", "nothing"}); });
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, ::testing::HasSubstr("'nothing' of the image captions"));
}

TEST_F(EmbeddingStoreTest, SaysWhichFolderCannotBeWritten) {
  std::ofstream(temporary_ / "deep") << "a file where a folder should be";
  const Error error = testing::error_of([&] { embed(texts(2)); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, ::testing::HasSubstr("deep/embeddings: cannot create the folder"));
}

}  // namespace
}  // namespace contra4::pipeline
