// Texts to vectors.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace contra4 {

// [num_texts, dimension] float32, row-major, each row of Euclidean norm 1.
struct Embeddings {
  std::size_t dimension = 0;
  std::vector<float> values;

  std::size_t size() const { return dimension == 0 ? 0 : values.size() / dimension; }
  std::span<const float> row(std::size_t index) const {
    return std::span(values).subspan(index * dimension, dimension);
  }
};

// One at a time; uses its own threads inside.
class Embedder {
 public:
  virtual ~Embedder() = default;
  // Row i belongs to texts[i]; equal texts are computed once. Texts above the model's length are
  // cut.
  virtual Embeddings embed(std::span<const std::string> texts) = 0;
  // Model and revision (hash of the weights), as a JSON object.
  virtual std::string description_json() const = 0;
};

}  // namespace contra4
