// The captions of a corpus as vectors: how similar two are, and which of another modality are the
// nearest to one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/inference/neighbor_search.h"
#include "contra4/pipeline/corpus.h"
#include "contra4/pipeline/embedding_source.h"

namespace contra4::pipeline {

// What is done and how far it is: "image captions: vectors", 512, 2679.
using NeighborProgress =
    std::function<void(const std::string& what, std::int64_t done, std::int64_t total)>;

class CaptionNeighbors {
 public:
  struct List {
    std::span<const std::uint32_t> entries;  // nearest first
    std::span<const float> scores;
  };

  // All outlive it. Each list has `list_size` entries, or all of a smaller pool.
  CaptionNeighbors(const Corpus& corpus, EmbeddingSource& embeddings, const NeighborSearch& search,
                   std::size_t list_size, NeighborProgress progress, std::stop_token stop);

  // Makes the vectors of a modality when they are not there. Throws kCancelled after a stop, as all
  // that follow.
  void embed(Modality modality);
  // Of the first captions of two entries, whose modalities were embedded.
  float cosine(Modality modality_a, std::uint32_t entry_a, Modality modality_b,
               std::uint32_t entry_b) const;

  std::size_t list_size(Modality target) const;
  // Searches for those entries of `from` whose caption was not searched for before.
  void find(Modality from, Modality target, std::span<const std::uint32_t> entries);
  bool has(Modality from, Modality target, std::uint32_t entry) const;
  // Of an entry that has one.
  List list(Modality from, Modality target, std::uint32_t entry) const;

 private:
  struct Space {
    EmbeddedTexts texts;
    // Entries of each distinct caption: entries[first_entry[row]..first_entry[row + 1]).
    std::vector<std::uint32_t> first_entry;
    std::vector<std::uint32_t> entries;
    std::size_t num_rows() const { return first_entry.size() - 1; }
  };
  struct Lists {
    std::vector<std::uint32_t> slot_of_row;  // of the query's caption; kNoSlot: not searched for
    std::vector<std::uint32_t> entries;      // [slots, list_size(target)]
    std::vector<float> scores;
  };

  const Space& space(Modality modality) const;
  Lists& lists(Modality from, Modality target);
  const Lists& lists(Modality from, Modality target) const;
  void append(Lists& lists, Modality target, std::span<const std::uint32_t> rows,
              std::span<const float> scores) const;

  const Corpus& corpus_;
  EmbeddingSource& embeddings_;
  const NeighborSearch& search_;
  std::size_t list_size_;
  NeighborProgress progress_;
  std::stop_token stop_;
  std::array<std::optional<Space>, kModalities.size()> spaces_;
  std::array<Lists, kModalities.size() * kModalities.size()> lists_;
};

}  // namespace contra4::pipeline
