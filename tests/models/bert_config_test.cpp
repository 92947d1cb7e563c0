#include "contra4/models/bert_config.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_env.h"
#include "tests/support/toy_minilm.h"

namespace contra4::models {
namespace {

using ::testing::HasSubstr;

// The toy configuration with `from` replaced by `to`.
Result<BertConfig> parse(const std::string& from = "", const std::string& to = "") {
  std::string json = testing::toy_config_json({});
  if (!from.empty()) {
    const std::size_t at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    json.replace(at, from.size(), to);
  }
  return parse_bert_config(io::parse_json(json, "config.json").value(), "config.json");
}

void expect_refusal(const std::string& from, const std::string& to, const std::string& message) {
  const auto config = parse(from, to);
  ASSERT_FALSE(config.has_value()) << to;
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(config.error().message, ::testing::StartsWith("config.json: "));
  EXPECT_THAT(config.error().message, HasSubstr(message));
}

TEST(BertConfig, ReadsEverySize) {
  const BertConfig config = parse().value();
  EXPECT_EQ(config.vocabulary_size, 57);
  EXPECT_EQ(config.width, 8);
  EXPECT_EQ(config.num_layers, 2);
  EXPECT_EQ(config.num_heads, 2);
  EXPECT_EQ(config.feed_forward_width, 16);
  EXPECT_EQ(config.max_positions, 256);
  EXPECT_EQ(config.num_token_types, 2);
  EXPECT_EQ(config.layer_norm_eps, 1e-12);
  EXPECT_EQ(config.activation, nn::Activation::kGelu);
}

TEST(BertConfig, PassesOverKeysThatChangeNothing) {
  EXPECT_TRUE(parse("{", "{\"initializer_range\": 0.02, ").has_value());
}

TEST(BertConfig, RejectsMissingOrImpossibleSizes) {
  expect_refusal("\"hidden_size\"", "\"hidden\"", "hidden_size is missing");
  expect_refusal("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0",
                 "num_hidden_layers is no size");
  expect_refusal("\"num_attention_heads\": 2", "\"num_attention_heads\": 3",
                 "hidden_size 8 is no multiple of num_attention_heads 3");
  expect_refusal("\"type_vocab_size\": 2", "\"type_vocab_size\": \"2\"",
                 "type_vocab_size is no size");
  expect_refusal("\"intermediate_size\": 16", "\"intermediate_size\": 99999999999",
                 "intermediate_size is no size");
  expect_refusal("1e-12", "0", "layer_norm_eps");
  expect_refusal("1e-12", "\"small\"", "layer_norm_eps");
}

TEST(BertConfig, RejectsOtherModels) {
  expect_refusal("\"bert\"", "\"mpnet\"", "model_type is 'mpnet', wanted 'bert'");
  expect_refusal("\"gelu\"", "\"swish\"", "hidden_act 'swish' is not known");
  expect_refusal("{", "{\"position_embedding_type\": \"relative_key\", ",
                 "position_embedding_type is 'relative_key'");
  EXPECT_FALSE(parse_bert_config(io::JsonValue(true), "x").has_value());
}

TEST(BertConfig, ReadsAFile) {
  const testing::TempDir folder;
  std::ofstream(folder / "config.json") << testing::toy_config_json({});
  EXPECT_EQ(read_bert_config(folder / "config.json").width, 8);
  EXPECT_THROW(read_bert_config(folder / "none.json"), Exception);
}

}  // namespace
}  // namespace contra4::models
