#include "contra4/io/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/pickle_bytes.h"

namespace contra4::io {
namespace {

using ::testing::HasSubstr;
using testing::whole_pickle;

Error refusal(const std::string& bytes) {
  const auto tree = parse_pickle(bytes, "x.pkl");
  if (tree.has_value()) return {ErrorCode::kInternal, "accepted"};
  EXPECT_THAT(tree.error().message, ::testing::StartsWith("x.pkl: "));
  return tree.error();
}

// The root of a pickle that holds it alone.
PickleValue root_of(const std::string& value) {
  const std::string bytes = whole_pickle(value);
  const auto tree = parse_pickle(bytes, "x.pkl");
  PickleValue root = tree.value().root();
  root.text = {};  // lies in `bytes`
  return root;
}

TEST(Pickle, ReadsNumbers) {
  using namespace std::string_literals;
  EXPECT_EQ(root_of("K\xff"s).integer, 255);
  EXPECT_EQ(root_of("M\xff\xff"s).integer, 65535);
  EXPECT_EQ(root_of("J\xfe\xff\xff\xff"s).integer, -2);
  EXPECT_EQ(root_of("\x8a\x00"s).integer, 0);
  EXPECT_EQ(root_of("\x8a\x01\xff"s).integer, -1);
  EXPECT_EQ(root_of("\x8a\x02\xff\x00"s).integer, 255);
  EXPECT_EQ(root_of("\x8a\x08"s + std::string(7, '\0') + "\x80"s).integer,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(root_of("\x8b\x01\x00\x00\x00\x07"s).integer, 7);
  EXPECT_EQ(root_of("\x8a\x09"s + std::string(9, '\1')).kind, PickleKind::kBigInteger);
  EXPECT_EQ(root_of("G\xbf\xf8\0\0\0\0\0\0"s).number, -1.5);
  EXPECT_EQ(root_of("\x88"s).integer, 1);
  EXPECT_EQ(root_of("N").kind, PickleKind::kNone);
}

TEST(Pickle, ReadsTextsOfEveryLength) {
  using namespace std::string_literals;
  const auto text_of = [](const std::string& value) {
    const std::string bytes = whole_pickle(value);
    const auto tree = parse_pickle(bytes, "x");
    return std::string(tree.value().root().text);
  };
  EXPECT_EQ(text_of("X\x02\0\0\0ab"s), "ab");
  EXPECT_EQ(text_of("\x8c\x02"s + "ab"), "ab");
  EXPECT_EQ(text_of("\x8d\x02\0\0\0\0\0\0\0ab"s), "ab");
  EXPECT_EQ(text_of("C\x02"s + "ab"), "ab");
  EXPECT_EQ(text_of("B\x02\0\0\0ab"s), "ab");
  EXPECT_EQ(text_of("\x8e\x02\0\0\0\0\0\0\0ab"s), "ab");
  EXPECT_EQ(text_of("\x96\x02\0\0\0\0\0\0\0ab"s), "ab");
  EXPECT_EQ(text_of("U\x02"s + "ab"), "ab");
}

TEST(Pickle, BuildsContainersAndRemembersThem) {
  // [1, (2, 3), {4: 5}, {6}], the tuple twice by its memo; a frame of protocol 4 in front.
  const std::string bytes = whole_pickle("\x95" + std::string(8, '\0') +
                                         "](K\x01K\x02K\x03\x86q\x05}K\x04K\x05s\x8f(K\x06\x90h\x05"
                                         "e");
  const auto tree = parse_pickle(bytes, "x").value();
  const PickleValue& list = tree.root();
  ASSERT_EQ(list.kind, PickleKind::kList);
  ASSERT_EQ(list.items.size(), 5U);
  EXPECT_EQ(list.items[1], list.items[4]);
  EXPECT_EQ(tree.at(list.items[1]).kind, PickleKind::kTuple);
  EXPECT_EQ(tree.at(list.items[2]).items.size(), 2U);
  EXPECT_EQ(tree.at(list.items[3]).kind, PickleKind::kSet);
}

TEST(Pickle, CallsNothingAndKeepsWhatWouldBeCalled) {
  const std::string bytes =
      whole_pickle(testing::pickled_global("posix", "system") +
                   testing::pickled_tuple({testing::pickled_text("ls")}) + "R" + "}b");
  const auto tree = parse_pickle(bytes, "x").value();
  const PickleValue& call = tree.root();
  ASSERT_EQ(call.kind, PickleKind::kObject);
  EXPECT_EQ(tree.at(call.callable).module, "posix");
  EXPECT_EQ(tree.at(call.callable).text, "system");
  EXPECT_EQ(tree.at(tree.at(call.arguments).items[0]).text, "ls");
  EXPECT_EQ(tree.at(call.state).kind, PickleKind::kDict);
}

TEST(Pickle, AValueMayContainItself) {
  const std::string bytes = whole_pickle(
      "]q\x01h\x01"
      "a");
  const auto tree = parse_pickle(bytes, "x").value();
  EXPECT_EQ(tree.root().items.at(0), tree.root_id());
}

TEST(Pickle, RefusesBytesCutAnywhere) {
  const std::string whole =
      whole_pickle("](K\x01" + testing::pickled_text("abc") + testing::pickled_global("m", "n") +
                   ")R" + testing::pickled_int(7) + "e");
  EXPECT_EQ(refusal(whole).message, "accepted");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(refusal(whole.substr(0, cut)).code, ErrorCode::kDataLoss) << cut;
  }
  EXPECT_THAT(refusal("").message, HasSubstr("ends before its STOP"));
}

TEST(Pickle, RefusesOpcodesThatTakeWhatIsNotThere) {
  for (const char* value :
       {"",      "a",    "]a",        "s",          "}Ks",   "(",       "t",     "u",
        "(u",    "e",    "0",         "2",          "R",     ")R",      "b",     "Nb0b",
        "Q",     "\x85", "K\x01\x87", "q\x01",      "h\x01", "]h\x02",  "\x94",  "(N\x85",
        "\x81",  "\x92", "1",         "K\x01K\x02", "(N",    "(K\x01u", "N(NNu", "N(Ne",
        "](NNu", "}(Ne", "}(Nu",      "(Nd",        "NNR",   "NN\x93",  "\x90"}) {
    EXPECT_EQ(refusal(whole_pickle(value)).code, ErrorCode::kDataLoss) << value;
  }
  // A place far away costs no memory.
  EXPECT_THAT(refusal(whole_pickle("Nr\xff\xff\xff\xff")).message, HasSubstr("remembers as"));
}

TEST(Pickle, NamesOpcodesAndProtocolsThatItDoesNotRead) {
  EXPECT_EQ(refusal("\x80\x06N.").code, ErrorCode::kUnimplemented);
  for (const char* opcode : {"I1\n", "\x82\x01", "\x97", "i", "P1\n", "S'a'\n", "\xff"}) {
    const Error error = refusal(whole_pickle(opcode));
    EXPECT_EQ(error.code, ErrorCode::kUnimplemented) << opcode;
    EXPECT_THAT(error.message, HasSubstr("byte 2: opcode 0x"));
  }
}

TEST(Pickle, EndsAfterTwoMillionOpcodes) {
  const Error error = refusal(whole_pickle(std::string(3'000'000, ']')));
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("more than 2000000 opcodes"));
}

}  // namespace
}  // namespace contra4::io
