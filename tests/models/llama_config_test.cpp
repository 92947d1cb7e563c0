#include "contra4/models/language/llama_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/json.h"

namespace contra4::models {
namespace {

Result<LlamaConfig> parse(const std::string& json) {
  return parse_llama_params(io::parse_json(json, "params.json").value(), "params.json");
}

TEST(LlamaConfig, ReadsParamsAsMetaPublishedThem) {
  const LlamaConfig config =
      parse(R"({"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32,
                "norm_eps": 1e-06, "vocab_size": -1})")
          .value();
  EXPECT_EQ(config.width, 4096);
  EXPECT_EQ(config.feed_forward_width, 11008);
  EXPECT_EQ(config.vocabulary_size, 0);  // as the checkpoint has it
  EXPECT_EQ(config.norm_eps, 1e-6);
}

TEST(LlamaConfig, GatedWidthsAreThePublishedOnes) {
  EXPECT_EQ(gated_width(4096, 256), 11008);
  EXPECT_EQ(gated_width(1024, 256), 2816);
  EXPECT_EQ(gated_width(64, 32), 192);
}

TEST(LlamaConfig, NamesTheKeyThatIsWrong) {
  const auto expect = [](const std::string& json, const std::string& words) {
    const auto config = parse(json);
    ASSERT_FALSE(config.has_value()) << json;
    EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(config.error().message, ::testing::HasSubstr(words));
  };
  expect("[]", "is no JSON object");
  expect(R"({"n_heads": 1, "n_layers": 1})", "params.json: dim is missing");
  expect(R"({"dim": 0, "n_heads": 1, "n_layers": 1})", "dim is no size");
  expect(R"({"dim": 99999999999, "n_heads": 1, "n_layers": 1})", "dim is no size");
  expect(R"({"dim": 6, "n_heads": 2, "n_layers": 1})", "an even width");
  expect(R"({"dim": 8, "n_heads": 2, "n_layers": 1, "n_kv_heads": 1})", "n_kv_heads");
  expect(R"({"dim": 8, "n_heads": 2, "n_layers": 1, "norm_eps": "x"})", "norm_eps");
  expect(R"({"dim": 8, "n_heads": 2, "n_layers": 1, "multiple_of": 0})", "multiple_of");
}

}  // namespace
}  // namespace contra4::models
