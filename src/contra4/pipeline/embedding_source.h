// Texts to vectors, as the sampler and the categories by embedding ask for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace contra4::pipeline {

// Distinct texts once: [num_rows, dimension] float32, row-major, each row of Euclidean norm 1.
struct EmbeddedTexts {
  std::size_t dimension = 0;
  std::span<const float> rows;
  std::vector<std::uint32_t> row_of;  // of each text asked for
  std::shared_ptr<const void> owner;  // keeps `rows` alive

  std::span<const float> row(std::size_t text) const {
    return rows.subspan(row_of[text] * dimension, dimension);
  }
};

class EmbeddingSource {
 public:
  virtual ~EmbeddingSource() = default;
  // `name` says what the texts are ("image captions"), for files and progress. Calls
  // `progress(done, total)` in distinct texts. Throws kCancelled after a stop; what was computed is
  // kept.
  virtual EmbeddedTexts embed(const std::string& name, std::span<const std::string> texts,
                              const std::function<void(std::int64_t, std::int64_t)>& progress,
                              std::stop_token stop) = 0;
  // Model and revision, as a JSON object.
  virtual std::string description_json() const = 0;
};

}  // namespace contra4::pipeline
