#include "contra4/inference/torch_loader.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/shared_module.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_minilm.h"
#include "tests/support/vectors.h"

namespace contra4 {
namespace {

#ifdef CONTRA4_HAS_TORCH_MODULE

TEST(TorchLoader, OpensTheModuleAndEmbeds) {
  const testing::TempDir folder;
  testing::write_toy_minilm(folder.path());
  const auto embedder =
      open_torch_module().make_minilm({.folder = folder.path(), .num_threads = 1});
  const std::vector<std::string> texts = {"a b", "c"};
  EXPECT_EQ(embedder->embed(texts).size(), 2U);
  EXPECT_EQ(&open_torch_module(), &open_torch_module());
}

TEST(TorchLoader, TheModuleSearchesAsTheProgramDoes) {
  const std::vector<float> base = testing::random_unit_rows(50, 16, 1);
  const auto search = open_torch_module().make_neighbor_search(1);
  const Neighbors found = search->search(base, base, 16, 5, {});
  const Neighbors expected = make_portable_neighbor_search()->search(base, base, 16, 5, {});
  EXPECT_EQ(found.rows, expected.rows);
  EXPECT_EQ(found.scores, expected.scores);
}

TEST(TorchLoader, ErrorsOfTheModuleAreCaughtInTheProgram) {
  try {
    open_torch_module().make_minilm({.folder = "/nonexistent", .num_threads = 1});
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
    EXPECT_THAT(exception.what(), ::testing::HasSubstr("/nonexistent/vocab.txt"));
  }
}

TEST(TorchLoader, TheModuleRefusesAnotherVersion) {
  const auto entry = reinterpret_cast<TorchModuleEntry>(
      open_module_symbol("contra4_torch", kTorchModuleEntry, "CONTRA4_WITH_TORCH"));
  EXPECT_EQ(entry(kTorchModuleVersion + 1), nullptr);
  EXPECT_NE(entry(kTorchModuleVersion), nullptr);
}

#else

TEST(TorchLoader, SaysWhichOptionBringsTheModule) {
  try {
    open_torch_module();
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kUnimplemented);
    EXPECT_THAT(exception.what(), ::testing::HasSubstr("-DCONTRA4_WITH_TORCH=ON"));
  }
}

#endif

}  // namespace
}  // namespace contra4
