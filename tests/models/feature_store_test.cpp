#include "contra4/models/feature_store.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/io/file.h"
#include "contra4/io/safetensors.h"
#include "tests/support/test_env.h"

namespace contra4::models {
namespace {

const std::string kHash = sha256_hex("a picture");

SceneFeatures some_features() {
  return {at::arange(12, at::kFloat).reshape({3, 4}), at::full({2, 2}, 1.5, at::kBFloat16),
          at::full({5}, -0.25, at::kHalf), at::arange(3, at::kLong)};
}

void expect_equal(const SceneFeatures& a, const SceneFeatures& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].scalar_type(), b[i].scalar_type());
    EXPECT_TRUE(at::equal(a[i], b[i])) << i;
  }
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(FeatureStore, GivesBackWhatItWasGiven) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  EXPECT_FALSE(store.load(Modality::kImage, kHash));
  store.save(Modality::kImage, kHash, some_features());
  const auto features = store.load(Modality::kImage, kHash);
  ASSERT_TRUE(features);
  expect_equal(*features, some_features());
}

TEST(FeatureStore, KeepsMoreThanTenTensorsInOrder) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  SceneFeatures features;
  for (int i = 0; i < 25; ++i) features.push_back(at::full({1}, i, at::kFloat));
  store.save(Modality::kAudio, kHash, features);
  expect_equal(*store.load(Modality::kAudio, kHash), features);
}

TEST(FeatureStore, StoresAViewAsItIsSeen) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  const SceneFeatures features = {at::arange(6, at::kFloat).reshape({2, 3}).t()};
  store.save(Modality::kVideo, kHash, features);
  expect_equal(*store.load(Modality::kVideo, kHash), features);
}

TEST(FeatureStore, KeepsModelsModalitiesAndContentsApart) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  store.save(Modality::kImage, kHash, some_features());
  EXPECT_FALSE(store.load(Modality::kVideo, kHash));
  EXPECT_FALSE(store.load(Modality::kImage, sha256_hex("another")));
  EXPECT_FALSE(FeatureStore(folder.path(), "model 2").load(Modality::kImage, kHash));
}

TEST(FeatureStore, CreatesNothingBeforeTheFirstSave) {
  const testing::TempDir folder;
  const FeatureStore store(folder / "features", "model");
  EXPECT_FALSE(store.load(Modality::kImage, kHash));
  EXPECT_FALSE(std::filesystem::exists(folder / "features"));
}

TEST(FeatureStore, WritesSafetensorsThatOthersCanRead) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  store.save(Modality::kImage, kHash, some_features());
  const io::SafetensorsFile file(store.file_of(Modality::kImage, kHash));
  EXPECT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<std::int64_t>{3, 4}));
}

TEST(FeatureStore, DamagedFilesCountAsAbsentAndAreWrittenAnew) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  store.save(Modality::kImage, kHash, some_features());
  const auto path = store.file_of(Modality::kImage, kHash);
  const std::string whole = io::read_file(path);
  std::vector<std::string> damaged = {"", "not tensors", whole.substr(0, whole.size() / 2),
                                      whole.substr(0, whole.size() - 1), whole + "x"};
  std::string flipped = whole;
  flipped[flipped.size() - 3] ^= 1;
  damaged.push_back(flipped);
  for (const std::string& bytes : damaged) {
    write(path, bytes);
    EXPECT_FALSE(store.load(Modality::kImage, kHash)) << bytes.size();
  }
  store.save(Modality::kImage, kHash, some_features());
  EXPECT_TRUE(store.load(Modality::kImage, kHash));
}

TEST(FeatureStore, AFileUnderAnotherNameIsNotBelieved) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  store.save(Modality::kImage, kHash, some_features());
  const auto other = sha256_hex("another");
  const auto path = store.file_of(Modality::kImage, other);
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::copy_file(store.file_of(Modality::kImage, kHash), path);
  EXPECT_FALSE(store.load(Modality::kImage, other));
}

TEST(FeatureStore, SpreadsItsFilesOverFolders) {
  const testing::TempDir folder;
  const FeatureStore store(folder.path(), "model");
  for (int i = 0; i < 300; ++i) {
    store.save(Modality::kImage, sha256_hex(std::to_string(i)), {at::arange(2, at::kFloat)});
  }
  std::size_t most = 0;
  const auto model = std::filesystem::directory_iterator(folder.path())->path();
  for (const auto& entry : std::filesystem::directory_iterator(model / "image")) {
    const auto files = std::filesystem::directory_iterator(entry);
    most = std::max(most, static_cast<std::size_t>(std::distance(begin(files), end(files))));
  }
  EXPECT_GT(most, 0U);
  EXPECT_LT(most, 12U);
}

TEST(FeatureStore, ManyMayWriteAndReadTheSame) {
  const testing::TempDir folder;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&folder] {
      const FeatureStore store(folder.path(), "model");  // one each, as processes have
      for (int round = 0; round < 20; ++round) {
        store.save(Modality::kImage, kHash, some_features());
        const auto features = store.load(Modality::kImage, kHash);
        ASSERT_TRUE(features);
        expect_equal(*features, some_features());
      }
    });
  }
}

TEST(FeatureStore, SaysWhatIsInTheWay) {
  const testing::TempDir folder;
  write(folder / "features", "a file");
  const FeatureStore store(folder / "features", "model");
  EXPECT_THROW(store.save(Modality::kImage, kHash, some_features()), Exception);
  EXPECT_FALSE(store.load(Modality::kImage, kHash));
}

}  // namespace
}  // namespace contra4::models
