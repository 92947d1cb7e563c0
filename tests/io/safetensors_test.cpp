#include "contra4/io/safetensors.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/safetensors_file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::safetensors_bytes;

// The message of a file that must be refused, with code kDataLoss and the file's name in front.
std::string refusal(const std::string& file) {
  const auto header = parse_safetensors(file, "x.safetensors");
  if (header.has_value()) return "accepted";
  EXPECT_EQ(header.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(header.error().message, ::testing::StartsWith("x.safetensors: "));
  return header.error().message;
}

std::string one_tensor(const std::string& fields, std::size_t data_bytes = 8) {
  return safetensors_bytes("{\"w\":{" + fields + "}}", std::string(data_bytes, 'x'));
}

TEST(Safetensors, ReadsNamesTypesShapesAndBytes) {
  const testing::TempDir folder;
  const auto path = folder / "x.safetensors";
  testing::write_safetensors(path, {{"b", "F32", {2, 1}, "01234567"},
                                    {"a.weight", "U8", {3}, "abc"},
                                    {"one", "I8", {}, "z"},
                                    {"none", "F64", {0, 5}, ""}});
  const SafetensorsFile file(path);
  ASSERT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.tensors()[0].name, "a.weight");
  const TensorEntry* b = file.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->type, TensorType::kF32);
  EXPECT_THAT(b->shape, ElementsAre(2, 1));
  EXPECT_EQ(file.bytes(*b), "01234567");
  EXPECT_EQ(file.bytes(*file.find("one")), "z");
  EXPECT_EQ(file.bytes(*file.find("none")), "");
  EXPECT_EQ(file.find("c"), nullptr);
}

TEST(Safetensors, ReadsMetadata) {
  const auto header =
      parse_safetensors(safetensors_bytes(R"({"__metadata__":{"format":"pt"}})", ""), "x").value();
  ASSERT_EQ(header.metadata.size(), 1U);
  EXPECT_EQ(header.metadata[0].second, "pt");
  EXPECT_TRUE(header.tensors.empty());
}

TEST(Safetensors, EveryTypeKnowsItsNameAndSize) {
  for (const char* name : {"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F8_E4M3",
                           "F8_E5M2", "F16", "BF16", "F32", "F64", "C64"}) {
    const auto type = find_tensor_type(name);
    ASSERT_TRUE(type.has_value()) << name;
    EXPECT_EQ(to_string(*type), name);
    EXPECT_GT(bytes_per_element(*type), 0U);
  }
  EXPECT_FALSE(find_tensor_type("F4").has_value());
  EXPECT_FALSE(find_tensor_type("f32").has_value());
}

TEST(Safetensors, RejectsFilesCutInTheHeader) {
  EXPECT_THAT(refusal(""), HasSubstr("0 bytes are no safetensors file"));
  EXPECT_THAT(refusal("1234567"), HasSubstr("7 bytes"));
  EXPECT_THAT(refusal(std::string(16, '\xff')), HasSubstr("the header needs 18446744073709551615"));
  const std::string whole = one_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_NE(refusal(whole.substr(0, cut)), "accepted") << cut;
  }
}

TEST(Safetensors, RejectsHeadersThatAreNoObjectOfTensors) {
  EXPECT_THAT(refusal(safetensors_bytes("[1]", "")), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(safetensors_bytes("", "")), HasSubstr("header"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"a\":", "")), HasSubstr("header"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"a\":3}", "")), HasSubstr("'a' is no object"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"\xff\":3}", "")), HasSubstr("header"));
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":{"a":1}})", "")),
              HasSubstr("'a' is no string"));
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":{},"__metadata__":{}})", "")),
              HasSubstr("twice"));
}

TEST(Safetensors, RejectsUnknownTypesAndShapes) {
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F4","shape":[2],"data_offsets":[0,8])")),
              HasSubstr("unknown dtype 'F4'"));
  EXPECT_THAT(refusal(one_tensor(R"("shape":[2],"data_offsets":[0,8])")), HasSubstr("no dtype"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","data_offsets":[0,8])")), HasSubstr("no shape"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])")),
              HasSubstr("no size"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[2.5],"data_offsets":[0,8])")),
              HasSubstr("no size"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":"2","data_offsets":[0,8])")),
              HasSubstr("no shape"));
  std::string many = "1";
  for (int i = 0; i < 100; ++i) many += ",1";
  EXPECT_THAT(
      refusal(one_tensor("\"dtype\":\"F64\",\"shape\":[" + many + "],\"data_offsets\":[0,8]")),
      HasSubstr("101 dimensions"));
}

TEST(Safetensors, RejectsShapesWhoseProductOverflows) {
  for (const char* shape :
       {"[4294967296,4294967296]", "[9223372036854775807]",
        "[9223372036854775807,0,9223372036854775807]", "[2305843009213693952,2]"}) {
    EXPECT_THAT(refusal(one_tensor(std::string("\"dtype\":\"F32\",\"shape\":") + shape +
                                   ",\"data_offsets\":[0,8]")),
                HasSubstr("larger than any file"))
        << shape;
  }
}

TEST(Safetensors, RejectsRangesThatDoNotFit) {
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[2])")), HasSubstr("no data_offsets"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0])")),
              HasSubstr("no data_offsets"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])")),
              HasSubstr("no range"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])")),
              HasSubstr("no range"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[4],"data_offsets":[0,16])")),
              HasSubstr("ends at byte 16 of 8; truncated download?"));
  EXPECT_THAT(refusal(one_tensor(R"("dtype":"F32","shape":[1,1],"data_offsets":[0,8])")),
              HasSubstr("shape [1, 1] needs 4 bytes, data_offsets give 8"));
}

TEST(Safetensors, RejectsOverlapsHolesAndLeftovers) {
  const auto two = [](const std::string& a, const std::string& b) {
    return safetensors_bytes("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + a +
                                 "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + b +
                                 "}}",
                             "01234567");
  };
  EXPECT_EQ(refusal(two("[4,8]", "[0,4]")), "accepted");
  EXPECT_THAT(refusal(two("[0,4]", "[2,6]")), HasSubstr("'b' overlaps"));
  EXPECT_THAT(refusal(two("[0,4]", "[0,4]")), HasSubstr("overlaps"));
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]") + "z"), HasSubstr("1 bytes behind the last tensor"));
  EXPECT_THAT(refusal(safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                                        "01234567")),
              HasSubstr("'a' leaves a hole"));
}

TEST(Safetensors, RejectsANameThatIsThereTwice) {
  EXPECT_THAT(refusal(safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                        R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                                        "01234567")),
              HasSubstr("'a' is there twice"));
}

TEST(Safetensors, RefusesHostileHeaders) {
  constexpr std::size_t kLargestHeader = 4U << 20U;
  EXPECT_NE(refusal(safetensors_bytes(std::string(100'000, '['), "")), "accepted");
  std::string deep = "{\"a\":";
  for (int i = 0; i < 1000; ++i) deep += "{\"a\":";
  EXPECT_NE(refusal(safetensors_bytes(deep + "1" + std::string(1001, '}'), "")), "accepted");
  EXPECT_THAT(refusal(safetensors_bytes(std::string(kLargestHeader + 1, ' '), "")),
              HasSubstr("4194304 are allowed"));
  std::string wide = "{\"a\":[0";
  while (wide.size() < kLargestHeader - 4) wide += ",0";
  EXPECT_THAT(refusal(safetensors_bytes(wide + "]}", "")), HasSubstr("'a' is no object"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"" + std::string(1U << 20U, 'n') + "\":1}", "")),
              HasSubstr("nnn...' is no object"));
}

TEST(Safetensors, MissingFileIsNotFound) {
  try {
    const SafetensorsFile file("/nonexistent/model.safetensors");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
  }
}

TEST(Safetensors, DamagedFileIsNamed) {
  const testing::TempDir folder;
  std::ofstream(folder / "cut.safetensors") << "12345";
  try {
    const SafetensorsFile file(folder / "cut.safetensors");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kDataLoss);
    EXPECT_THAT(exception.what(), HasSubstr("cut.safetensors: 5 bytes"));
  }
}

}  // namespace
}  // namespace contra4::io
