// A SentencePiece model small enough for tests, made without its library.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace contra4::testing {

// Of a BPE tokenizer as LLaMA has it (byte fallback, dummy prefix, white space kept): <unk>, <s>,
// </s>, 256 bytes, the letters, digits and marks of prompts, and the words "Scene", "Human" and
// "Assistant" in pieces.
std::vector<std::string> toy_pieces();
std::string toy_sentence_piece_bytes();
void write_toy_sentence_piece(const std::filesystem::path& path);

}  // namespace contra4::testing
