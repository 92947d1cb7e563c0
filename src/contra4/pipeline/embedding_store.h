// Embeddings that are computed once and kept in a folder.
//
//   embeddings/image-captions-1f9a03c2d4e5f607.npy            [distinct texts, dimension] float32
//   embeddings/image-captions-1f9a03c2d4e5f607.npy.partial    while it is being computed
//
// The digits are those of a SHA-256 over the model and the distinct texts in their order, so that a
// file is either what is wanted or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "contra4/inference/embedder.h"
#include "contra4/pipeline/embedding_source.h"

namespace contra4::pipeline {

struct EmbeddingStoreOptions {
  std::filesystem::path folder;  // made when needed
  // Of the embedder that would be opened; empty: open it and ask.
  std::string description_json;
  // Distinct texts handed to the embedder at a time: what a stop waits for and what a kill costs.
  // A vector depends on its block by rounding, so that this is no knob for speed: files of other
  // blocks differ in their last bits.
  std::size_t block = 512;
};

// One at a time in a process. Processes that want the same file wait for the one that makes it.
class EmbeddingStore final : public EmbeddingSource {
 public:
  // `open_embedder` is called once at most, when something has to be computed or described.
  EmbeddingStore(std::function<std::unique_ptr<Embedder>()> open_embedder,
                 EmbeddingStoreOptions options);

  // The rows are those of the mapped file: memory is the kernel's to take back. A file that is
  // damaged is made anew, with a warning.
  EmbeddedTexts embed(const std::string& name, std::span<const std::string> texts,
                      const std::function<void(std::int64_t, std::int64_t)>& progress,
                      std::stop_token stop) override;
  std::string description_json() const override;

 private:
  Embedder& embedder() const;

  std::function<std::unique_ptr<Embedder>()> open_embedder_;
  EmbeddingStoreOptions options_;
  // Opened and asked late, also by description_json().
  mutable std::unique_ptr<Embedder> embedder_;
  mutable std::string description_json_;
};

}  // namespace contra4::pipeline
