#include "contra4/io/torch_file.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"
#include "tests/support/pickle_bytes.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pickled_dict;
using testing::pickled_global;
using testing::pickled_int;
using testing::pickled_storage;
using testing::pickled_tensor;
using testing::pickled_text;
using testing::pickled_tuple;
using testing::torch_zip;

TorchFile fixture(const std::string& name) {
  return TorchFile(testing::fixture("io/data/" + name));
}

const TensorEntry& entry_of(const TorchFile& file, const std::string& name) {
  const TensorEntry* entry = file.find(name);
  if (entry == nullptr) throw std::runtime_error("no tensor " + name);
  return *entry;
}

template <class T>
std::vector<T> values_of(const TorchFile& file, const std::string& name) {
  const std::string_view bytes = file.bytes(entry_of(file, name));
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Error refusal(const std::string& file) {
  const auto content = parse_torch_file(file, "x.pth");
  if (content.has_value()) return {ErrorCode::kInternal, "accepted"};
  EXPECT_THAT(content.error().message, ::testing::StartsWith("x.pth: "));
  return content.error();
}

// A file with one tensor 'w' over a storage of four float32.
std::string one_tensor(std::int64_t first, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
  return torch_zip(pickled_dict({{"w", pickled_tensor(pickled_storage("FloatStorage", "0", 4),
                                                      first, shape, strides)}}),
                   {{"0", std::string(16, 'x')}});
}

TEST(TorchFile, ReadsEveryType) {
  const TorchFile file = fixture("every_type.pth");
  ASSERT_EQ(file.tensors().size(), 16U);
  for (const TensorEntry& tensor : file.tensors()) {
    EXPECT_THAT(tensor.shape, ElementsAre(2, 3)) << tensor.name;
    EXPECT_TRUE(tensor.strides.empty()) << tensor.name;
    EXPECT_EQ(file.bytes(tensor).size(), 6 * bytes_per_element(tensor.type)) << tensor.name;
  }
  EXPECT_EQ(entry_of(file, "bfloat16").type, TensorType::kBF16);
  EXPECT_EQ(entry_of(file, "float8_e4m3fn").type, TensorType::kF8E4M3);
  EXPECT_EQ(entry_of(file, "uint16").type, TensorType::kU16);
  EXPECT_THAT(values_of<float>(file, "float32"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values_of<std::int64_t>(file, "int64"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values_of<std::uint16_t>(file, "uint16"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values_of<std::uint8_t>(file, "bool"), ElementsAre(1, 0, 1, 0, 1, 0));
}

TEST(TorchFile, ReadsViewsAndSharedStorages) {
  const TorchFile file = fixture("layouts.pth");
  const TensorEntry& whole = entry_of(file, "whole");
  EXPECT_TRUE(whole.strides.empty());
  EXPECT_EQ(entry_of(file, "rows").offset, whole.offset + 6 * sizeof(float));
  EXPECT_EQ(entry_of(file, "rows").num_bytes, 12 * sizeof(float));
  EXPECT_THAT(entry_of(file, "transposed").shape, ElementsAre(6, 4));
  EXPECT_THAT(entry_of(file, "transposed").strides, ElementsAre(1, 6));
  EXPECT_EQ(entry_of(file, "transposed").offset, whole.offset);
  EXPECT_THAT(entry_of(file, "columns").strides, ElementsAre(6, 2));
  EXPECT_EQ(entry_of(file, "columns").num_bytes, 23 * sizeof(float));
  EXPECT_THAT(values_of<float>(file, "one"), ElementsAre(16));
  EXPECT_THAT(entry_of(file, "one").shape, ElementsAre());
  EXPECT_THAT(entry_of(file, "repeated").strides, ElementsAre(0, 1));
  EXPECT_EQ(entry_of(file, "repeated").num_bytes, 3 * sizeof(float));
  EXPECT_EQ(entry_of(file, "repeated").contiguous_bytes(), 6 * sizeof(float));
  EXPECT_EQ(entry_of(file, "empty").num_bytes, 0U);
  EXPECT_THAT(entry_of(file, "empty").shape, ElementsAre(0, 5));
  EXPECT_EQ(entry_of(file, "tied").offset, entry_of(file, "parameter").offset);
  EXPECT_THAT(values_of<float>(file, "marked"), ElementsAre(1, 2));
  EXPECT_THAT(values_of<float>(file, "buffer"), ElementsAre(1, 2, 3));
}

TEST(TorchFile, ReadsTrainingCheckpointsOfEveryProtocol) {
  for (const int protocol : {2, 3, 4, 5}) {
    const TorchFile file = fixture("training_protocol" + std::to_string(protocol) + ".pth");
    EXPECT_THAT(values_of<float>(file, "model.0.weight"), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(values_of<std::int64_t>(file, "model.1.num_batches_tracked"), ElementsAre(1));
    EXPECT_NE(file.find("optimizer.state.0.exp_avg"), nullptr);
    const auto other = [&](const std::string& path) {
      const std::string* text = file.content().find_other(path);
      return text == nullptr ? "(none)" : *text;
    };
    EXPECT_EQ(other("cfg.encoder_layers"), "12");
    EXPECT_EQ(other("cfg.deep_norm"), "True");
    EXPECT_EQ(other("cfg.dropout"), "0.25");
    EXPECT_EQ(other("cfg.2"), "two");
    EXPECT_EQ(other("epoch"), "3");
    EXPECT_EQ(other("scaler"), "None");
    EXPECT_EQ(other("args"), "argparse.Namespace");
    EXPECT_EQ(other("args.lr"), "0.5");
    EXPECT_EQ(other("args.device"), "torch.device");
    EXPECT_EQ(other("args.dtype"), "torch.float16");
    EXPECT_EQ(other("args.path"), "pathlib.PurePosixPath");
    EXPECT_EQ(other("args.itself"), "(none)");
    EXPECT_EQ(other("seed"), "a number of more than 64 bits");
  }
}

TEST(TorchFile, ReadsAFileThatIsOneTensorAndAWholeModule) {
  EXPECT_THAT(values_of<float>(fixture("one_tensor.pth"), "tensor"), ElementsAre(1, 2, 3, 4));
  const TorchFile module = fixture("module.pth");
  EXPECT_THAT(entry_of(module, "_parameters.weight").shape, ElementsAre(1, 2));
  EXPECT_EQ(*module.content().find_other(""), "torch.nn.modules.linear.Linear");
}

TEST(TorchFile, TellsHowToSaveTheOldFormatAnew) {
  const Error error = testing::error_of([] { fixture("old_format.pth"); });
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(error.message, HasSubstr("old_format.pth: PyTorch's format before 1.6. Save it anew: "
                                       "python -c \"import torch; torch.save("));
}

TEST(TorchFile, RefusesFilesCutAnywhere) {
  const std::string whole = one_tensor(0, {2, 2}, {2, 1});
  EXPECT_EQ(refusal(whole).message, "accepted");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(refusal(whole.substr(0, cut)).code, ErrorCode::kDataLoss) << cut;
  }
}

TEST(TorchFile, KeepsTensorsWithinTheirStorage) {
  EXPECT_EQ(refusal(one_tensor(1, {3}, {1})).message, "accepted");
  EXPECT_EQ(refusal(one_tensor(3, {}, {})).message, "accepted");
  for (const auto& file :
       {one_tensor(1, {4}, {1}), one_tensor(0, {2, 2}, {3, 1}), one_tensor(4, {}, {}),
        one_tensor(0, {5}, {1}), one_tensor(INT64_MAX, {1}, {1}), one_tensor(0, {2}, {INT64_MAX}),
        one_tensor(0, {INT64_MAX, INT64_MAX}, {0, 0}), one_tensor(0, {1LL << 62, 0}, {1, 1}),
        one_tensor(2, {INT64_MAX}, {1})}) {
    const Error error = refusal(file);
    EXPECT_EQ(error.code, ErrorCode::kDataLoss);
    EXPECT_THAT(error.message, HasSubstr("tensor 'w' of shape ["));
    EXPECT_THAT(error.message, HasSubstr("more than the 16 bytes of its storage"));
  }
  for (const auto& file :
       {one_tensor(-1, {1}, {1}), one_tensor(0, {-1}, {1}), one_tensor(0, {2}, {-1}),
        one_tensor(0, {2}, {1, 1}),
        one_tensor(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1))}) {
    EXPECT_THAT(refusal(file).message, HasSubstr("'w' is described as no tensor is"));
  }
  const Error bomb = refusal(one_tensor(0, {1LL << 40}, {0}));
  EXPECT_EQ(bomb.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(bomb.message, HasSubstr("repeats its elements"));
}

TEST(TorchFile, NamesStoragesThatLackOrAreTooSmall) {
  const auto with = [](const std::string& storage) {
    return torch_zip(pickled_dict({{"w", pickled_tensor(storage, 0, {1}, {1})}}),
                     {{"0", std::string(16, 'x')}});
  };
  EXPECT_THAT(refusal(with(pickled_storage("FloatStorage", "1", 4))).message,
              HasSubstr("'w' lies in storage '1', which the archive lacks"));
  EXPECT_THAT(refusal(with(pickled_storage("FloatStorage", "0", 5))).message,
              HasSubstr("storage '0' of 5 elements, which has 16 bytes"));
  EXPECT_EQ(refusal(with(pickled_storage("FloatStorage", "0", INT64_MAX))).code,
            ErrorCode::kDataLoss);
  EXPECT_EQ(refusal(with(pickled_storage("FloatStorage", "0", -1))).code, ErrorCode::kDataLoss);
  EXPECT_THAT(refusal(with("N")).message, HasSubstr("'w' has no storage"));
  EXPECT_THAT(refusal(with(pickled_text("0") + "Q")).message, HasSubstr("has no storage"));
  const Error type = refusal(with(pickled_storage("ComplexDoubleStorage", "0", 1)));
  EXPECT_EQ(type.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(type.message, HasSubstr("'w' is of type ComplexDoubleStorage, which is not read"));
}

TEST(TorchFile, ATypeThatIsNotReadHindersNoOtherTensor) {
  const auto content =
      parse_torch_file(
          torch_zip(
              pickled_dict(
                  {{"odd", pickled_tensor(pickled_storage("QInt8Storage", "0", 4), 0, {1}, {1})},
                   {"w", pickled_tensor(pickled_storage("IntStorage", "0", 4), 0, {4}, {1})}}),
              {{"0", std::string(16, 'x')}}),
          "x.pth")
          .value();
  ASSERT_EQ(content.tensors.size(), 1U);
  EXPECT_EQ(content.tensors[0].type, TensorType::kI32);
  ASSERT_NE(content.find_other("odd"), nullptr);
  EXPECT_THAT(*content.find_other("odd"), HasSubstr("QInt8Storage, which is not read"));
}

TEST(TorchFile, ReadsLayoutsThatTorchOnceWrote) {
  // Version 1 of the rebuilding function, sizes as torch.Size, classes of the cuda module.
  const std::string storage =
      pickled_tuple({pickled_text("storage"), pickled_global("torch.cuda", "HalfStorage"),
                     pickled_text("7"), pickled_text("cuda:0"), pickled_int(2)}) +
      "Q";
  const std::string tensor = pickled_global("torch._utils", "_rebuild_tensor") +
                             pickled_tuple({storage, pickled_int(0),
                                            pickled_global("torch", "Size") +
                                                pickled_tuple({testing::pickled_sizes({2})}) + "R",
                                            testing::pickled_sizes({1})}) +
                             "R";
  const std::string parameter = pickled_global("torch._utils", "_rebuild_parameter") +
                                pickled_tuple({tensor, "\x88", "N"}) + "R";
  for (const bool is_zip64 : {false, true}) {
    const auto content =
        parse_torch_file(torch_zip(pickled_dict({{"p", parameter}}), {{"7", "abcd"}},
                                   {.is_zip64 = is_zip64, .comment = "words"}),
                         "x.pth")
            .value();
    ASSERT_EQ(content.tensors.size(), 1U);
    EXPECT_EQ(content.tensors[0].type, TensorType::kF16);
    EXPECT_EQ(content.tensors[0].num_bytes, 4U);
  }
}

TEST(TorchFile, RefusesFilesThatWouldRunCommands) {
  for (const auto& [module, name] :
       {std::pair("posix", "system"), std::pair("os", "popen"), std::pair("subprocess", "Popen"),
        std::pair("builtins", "eval"), std::pair("__builtin__", "exec"),
        std::pair("importlib.util", "find_spec")}) {
    const Error error = refusal(torch_zip(
        pickled_dict({{"w", pickled_tensor(pickled_storage("FloatStorage", "0", 1), 0, {1}, {1})},
                      {"evil", pickled_global(module, name) + ")R"}}),
        {{"0", "1234"}}));
    EXPECT_EQ(error.code, ErrorCode::kDataLoss);
    EXPECT_THAT(error.message, HasSubstr(std::string("names ") + module + "." + name));
  }
}

TEST(TorchFile, NamesTheClassesOfAFileWithoutTensors) {
  const Error error = refusal(torch_zip(pickled_dict(
      {{"a", pickled_global("my.code", "Model") + ")\x81}b"}, {"n", pickled_int(3)}})));
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_EQ(error.message,
            "x.pth: no tensor in it, but my.code.Model; a checkpoint is saved with "
            "torch.save(model.state_dict(), PATH)");
  EXPECT_THAT(refusal(torch_zip("N")).message, HasSubstr("no tensor in it; a checkpoint"));
}

TEST(TorchFile, RefusesPathsThatAreThereTwice) {
  const std::string tensor = pickled_tensor(pickled_storage("FloatStorage", "0", 1), 0, {1}, {1});
  EXPECT_THAT(
      refusal(torch_zip(pickled_dict({{"a.b", tensor}, {"a", pickled_dict({{"b", tensor}})}}),
                        {{"0", "1234"}}))
          .message,
      HasSubstr("two tensors have the path 'a.b'"));
}

TEST(TorchFile, EndsSoonWhateverRefersToWhat) {
  // Each level holds the one below twice: 2^60 ways.
  std::string laughs = "]q\x01";
  for (int i = 0; i < 60; ++i)
    laughs = laughs +
             "0](h\x01h\x01"
             "eq\x01";
  const Error wide = refusal(torch_zip(laughs));
  EXPECT_EQ(wide.code, ErrorCode::kResourceExhausted);
  // The same below an object is looked at once.
  EXPECT_THAT(refusal(torch_zip(pickled_global("m", "C") + ")\x81" + laughs + "b")).message,
              HasSubstr("no tensor in it, but m.C"));

  EXPECT_THAT(refusal(torch_zip(std::string(1000, ']') + std::string(999, 'a'))).message,
              HasSubstr("nested more than 64 deep"));
  // One tensor under more names than any model has.
  const std::string tensor = pickled_tensor(pickled_storage("FloatStorage", "0", 1), 0, {1}, {1});
  std::string names = "](" + tensor + "q\x01";
  for (int i = 0; i < 262'144; ++i) names += "h\x01";
  const Error many = refusal(torch_zip(names + "e", {{"0", "1234"}}));
  EXPECT_EQ(many.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(many.message, HasSubstr("more than 262144 tensors"));
  // A list within itself.
  EXPECT_THAT(refusal(torch_zip("]q\x01h\x01"
                                "a"))
                  .message,
              HasSubstr("no tensor"));
  EXPECT_THAT(refusal(torch_zip(pickled_dict({{std::string(2000, 'n'), "N"}}))).message,
              HasSubstr("a path of more than 1000 bytes"));
}

TEST(TorchFile, RefusesZipsThatAreNoneOfPyTorchs) {
  EXPECT_THAT(refusal(testing::zip_bytes({{.name = "a.txt", .bytes = "1"}})).message,
              HasSubstr("a zip, but none of PyTorch's"));
  const std::string pickle = testing::whole_pickle("N");
  EXPECT_THAT(refusal(testing::zip_bytes({{.name = "a/data.pkl", .bytes = pickle},
                                          {.name = "b/data.pkl", .bytes = pickle}}))
                  .message,
              HasSubstr("both 'a/data.pkl' and 'b/data.pkl'"));
  const Error order = refusal(testing::zip_bytes(
      {{.name = "a/data.pkl", .bytes = pickle}, {.name = "a/byteorder", .bytes = "big"}}));
  EXPECT_EQ(order.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(order.message, HasSubstr("byte order 'big'"));
  const Error packed =
      refusal(testing::zip_bytes({{.name = "a/data.pkl", .bytes = pickle, .is_deflated = true}}));
  EXPECT_EQ(packed.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(packed.message, HasSubstr("make the archive without compression"));
}

TEST(TorchFile, ControlCharactersStayOutOfMessages) {
  const Error error =
      refusal(torch_zip(pickled_dict({{"a\x1b[2J\n", pickled_tensor("N", 0, {1}, {1})}})));
  EXPECT_THAT(error.message, HasSubstr("'a?[2J?'"));
}

}  // namespace
}  // namespace contra4::io
