// Any bytes as a SentencePiece model, behind a sound one (whose fields they change) and as its
// normalisation table: refused with a message, or a tokenizer whose numbers are its own.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/text/sentence_piece.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string varint(std::size_t number) {
  std::string bytes;
  for (; number > 127; number >>= 7U) bytes += static_cast<char>((number & 127U) | 128U);
  return bytes + static_cast<char>(number);
}

std::string field(int number, std::string_view bytes) {
  return static_cast<char>(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

// A piece of no score; kinds: 1 plain, 2 unknown, 3 control.
std::string piece(std::string_view text, char kind) {
  return field(1, field(1, text) + "\x18" + kind);
}

const std::string& sound_model() {
  static const std::string model = [] {
    std::string bytes = piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3);
    for (const char* text : {"\u2581", "a", "b", "ab", "\u2581a"}) bytes += piece(text, 1);
    return bytes;
  }();
  return model;
}

void check(std::string_view model, std::string_view text) {
  try {
    const auto tokenizer = contra4::text::SentencePiece::from_bytes(model, "fuzz");
    const auto ids = tokenizer.encode(text);
    for (const auto id : ids) require(id >= 0 && id < tokenizer.vocabulary_size());
    require(!ids.empty() || tokenizer.decode(ids).empty());
    tokenizer.decode(ids);
  } catch (const contra4::Exception& exception) {
    require(std::string_view(exception.what()).starts_with("fuzz: "));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string text = std::string(input.substr(0, std::min<std::size_t>(size, 64))) + "ab a";
  check(input, text);
  check(sound_model() + std::string(input), text);
  check(sound_model() + field(3, field(2, input)), text);
  return 0;
}
