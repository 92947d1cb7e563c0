// How much of the time of CLIP and of LLaMA's prefill goes into their matrix products: both against
// at::matmul alone on the same shapes in the same type, in turn, the best of several runs.
//
//   onellm_bench CHECKPOINT float32|bf16 THREADS
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "contra4/models/language/llama_decoding.h"
#include "contra4/models/onellm/encoder.h"
#include "contra4/models/onellm/files.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/nn/block_runner.h"
#include "contra4/tensor/checkpoint.h"

namespace {

using namespace contra4;  // NOLINT(google-build-using-namespace): a program of one file

constexpr std::int64_t kPictures = 8;
constexpr std::int64_t kPrompts = 16;
constexpr std::int64_t kPositions = 180;  // of a question over three scenes
constexpr int kRuns = 5;

// times [batch, m, k] x [batch, k, n]
struct Product {
  std::int64_t batch = 1;
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t times = 1;

  double operations() const { return 2.0 * static_cast<double>(batch * m * k * n * times); }
};

std::vector<Product> attention(std::int64_t sequences, std::int64_t length, std::int64_t heads,
                               std::int64_t head_width, std::int64_t layers) {
  return {{.batch = sequences * heads, .m = length, .k = head_width, .n = length, .times = layers},
          {.batch = sequences * heads, .m = length, .k = length, .n = head_width, .times = layers}};
}

std::vector<Product> clip_products(const models::onellm::Sizes& sizes) {
  const std::int64_t length = sizes.num_patches + 1;
  const std::int64_t rows = kPictures * length;
  const std::int64_t width = sizes.width;
  const std::int64_t inner = sizes.clip_feed_forward_width;
  const std::int64_t layers = sizes.num_clip_layers;
  std::vector<Product> products =
      attention(kPictures, length, sizes.num_clip_heads, width / sizes.num_clip_heads, layers);
  products.push_back({.m = kPictures * sizes.num_patches,
                      .k = 3 * sizes.patch_side * sizes.patch_side,
                      .n = width});
  products.push_back({.m = rows, .k = width, .n = 3 * width, .times = layers});
  products.push_back({.m = rows, .k = width, .n = width, .times = layers});
  products.push_back({.m = rows, .k = width, .n = inner, .times = layers});
  products.push_back({.m = rows, .k = inner, .n = width, .times = layers});
  return products;
}

std::vector<Product> prefill_products(const models::LlamaConfig& config) {
  const std::int64_t rows = kPrompts * kPositions;
  const std::int64_t layers = config.num_layers;
  std::vector<Product> products =
      attention(kPrompts, kPositions, config.num_heads, config.head_width(), layers);
  products.push_back({.m = rows, .k = config.width, .n = 3 * config.width, .times = layers});
  products.push_back({.m = rows, .k = config.width, .n = config.width, .times = layers});
  products.push_back(
      {.m = rows, .k = config.width, .n = 2 * config.feed_forward_width, .times = layers});
  products.push_back(
      {.m = rows, .k = config.feed_forward_width, .n = config.width, .times = layers});
  products.push_back({.m = kPrompts, .k = config.width, .n = config.vocabulary_size});
  return products;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double seconds_of(const std::vector<Product>& products, at::ScalarType type) {
  double sum = 0;
  for (const Product& product : products) {
    const bool is_flat = product.batch == 1;
    const at::Tensor a = is_flat ? at::randn({product.m, product.k}).to(type)
                                 : at::randn({product.batch, product.m, product.k}).to(type);
    // As weights lie: [out, in].
    const at::Tensor b = is_flat ? at::randn({product.n, product.k}).to(type).t()
                                 : at::randn({product.batch, product.k, product.n}).to(type);
    const double once = seconds_of([&] { at::matmul(a, b); });
    sum +=
        static_cast<double>(product.times) * std::min(once, seconds_of([&] { at::matmul(a, b); }));
  }
  return sum;
}

void compare(std::string_view name, const std::vector<Product>& products, at::ScalarType type,
             const std::function<void()>& model) {
  double operations = 0;
  for (const Product& product : products) operations += product.operations();
  double bare = 1e30;
  double whole = 1e30;
  for (int run = 0; run < kRuns; ++run) {
    bare = std::min(bare, seconds_of(products, type));
    whole = std::min(whole, seconds_of(model));
  }
  fmt::print("{:8} {:7.3f} s, {:6.1f} GFLOPS; products alone {:7.3f} s, {:6.1f} GFLOPS: {:.0f}%\n",
             name, whole, 1e-9 * operations / whole, bare, 1e-9 * operations / bare,
             100 * bare / whole);
}

void run(const std::filesystem::path& path, at::ScalarType type) {
  const c10::InferenceMode no_gradients;
  const tensor::Checkpoint checkpoint(path);
  const models::onellm::Sizes sizes =
      models::onellm::read_sizes(checkpoint, models::onellm::find_config(path, {}));
  const nn::Placement placement{.dtype = type};
  const models::onellm::Encoder encoder(checkpoint, sizes, placement);
  std::vector<models::PreparedMedium> pictures;
  const std::int64_t side = 16 * sizes.patch_side;
  for (std::int64_t i = 0; i < kPictures; ++i) pictures.push_back({at::randn({3, side, side})});
  nn::PlainRunner runner;
  compare("CLIP", clip_products(sizes), type,
          [&] { encoder.clip_features(Modality::kImage, pictures, runner); });

  const std::vector<at::Device> devices = {at::kCPU};
  const models::LlamaDecoder decoder(checkpoint, sizes.language,
                                     models::meta_llama_names(std::string(models::onellm::kPrefix)),
                                     devices, type);
  std::vector<models::LlamaPrompt> prompts;
  for (std::int64_t i = 0; i < kPrompts; ++i) {
    prompts.push_back({.numbers = {static_cast<std::size_t>(i)},
                       .pieces = {at::randn({kPositions, sizes.language.width}).to(type)}});
  }
  compare("prefill", prefill_products(decoder.config()), type,
          [&] { models::LlamaDecoding(decoder, prompts, 0); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: onellm_bench CHECKPOINT float32|bf16 THREADS\n");
    return 2;
  }
  try {
    at::set_num_threads(std::atoi(argv[3]));
    run(argv[1], std::string_view(argv[2]) == "bf16" ? at::kBFloat16 : at::kFloat);
  } catch (const std::exception& error) {
    fmt::print(stderr, "onellm_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
