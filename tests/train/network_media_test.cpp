#include "contra4/train/network_media.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/npy.h"
#include "contra4/models/feature_store.h"
#include "contra4/models/scene_media.h"
#include "contra4/text/sentence_piece.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_onellm.h"
#include "tests/support/zip_file.h"
#include "tests/train/trained_network.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::contra4::testing::TrainedNetwork;
using ::testing::HasSubstr;

class NetworkMediaTest : public ::testing::Test {
 protected:
  NetworkMediaTest() { testing::write_toy_onellm(folder_.path()); }

  std::unique_ptr<TrainedNetwork> make(TrainedPart trained,
                                       at::ScalarType dtype = at::kFloat) const {
    const tensor::Checkpoint source(folder_ / "model.safetensors");
    const auto sizes =
        models::onellm::read_sizes(source, models::read_llama_params(folder_ / "params.json"));
    const text::SentencePiece tokenizer(folder_ / "tokenizer.model");
    return std::make_unique<TrainedNetwork>(
        source, sizes,
        NetworkOptions{
            .trained = trained, .dtype = dtype, .label_ids = scene_label_ids(tokenizer)});
  }
  // A file with what preprocessing makes of a medium.
  fs::path write_prepared(const char* name, const char* member, const at::Tensor& x) const {
    io::NpyArray array;
    array.type = io::TensorType::kF32;
    array.shape = x.sizes().vec();
    array.bytes.assign(static_cast<const char*>(x.const_data_ptr()), x.nbytes());
    const fs::path path = folder_ / name;
    io::write_file_atomically(path, testing::zip_bytes({{.name = std::string(member) + ".npy",
                                                         .bytes = io::write_npy(array)}}));
    return path;
  }
  static std::shared_ptr<const models::SceneFeatures> fetch(models::SceneMedia& media,
                                                            Modality modality,
                                                            const fs::path& path) {
    auto* medium = media.want(modality, path);
    const std::stop_token never;
    while (true) {
      if (auto found = media.features_of(medium)) return found->value();
      if (!media.encode(/*is_full=*/false)) media.wait(never);
    }
  }

  testing::TempDir folder_;
};

TEST_F(NetworkMediaTest, DeliversWhatTheNetworkWantsOfFiles) {
  const auto trained = make(TrainedPart::kAll);
  NetworkMedia model(*trained->network, *trained->weights, {});
  const at::Tensor sound = testing::wavy({1, 128, 1024});
  const at::Tensor picture = testing::wavy({3, 224, 224});
  const fs::path sound_file = write_prepared("a.npz", "audio", sound);
  const fs::path picture_file = write_prepared("b.npz", "image", picture);
  models::SceneMedia media(model, nullptr, {.num_threads = 2});
  const auto frozen = fetch(media, Modality::kImage, picture_file);
  const auto prepared = fetch(media, Modality::kAudio, sound_file);
  // A picture is what CLIP gives, a sound what goes into its stem.
  ASSERT_EQ(frozen->size(), 1U);
  EXPECT_EQ((*frozen)[0].sizes(), at::IntArrayRef({257, 64}));
  EXPECT_TRUE(at::equal((*prepared)[0], sound));
  EXPECT_EQ(fetch(media, Modality::kImage, picture_file), frozen);  // once
  // And it is learnt from.
  const std::vector<std::int64_t> ids = {1, 5, 6};
  const Example example{.ids = ids,
                        .labels = {false, false, true},
                        .modalities = {Modality::kAudio, Modality::kImage},
                        .media = {prepared.get(), frozen.get()}};
  nn::PlainRunner runner;
  trained->network->loss_sum(std::span(&example, 1), runner).backward();
  EXPECT_TRUE(trained->leaves.at("llma.conv1.audio.weight").grad().defined());
  EXPECT_TRUE(trained->leaves.at("llma.clip_proj1.image.0.weight").grad().defined());
}

TEST_F(NetworkMediaTest, PointsAreLearntFromWhereTheirStemIs) {
  const auto trained = make(TrainedPart::kAll);
  NetworkMedia model(*trained->network, *trained->weights, {});
  models::SceneMedia media(model, nullptr, {.num_threads = 1});
  const auto points = fetch(media, Modality::kPointCloud,
                            write_prepared("c.npz", "point", testing::wavy({1500, 6})));
  ASSERT_EQ(points->size(), 2U);
  const std::vector<std::int64_t> ids = {1, 5};
  const Example example{.ids = ids,
                        .labels = {false, true},
                        .modalities = {Modality::kPointCloud},
                        .media = {points.get()}};
  nn::PlainRunner runner;
  trained->network->loss_sum(std::span(&example, 1), runner).backward();
  EXPECT_TRUE(trained->leaves.at("llma.conv1.point.conv1.weight").grad().defined());
}

TEST_F(NetworkMediaTest, WhatIsStoredIsReadBackInTheNetworksType) {
  const auto trained = make(TrainedPart::kProjector, at::kDouble);
  NetworkMedia model(*trained->network, *trained->weights, {});
  const models::FeatureStore store(folder_ / "features", model.feature_key());
  const fs::path file = write_prepared("a.npz", "audio", testing::wavy({1, 128, 1024}));
  std::vector<at::Tensor> found;
  for (int run = 0; run < 2; ++run) {
    models::SceneMedia media(model, &store, {.num_threads = 1});
    found.push_back((*fetch(media, Modality::kAudio, file))[0]);
    media.finish({});
  }
  EXPECT_EQ(found[0].sizes(),
            at::IntArrayRef({1213, 64}));  // frozen: the projector alone is trained
  EXPECT_EQ(found[1].scalar_type(), at::kDouble);
  EXPECT_TRUE(at::equal(found[0], found[1]));
  EXPECT_FALSE(found[1].is_inference());
}

TEST_F(NetworkMediaTest, TheFeatureKeyIsThatOfTheFrozenWeights) {
  const auto key_of = [&](TrainedPart trained, at::ScalarType dtype = at::kFloat,
                          const models::onellm::PrepareOptions& options = {}) {
    const auto network = make(trained, dtype);
    return NetworkMedia(*network->network, *network->weights, options).feature_key();
  };
  const std::string all = key_of(TrainedPart::kAll);
  const std::string projector = key_of(TrainedPart::kProjector);
  EXPECT_EQ(key_of(TrainedPart::kAll), all);
  EXPECT_NE(projector, all);
  EXPECT_EQ(key_of(TrainedPart::kLora), projector);
  EXPECT_NE(key_of(TrainedPart::kAll, at::kBFloat16), all);
  EXPECT_NE(key_of(TrainedPart::kAll, at::kFloat, {.rounds_points_to_bfloat16 = true}), all);
  const auto weights = testing::toy_onellm_weights({});
  const auto change = [&](const std::string& name) {
    auto changed = weights;
    for (auto& tensor : changed) {
      if (tensor.name == name) tensor.bytes.back() ^= 1;
    }
    testing::write_safetensors(folder_ / "model.safetensors", changed);
  };
  change("llma.clip.visual.ln_post.bias");
  EXPECT_NE(key_of(TrainedPart::kAll), all);
  change("llma.conv1.audio.weight");
  EXPECT_EQ(key_of(TrainedPart::kAll), all);  // it is trained: it decides no feature
  EXPECT_NE(key_of(TrainedPart::kProjector), projector);
  change("llma.clip_proj1.audio.0.weight");
  EXPECT_EQ(key_of(TrainedPart::kProjector), projector);
}

TEST_F(NetworkMediaTest, BlankMediaHaveTheFormOfPreparedOnes) {
  const auto trained = make(TrainedPart::kAll);
  NetworkMedia model(*trained->network, *trained->weights, {});
  for (const Modality modality : kModalities) {
    const models::PreparedMedium blank = model.blank(modality);
    EXPECT_EQ(models::onellm::find_fault(trained->network->sizes(), modality, blank), "");
    EXPECT_EQ(model.encode(modality, {&blank, 1}).size(), 1U);
  }
}

TEST_F(NetworkMediaTest, NamesTheFileThatItCannotTake) {
  const auto trained = make(TrainedPart::kAll);
  NetworkMedia model(*trained->network, *trained->weights, {});
  const auto refused = model.prepare(Modality::kImage, "no picture", "a.jpg");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);  // no decoder was given
  EXPECT_THAT(refused.error().message, HasSubstr("a.jpg"));
  EXPECT_THROW(model.answer({}), Exception);
  EXPECT_THAT(model.description_json(), HasSubstr("\"frozen\""));
}

}  // namespace
}  // namespace contra4::train
