// Small corpora and vectors for the tests of sampling.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/byte_sink.h"
#include "contra4/pipeline/corpus.h"
#include "contra4/pipeline/embedding_source.h"

namespace contra4::pipeline {

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  const auto sink = io::create_bytes(path);
  sink->write(text);
  sink->commit();
}

// The stand-in encoder of the goldens: a word w adds 1 + h[1] / 256 to coordinate h[0] mod 64, h
// being its SHA-256; then the vector is made one of norm 1.
class WordVectors final : public EmbeddingSource {
 public:
  EmbeddedTexts embed(const std::string& name, std::span<const std::string> texts,
                      const std::function<void(std::int64_t, std::int64_t)>& progress,
                      std::stop_token) override {
    constexpr std::size_t kDimension = 64;
    names.push_back(name);
    auto rows = std::make_shared<std::vector<float>>();
    std::map<std::string, std::uint32_t> known;
    EmbeddedTexts embedded{.dimension = kDimension, .rows = {}, .row_of = {}, .owner = rows};
    for (const std::string& text : texts) {
      const auto [row, is_new] = known.try_emplace(text, static_cast<std::uint32_t>(known.size()));
      if (is_new) {
        const auto vector = vector_of(text, kDimension);
        rows->insert(rows->end(), vector.begin(), vector.end());
      }
      embedded.row_of.push_back(row->second);
    }
    embedded.rows = *rows;
    if (progress)
      progress(static_cast<std::int64_t>(known.size()), static_cast<std::int64_t>(known.size()));
    return embedded;
  }
  std::string description_json() const override { return R"({"model": "words"})"; }

  std::vector<std::string> names;  // asked for

 private:
  static unsigned hex_byte(const std::string& digest, std::size_t index) {
    return static_cast<unsigned>(std::stoul(digest.substr(2 * index, 2), nullptr, 16));
  }
  static std::vector<float> vector_of(const std::string& text, std::size_t dimension) {
    std::vector<float> vector(dimension, 0.0F);
    std::string word;
    const auto flush = [&] {
      if (word.empty()) return;
      const std::string digest = sha256_hex(word);
      vector[hex_byte(digest, 0) % dimension] +=
          1.0F + static_cast<float>(hex_byte(digest, 1)) / 256.0F;
      word.clear();
    };
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= 0x20) {
        flush();
      } else {
        word += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      }
    }
    flush();
    double sum = 0;
    for (const float value : vector) sum += static_cast<double>(value) * value;
    const auto norm = static_cast<float>(std::sqrt(sum));
    for (float& value : vector) value /= norm > 0 ? norm : 1;
    return vector;
  }
};

inline std::vector<Item> read_tuples(const std::filesystem::path& path) {
  std::vector<Item> items;
  const auto reader = data::open_items(path);
  while (auto item = reader->next()) items.push_back(std::move(*item).value());
  return items;
}

}  // namespace contra4::pipeline
