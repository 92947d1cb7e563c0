// Five steps of AdamW on a small checkpoint, against what the published training computes with it
// on the CPU in float32: as published, and with its defects mended.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/npy.h"
#include "contra4/text/sentence_piece.h"
#include "contra4/train/onellm_network.h"
#include "tests/support/test_env.h"
#include "tests/train/trained_network.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;

constexpr double kLossTolerance = 1e-4;  // relative
constexpr double kNormTolerance = 1e-3;  // relative

fs::path golden(const char* name) {
  return testing::shared_dir() / "goldens" / "onellm" / name;
}

at::Tensor read_array(const std::string& member) {
  const std::string bytes = io::read_file(golden("preprocessed.npz"));
  const io::NpyArray array = io::read_npz(bytes, member, "preprocessed.npz").value();
  const std::vector<float> values = array.to_float32();
  at::Tensor tensor = at::empty(array.shape, at::kFloat);
  std::memcpy(tensor.mutable_data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return tensor;
}

std::vector<double> numbers(const io::JsonValue& json, const std::string& key) {
  std::vector<double> values;
  for (const io::JsonValue& value : *json.find(key)->find_array()) {
    values.push_back(*value.find_number());
  }
  return values;
}

double norm_of(const at::Tensor& gradient) {
  return gradient.to(at::kDouble).norm().item<double>();
}

// Written out: the published optimizer, which leaves what has no gradient.
class PlainAdamW {
 public:
  explicit PlainAdamW(testing::TrainedNetwork& network) : network_(network) {
    for (const UnitPlan& plan : network.plans) {
      for (const ParameterPlan& parameter : plan.parameters) {
        decays_[parameter.name] = parameter.decays;
      }
    }
  }
  // The norm of all gradients before they are scaled.
  double step() {
    const c10::NoGradGuard no_gradients;
    ++num_steps_;
    double squares = 0;
    for (const auto& [name, leaf] : network_.leaves) {
      if (leaf.grad().defined()) squares += std::pow(norm_of(leaf.grad()), 2);
    }
    const double norm = std::sqrt(squares);
    const double scale = std::min(1.0, 2.0 / (norm + 1e-6));
    for (auto& [name, leaf] : network_.leaves) {
      if (!leaf.grad().defined()) continue;
      const at::Tensor gradient = leaf.grad().mul(scale);
      auto& [first, second] = moments_[name];
      if (!first.defined()) {
        first = at::zeros_like(leaf);
        second = at::zeros_like(leaf);
      }
      first.mul_(0.9).add_(gradient, 0.1);
      second.mul_(0.95).addcmul_(gradient, gradient, 0.05);
      if (decays_.at(name)) leaf.mul_(1 - 1e-3 * 0.02);
      const at::Tensor root = second.div(1 - std::pow(0.95, num_steps_)).sqrt_().add_(1e-8);
      leaf.addcdiv_(first.div(1 - std::pow(0.9, num_steps_)), root, -1e-3);
    }
    network_.zero_gradients();
    return norm;
  }

 private:
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };
  testing::TrainedNetwork& network_;
  std::map<std::string, bool> decays_;
  std::map<std::string, Moments> moments_;
  int num_steps_ = 0;
};

struct Batch {
  std::vector<std::vector<std::int64_t>> ids;
  std::vector<Example> examples;
};

class OneLlmTrainingGolden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { CONTRA4_REQUIRE_SHARED(); }

  void compare(at::ScalarType dtype, std::size_t num_steps) {
    const std::string kind = GetParam();
    const io::JsonValue trace = io::read_json_file(golden("finetune_trace.json"));
    const tensor::Checkpoint checkpoint(golden("consolidated.00-of-01.pth"));
    const auto sizes =
        models::onellm::read_sizes(checkpoint, models::read_llama_params(golden("params.json")));
    testing::TrainedNetwork trained(
        checkpoint, sizes,
        {.dtype = dtype,
         .label_ids = scene_label_ids(text::SentencePiece(golden("tokenizer.model")))});
    PlainAdamW optimizer(trained);

    std::map<std::string, models::SceneFeatures> media;
    const auto medium = [&](Modality modality, const std::string& name) {
      const std::string key = std::string(to_string(modality)) + "/" + name;
      if (!media.contains(key)) {
        const std::vector<models::PreparedMedium> one = {{read_array(key)}};
        media[key] = trained.network->freeze(modality, one)[0];
      }
      return &media.at(key);
    };
    Batch batch;
    const auto& rows = *trace.find("batch")->find_array();
    const auto& shown = *trace.find("media")->find_array();
    for (const io::JsonValue& row : rows) {
      auto& ids = batch.ids.emplace_back();
      for (const double id : numbers(row, "tokens")) {
        if (id != 0) ids.push_back(static_cast<std::int64_t>(id));  // what fills a row up is 0
      }
    }
    std::int64_t num_labels = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Example& example = batch.examples.emplace_back();
      example.ids = batch.ids[i];
      const auto labels = numbers(rows[i], "labels_" + kind);
      for (std::size_t k = 0; k < batch.ids[i].size(); ++k) {
        example.labels.push_back(labels[k] != 0);
        num_labels += labels[k] != 0 ? 1 : 0;
      }
      example.modalities = {Modality::kImage, Modality::kAudio};
      for (std::size_t scene = 0; scene < 2; ++scene) {
        example.media.push_back(
            medium(example.modalities[scene], *(*shown[scene].find_array())[i].find_string()));
      }
      example.shows_last_scene_only = kind == "published";
    }

    nn::PlainRunner runner;
    const auto losses = numbers(trace, kind + "_losses");
    const auto norms = numbers(trace, kind + "_grad_norm");
    ASSERT_LE(num_steps, losses.size());
    for (std::size_t step = 0; step < num_steps; ++step) {
      const at::Tensor loss =
          trained.network->loss_sum(batch.examples, runner).div(static_cast<double>(num_labels));
      EXPECT_NEAR(loss.item().toDouble() / losses[step], 1, kLossTolerance) << step;
      loss.backward();
      if (step == 0) compare_gradients(trained, trace, kind);
      EXPECT_NEAR(optimizer.step() / norms[step], 1, kNormTolerance) << step;
    }
  }

  static void compare_gradients(const testing::TrainedNetwork& trained, const io::JsonValue& trace,
                                const std::string& kind) {
    const auto& norms = *trace.find(kind + "_grad_norms_step0")->find_object();
    EXPECT_GT(norms.size(), 40U);
    for (const auto& [name, norm] : norms) {
      ASSERT_TRUE(trained.leaves.contains(name)) << name;
      const at::Tensor& gradient = trained.leaves.at(name).grad();
      ASSERT_TRUE(gradient.defined()) << name;
      EXPECT_NEAR(norm_of(gradient) / *norm.find_number(), 1, kNormTolerance) << name;
    }
  }
};

TEST_P(OneLlmTrainingGolden, LearnsAsThePublishedTraining) {
  compare(at::kFloat, 5);
}

TEST_P(OneLlmTrainingGolden, LearnsTheSameInDoublePrecision) {
  compare(at::kDouble, 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OneLlmTrainingGolden, ::testing::Values("published", "corrected"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace contra4::train
