#include "tests/support/toy_sentence_piece.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

namespace contra4::testing {

namespace {

constexpr std::size_t kNumControls = 3;
constexpr std::size_t kNumBytes = 256;

// Protocol buffers by hand: sentencepiece_model.proto.
void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7FU) | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}
void put_number(std::string& out, std::uint64_t field, std::uint64_t value) {
  put_varint(out, field << 3U);
  put_varint(out, value);
}
void put_bytes(std::string& out, std::uint64_t field, std::string_view bytes) {
  put_varint(out, field << 3U | 2U);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_float(std::string& out, std::uint64_t field, float value) {
  put_varint(out, field << 3U | 5U);
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

std::uint64_t type_of(std::size_t index) {
  constexpr std::uint64_t kNormal = 1;
  constexpr std::uint64_t kUnknown = 2;
  constexpr std::uint64_t kControl = 3;
  constexpr std::uint64_t kByte = 6;
  if (index == 0) return kUnknown;
  if (index < kNumControls) return kControl;
  return index < kNumControls + kNumBytes ? kByte : kNormal;
}

}  // namespace

std::vector<std::string> toy_pieces() {
  std::vector<std::string> pieces = {"<unk>", "<s>", "</s>"};
  for (unsigned byte = 0; byte < kNumBytes; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", byte);
    pieces.emplace_back(text);
  }
  const std::string space = "\u2581";
  // What is merged first stands first.
  for (const char* part : {"Sc", "en", "ene", "As", "sis", "tant", "Hu", "man", "##"}) {
    pieces.emplace_back(part);
  }
  pieces.push_back(space + "Sc");
  for (char letter = 'A'; letter <= 'Z'; ++letter) pieces.push_back(space + letter);
  pieces.push_back(space);
  for (char c = '!'; c <= '~'; ++c) pieces.emplace_back(1, c);
  return pieces;
}

std::string toy_sentence_piece_bytes() {
  std::string model;
  const std::vector<std::string> pieces = toy_pieces();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string piece;
    put_bytes(piece, 1, pieces[i]);
    put_float(piece, 2, -static_cast<float>(i));
    put_number(piece, 3, type_of(i));
    put_bytes(model, 1, piece);
  }
  std::string trainer;
  put_number(trainer, 3, 2);       // BPE
  put_number(trainer, 35, 1);      // byte fallback
  put_number(trainer, 40, 0);      // unknown
  put_number(trainer, 41, 1);      // begin
  put_number(trainer, 42, 2);      // end
  put_number(trainer, 43, ~0ULL);  // padding: none
  put_bytes(model, 2, trainer);
  std::string normalizer;
  put_bytes(normalizer, 1, "identity");
  put_number(normalizer, 3, 1);  // dummy prefix
  put_number(normalizer, 4, 0);  // white space is kept
  put_bytes(model, 3, normalizer);
  return model;
}

void write_toy_sentence_piece(const std::filesystem::path& path) {
  std::ofstream(path, std::ios::binary) << toy_sentence_piece_bytes();
}

}  // namespace contra4::testing
