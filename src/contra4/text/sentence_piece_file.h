// What the SentencePiece library does not look at in a model file before it follows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace contra4::text {

// Why `model`, the bytes of a tokenizer.model, must not be given to the library: its normalisation
// table would be read beyond its end, or a replacement or a piece is so long that small texts would
// take much time or memory. Empty for a sound model, and for what the library itself refuses.
// Source: google/sentencepiece 0.1.97, sentencepiece_model.proto, normalizer.cc; darts-clone 0.32.
std::optional<std::string> find_model_fault(std::string_view model);

}  // namespace contra4::text
