// The tokenizers of LLaMA-2 (byte pieces, all spaces kept) and of a T5 (unigram, text normalised).
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "contra4/text/sentence_piece.h"
#include "tests/support/test_env.h"

namespace contra4::text {
namespace {

using Ids = std::vector<std::int64_t>;

std::filesystem::path goldens() {
  return testing::shared_dir() / "goldens";
}

Ids ids_of(const io::JsonValue& list) {
  Ids ids;
  for (const io::JsonValue& id : *list.find_array()) ids.push_back(*id.find_integer());
  return ids;
}

TEST(LlamaPieces, PromptsHaveThePublishedIds) {
  CONTRA4_REQUIRE_SHARED();
  const SentencePiece tokenizer(goldens() / "onellm" / "tokenizer.model");
  const io::JsonValue cases = io::read_json_file(goldens() / "onellm" / "cases.json");
  ASSERT_EQ(cases.find_array()->size(), 4U);
  for (const io::JsonValue& item : *cases.find_array()) {
    const std::string& prompt = *item.find("prompt")->find_string();
    Ids ids = tokenizer.encode(prompt);
    EXPECT_EQ(tokenizer.decode(ids), prompt);
    ids.insert(ids.begin(), tokenizer.bos_id());
    EXPECT_EQ(ids, ids_of(*item.find("prompt_tokens")));
    EXPECT_EQ(tokenizer.decode(ids), prompt) << "the begin token is no text";
    const Ids reply = ids_of(*item.find("published_tokens"));
    const std::string whole = tokenizer.decode([&] {
      Ids all = ids;
      all.insert(all.end(), reply.begin(), reply.end());
      return all;
    }());
    EXPECT_EQ(whole, prompt + *item.find("published_text")->find_string());
  }
}

TEST(LlamaPieces, AreThoseOfTheLibrary) {
  CONTRA4_REQUIRE_SHARED();
  const SentencePiece tokenizer(goldens() / "onellm" / "tokenizer.model");
  EXPECT_EQ(tokenizer.vocabulary_size(), 32000);
  EXPECT_EQ(tokenizer.unknown_id(), 0);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  EXPECT_EQ(tokenizer.pad_id(), -1);
  EXPECT_EQ(tokenizer.piece(13), "<0x0A>");
  EXPECT_EQ(tokenizer.find_piece("\u2581Sc"), 2522);
  // Computed with SentencePiece 0.2.
  EXPECT_EQ(tokenizer.encode("Scene A: "), (Ids{2522, 1600, 319, 29901, 29871}));
  EXPECT_EQ(tokenizer.encode(""), Ids{});
  EXPECT_EQ(tokenizer.encode(" "), Ids{259});
  EXPECT_EQ(tokenizer.encode("  two  spaces "), (Ids{259, 1023, 29871, 8162, 29871}));
  EXPECT_EQ(tokenizer.encode("h\u00e9llo \u2603 \U0001F600"),
            (Ids{298, 3610, 417, 29871, 229, 155, 134, 29871, 243, 162, 155, 131}));
  EXPECT_EQ(tokenizer.encode("a\nb"), (Ids{263, 13, 29890}));
  EXPECT_EQ(tokenizer.encode("</s>"), (Ids{1533, 29879, 29958})) << "no end token";
  EXPECT_EQ(tokenizer.encode("a\xff"
                             "b"),
            (Ids{263, 30140, 29890}));
  EXPECT_EQ(tokenizer.encode(std::string_view("\0a", 2)), (Ids{29871, 3, 29874}));
}

TEST(LlamaPieces, DecodeAsTheLibraryDoes) {
  CONTRA4_REQUIRE_SHARED();
  const SentencePiece tokenizer(goldens() / "onellm" / "tokenizer.model");
  const auto decode = [&](const Ids& ids) { return tokenizer.decode(ids); };
  EXPECT_EQ(decode({1, 319, 2}), "A");
  EXPECT_EQ(decode({29871, 29871, 319}), "  A");
  EXPECT_EQ(decode({0, 3 + 0xe2, 3 + 0x98}), " \u2047 \ufffd\ufffd");
  EXPECT_EQ(decode({3 + 0xff, 29871, 319}), "\ufffd  A");
  EXPECT_EQ(decode({-1, 32000, std::int64_t{1} << 40, 319}), "A");
  EXPECT_EQ(decode({}), "");
  const std::string zero("\0", 1);
  EXPECT_EQ(decode({29871, 3, 29874}), zero + "a");
}

// The 15 pins that end in a space are those of the published model's other tokenizer, which keeps
// it as a piece of its own.
TEST(T5Pieces, HaveThePublishedIds) {
  CONTRA4_REQUIRE_SHARED();
  const SentencePiece tokenizer(goldens() / "crema" / "weights" / "flan-t5-xl" / "spiece.model");
  EXPECT_EQ(tokenizer.bos_id(), -1);
  EXPECT_EQ(tokenizer.pad_id(), 0);
  const io::JsonValue cases = io::read_json_file(goldens() / "crema" / "cases.json");
  const auto& pins = *cases.find("tokenizer_pins")->find_array();
  ASSERT_EQ(pins.size(), 55U);
  int num_with_space = 0;
  for (const io::JsonValue& pin : pins) {
    const std::string& text = *pin.find("text")->find_string();
    Ids ids = tokenizer.encode(text);
    if (text.ends_with(' ')) {
      ids.push_back(tokenizer.find_piece("\u2581").value());
      ++num_with_space;
    }
    if (*pin.find("special")->find_bool()) ids.push_back(tokenizer.eos_id());
    EXPECT_EQ(ids, ids_of(*pin.find("ids"))) << text;
  }
  EXPECT_EQ(num_with_space, 15);
}

// As the published decoding does afterwards.
std::string without_spaces_before_marks(std::string text) {
  for (const std::string mark : {".", "?", "!", ","}) {
    for (std::size_t at = 0; (at = text.find(" " + mark, at)) != std::string::npos;) {
      text.erase(at, 1);
    }
  }
  return text;
}

TEST(T5Pieces, DecodeAsPublishedOnceTheUnknownAreGone) {
  CONTRA4_REQUIRE_SHARED();
  const SentencePiece tokenizer(goldens() / "crema" / "weights" / "flan-t5-xl" / "spiece.model");
  const io::JsonValue cases = io::read_json_file(goldens() / "crema" / "cases.json");
  const auto& pins = *cases.find("decode_pins")->find_array();
  ASSERT_GE(pins.size(), 10U);
  for (const io::JsonValue& pin : pins) {
    Ids ids = ids_of(*pin.find("ids"));
    std::erase(ids, tokenizer.unknown_id());
    EXPECT_EQ(without_spaces_before_marks(tokenizer.decode(ids)), *pin.find("text")->find_string());
  }
}

}  // namespace
}  // namespace contra4::text
