#include "contra4/io/npy.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"
#include "tests/support/zip_file.h"

namespace contra4::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file of `version` with this dictionary and these bytes.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    file += static_cast<char>((header.size() >> (8 * i)) & 0xFFU);
  }
  return file + header + data;
}

std::string array_of(const std::string& descr, const std::string& shape, const std::string& data,
                     const std::string& is_fortran = "False") {
  return npy(
      "{'descr': '" + descr + "', 'fortran_order': " + is_fortran + ", 'shape': " + shape + ", }\n",
      data);
}

NpyArray parsed(const std::string& file) {
  return parse_npy(file, "x.npy").value();
}

Error error_of(const std::string& file) {
  const auto array = parse_npy(file, "x.npy");
  if (array.has_value()) return {ErrorCode::kInternal, "accepted"};
  EXPECT_THAT(array.error().message, ::testing::StartsWith("x.npy: "));
  return array.error();
}

std::string refusal(const std::string& file) {
  const Error error = error_of(file);
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  return error.message;
}

TEST(Npy, ReadsEveryTypeOfEitherByteOrder) {
  using namespace std::string_literals;
  EXPECT_THAT(parsed(array_of("|b1", "(3,)", "\0\1\2"s)).to_float32(), ElementsAre(0, 1, 1));
  EXPECT_THAT(parsed(array_of("|u1", "(2,)", "\x01\xff"s)).to_float32(), ElementsAre(1, 255));
  EXPECT_THAT(parsed(array_of("|i1", "(2,)", "\x01\xff"s)).to_float32(), ElementsAre(1, -1));
  EXPECT_THAT(parsed(array_of("<i2", "(1,)", "\xfe\xff"s)).to_float32(), ElementsAre(-2));
  EXPECT_THAT(parsed(array_of(">i2", "(1,)", "\xff\xfe"s)).to_float32(), ElementsAre(-2));
  EXPECT_THAT(parsed(array_of("<u2", "(1,)", "\xfe\xff"s)).to_float32(), ElementsAre(65534));
  EXPECT_THAT(parsed(array_of(">i4", "(1,)", "\0\0\1\0"s)).to_float32(), ElementsAre(256));
  EXPECT_THAT(parsed(array_of("=u4", "(1,)", "\0\0\0\x80"s)).to_float64(), ElementsAre(2147483648));
  EXPECT_THAT(parsed(array_of("<i8", "(1,)", std::string(8, '\xff'))).to_float64(),
              ElementsAre(-1));
  EXPECT_THAT(parsed(array_of(">u8", "(1,)", "\0\0\0\0\0\0\0\7"s)).to_float64(), ElementsAre(7));
  EXPECT_THAT(parsed(array_of("<f2", "(2,)", "\x00\x3e\x00\xc0"s)).to_float32(),
              ElementsAre(1.5, -2));
  EXPECT_THAT(parsed(array_of(">f2", "(1,)", "\x3e\x00"s)).to_float32(), ElementsAre(1.5));
  EXPECT_THAT(parsed(array_of("<f4", "(1,)", "\0\0\x80\x3f"s)).to_float32(), ElementsAre(1));
  EXPECT_THAT(parsed(array_of(">f8", "(1,)", "\x3f\xf0\0\0\0\0\0\0"s)).to_float64(),
              ElementsAre(1));
  const NpyArray swapped = parsed(array_of(">f4", "(1,)", "\x3f\x80\0\0"s));
  EXPECT_EQ(swapped.type, TensorType::kF32);
  EXPECT_EQ(swapped.bytes, "\0\0\x80\x3f"s);
}

TEST(Npy, ReadsShapes) {
  EXPECT_THAT(parsed(array_of("|u1", "()", "a")).shape, ElementsAre());
  EXPECT_EQ(parsed(array_of("|u1", "()", "a")).num_elements(), 1);
  EXPECT_THAT(parsed(array_of("|u1", "(2, 1)", "ab")).shape, ElementsAre(2, 1));
  EXPECT_THAT(parsed(array_of("|u1", "(2L, 1L,)", "ab")).shape, ElementsAre(2, 1));
  const NpyArray empty = parsed(array_of("<f8", "(0, 5)", ""));
  EXPECT_THAT(empty.shape, ElementsAre(0, 5));
  EXPECT_EQ(empty.num_elements(), 0);
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  // [[a b c] [d e f]], columns first.
  EXPECT_EQ(parsed(array_of("|u1", "(2, 3)", "adbecf", "True")).bytes, "abcdef");
  // Element (i, j, k) of shape (2, 2, 3) lies at i + 2 j + 4 k.
  EXPECT_EQ(parsed(array_of("|u1", "(2, 2, 3)", "abcdefghijkl", "True")).bytes, "aeicgkbfjdhl");
  EXPECT_EQ(parsed(array_of("|u1", "(3,)", "abc", "True")).bytes, "abc");
  EXPECT_EQ(parsed(array_of("|u1", "(0, 3)", "", "True")).bytes, "");
  EXPECT_EQ(parsed(array_of(">u2", "(2, 2)", "aAbBcCdD", "True")).bytes, "AaCcBbDd");
}

TEST(Npy, ReadsAllVersionsOfTheHeader) {
  const std::string header = "{\"shape\":(1,),\"descr\":\"|u1\",\"fortran_order\":False}   \n";
  for (const int version : {1, 2, 3}) EXPECT_EQ(parsed(npy(header, "x", version)).bytes, "x");
  EXPECT_EQ(error_of(npy(header, "x", 4)).code, ErrorCode::kUnimplemented);
  EXPECT_EQ(error_of(npy(header, "x", 0)).code, ErrorCode::kUnimplemented);
}

TEST(Npy, RefusesFilesCutAnywhere) {
  for (const int version : {1, 2}) {
    const std::string whole =
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "01234567", version);
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      EXPECT_NE(refusal(whole.substr(0, cut)), "accepted") << cut;
    }
    EXPECT_THAT(refusal(whole + "z"), HasSubstr("1 bytes behind the array"));
  }
  EXPECT_THAT(refusal("text"), HasSubstr("no .npy file"));
  EXPECT_THAT(refusal(array_of("<f4", "(2, 3)", "1234")),
              HasSubstr("the shape (2, 3) needs 24 bytes, 4 follow"));
}

TEST(Npy, NeverUnpicklesAndNamesWhatItCannotRead) {
  const Error objects = error_of(array_of("|O", "(1,)", "\x80\x03N."));
  EXPECT_EQ(objects.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(objects.message, HasSubstr("Python objects, which are never unpickled"));
  for (const char* descr : {"<U3", "|S5", "|V8", "<M8[ns]", "<c8", "<f16", "<f3", "f", "<"}) {
    const Error error = error_of(array_of(descr, "(1,)", "12345678"));
    EXPECT_EQ(error.code, ErrorCode::kUnimplemented) << descr;
    EXPECT_THAT(error.message, HasSubstr(std::string("type '") + descr + "'"));
  }
  const Error structure =
      error_of(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"));
  EXPECT_EQ(structure.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(structure.message, HasSubstr("structures"));
}

TEST(Npy, RefusesMalformedHeaders) {
  for (const char* header :
       {"", "{}", "[]", "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': 1}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1.0,)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} import os",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1\\'', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,", "{'descr"}) {
    EXPECT_THAT(refusal(npy(header, "x")), HasSubstr("a malformed header")) << header;
  }
  EXPECT_THAT(refusal(array_of("", "(1,)", "x")), HasSubstr("empty type"));
}

TEST(Npy, RefusesHostileShapes) {
  for (const char* shape :
       {"(4294967296, 4294967296)", "(9223372036854775807,)",
        "(9223372036854775807, 0, 9223372036854775807)", "(2305843009213693952, 2)"}) {
    EXPECT_THAT(refusal(array_of("<f4", shape, "")), HasSubstr("larger than any file")) << shape;
  }
  EXPECT_THAT(refusal(array_of("<f4", "(9223372036854775808,)", "")), HasSubstr("malformed"));
  std::string many = "(1";
  for (int i = 0; i < 64; ++i) many += ", 1";
  EXPECT_THAT(refusal(array_of("<f4", many + ")", "1234")), HasSubstr("malformed"));
  EXPECT_THAT(refusal(npy(std::string(100'000, ' '), "", 2)),
              HasSubstr("a header of 100000 bytes, 65536 are allowed"));
  EXPECT_THAT(refusal(npy(std::string(60'000, '('), "")), HasSubstr("((((..."));
}

TEST(Npy, KeepsToTheBytesThatAreAllowed) {
  const std::string file = array_of("<f4", "(2,)", "12345678");
  EXPECT_TRUE(parse_npy(file, "x.npy", 8).has_value());
  EXPECT_EQ(parse_npy(file, "x.npy", 7).error().code, ErrorCode::kResourceExhausted);
}

TEST(Npy, WritesWhatItReads) {
  for (const TensorType type :
       {TensorType::kBool, TensorType::kU8, TensorType::kI8, TensorType::kU16, TensorType::kI16,
        TensorType::kU32, TensorType::kI32, TensorType::kU64, TensorType::kI64, TensorType::kF16,
        TensorType::kF32, TensorType::kF64}) {
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {3}, {2, 1}, {0, 2}}) {
      NpyArray array{.type = type, .shape = shape, .bytes = {}};
      std::uint64_t size = bytes_per_element(type);
      for (const std::int64_t extent : shape) size *= static_cast<std::uint64_t>(extent);
      array.bytes.assign(size, '\x01');
      const std::string file = write_npy(array);
      EXPECT_EQ((file.size() - size) % 64, 0U);
      const NpyArray again = parsed(file);
      EXPECT_EQ(again.type, type);
      EXPECT_EQ(again.shape, shape);
      EXPECT_EQ(again.bytes, array.bytes);
    }
  }
  try {
    write_npy({.type = TensorType::kBF16, .shape = {1}, .bytes = "12"});
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kUnimplemented);
  }
}

TEST(Npz, ReadsMembersByName) {
  const std::string file = testing::zip_bytes(
      {{.name = "b.npy", .bytes = array_of("|u1", "(2,)", "xy"), .is_zip64 = true},
       {.name = "readme.txt", .bytes = "words"},
       {.name = "a/arr_0.npy", .bytes = array_of("|u1", "(1,)", "z"), .is_deflated = true}});
  EXPECT_THAT(npz_names(file, "x.npz").value(), ElementsAre("b", "a/arr_0"));
  EXPECT_EQ(read_npz(file, "b", "x.npz").value().bytes, "xy");
  EXPECT_EQ(read_npz(file, "a/arr_0", "x.npz").value().bytes, "z");
}

TEST(Npz, NamesWhatIsThereWhenOneLacks) {
  const std::string file =
      testing::zip_bytes({{.name = "points.npy", .bytes = array_of("|u1", "(2,)", "xy")},
                          {.name = "colour.npy", .bytes = array_of("|u1", "(2,)", "xy")}});
  const Error near = read_npz(file, "point", "x.npz").error();
  EXPECT_EQ(near.code, ErrorCode::kNotFound);
  EXPECT_EQ(near.message, "x.npz: no array 'point'; the nearest is 'points'");
  EXPECT_EQ(read_npz(file, "q", "x.npz").error().message,
            "x.npz: no array 'q'; there are 2: points, colour");
}

TEST(Npz, RefusesDamagedMembersWithTheirName) {
  const std::string array = array_of("<f4", "(3,)", std::string(12, '\0'));
  const std::string lies = testing::zip_bytes(
      {{.name = "a.npy", .bytes = array, .is_deflated = true, .claimed_bytes = 20},
       {.name = "b.npy", .bytes = "no array"}});
  EXPECT_EQ(read_npz(lies, "a", "x.npz").error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(read_npz(lies, "b", "x.npz").error().message, HasSubstr("x.npz: b: no .npy file"));
  EXPECT_EQ(npz_names("no zip", "x.npz").error().code, ErrorCode::kDataLoss);

  const std::string bomb =
      testing::zip_bytes({{.name = "a.npy",
                           .bytes = array_of("|u1", "(1000000,)", std::string(1'000'000, '\0')),
                           .is_deflated = true}});
  EXPECT_EQ(read_npz(bomb, "a", "x.npz", 999'999).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read_npz(bomb, "a", "x.npz", 10).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read_npz(bomb, "a", "x.npz").value().num_elements(), 1'000'000);
}

// Every array of the reference outputs, as numpy wrote them.
TEST(NpzGolden, ReadsNumpysFiles) {
  CONTRA4_REQUIRE_SHARED();
  std::size_t num_arrays = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::shared_dir() / "goldens")) {
    if (entry.path().extension() != ".npz") continue;
    const std::string what = entry.path().string();
    const std::string file = read_file(entry.path());
    const std::vector<std::string> names = npz_names(file, what).value();
    for (const std::string& name : names) {
      const auto array = read_npz(file, name, what);
      EXPECT_TRUE(array.has_value()) << array.error().message;
      ++num_arrays;
    }
  }
  EXPECT_GT(num_arrays, 0U);
}

// The point cloud of the reference, stored and deflated.
TEST(NpzGolden, StoredAndDeflatedCloudsAreTheSame) {
  CONTRA4_REQUIRE_SHARED();
  const auto media = testing::shared_dir() / "goldens/media";
  const std::string stored = read_file(media / "chair_8192.npz");
  const std::string deflated = read_file(media / "chair_deflated_8192.npz");
  const std::vector<std::string> names = npz_names(stored, "stored").value();
  ASSERT_EQ(npz_names(deflated, "deflated").value(), names);
  for (const std::string& name : names) {
    const NpyArray array = read_npz(stored, name, "stored").value();
    EXPECT_EQ(array.shape.at(0), 8192);
    EXPECT_EQ(read_npz(deflated, name, "deflated").value().bytes, array.bytes);
  }
}

}  // namespace
}  // namespace contra4::io
