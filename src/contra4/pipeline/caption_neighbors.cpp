#include "contra4/pipeline/caption_neighbors.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::pipeline {

namespace {

constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();
// Queries searched at a time: what a stop waits for, and 6 MB of vectors.
constexpr std::size_t kQueryBlock = 4096;

std::string_view word_of(Modality modality) {
  return modality == Modality::kPointCloud ? "3d" : to_string(modality);
}

}  // namespace

CaptionNeighbors::CaptionNeighbors(const Corpus& corpus, EmbeddingSource& embeddings,
                                   const NeighborSearch& search, std::size_t list_size,
                                   NeighborProgress progress, std::stop_token stop)
    : corpus_(corpus),
      embeddings_(embeddings),
      search_(search),
      list_size_(list_size),
      progress_(std::move(progress)),
      stop_(std::move(stop)) {}

const CaptionNeighbors::Space& CaptionNeighbors::space(Modality modality) const {
  const auto& space = spaces_[static_cast<std::size_t>(modality)];
  CONTRA4_CHECK(space.has_value(), "the captions of a modality are embedded before they are used");
  return *space;
}

CaptionNeighbors::Lists& CaptionNeighbors::lists(Modality from, Modality target) {
  return lists_[static_cast<std::size_t>(from) * kModalities.size() +
                static_cast<std::size_t>(target)];
}

const CaptionNeighbors::Lists& CaptionNeighbors::lists(Modality from, Modality target) const {
  return lists_[static_cast<std::size_t>(from) * kModalities.size() +
                static_cast<std::size_t>(target)];
}

void CaptionNeighbors::embed(Modality modality) {
  auto& slot = spaces_[static_cast<std::size_t>(modality)];
  if (slot) return;
  const auto& entries = corpus_.pool(modality).entries;
  std::vector<std::string> captions;
  captions.reserve(entries.size());
  for (const Scene& scene : entries) captions.emplace_back(scene.caption());
  const std::string name = fmt::format("{} captions", word_of(modality));
  Space space;
  space.texts = embeddings_.embed(
      name, captions,
      [&](std::int64_t done, std::int64_t total) {
        if (progress_) progress_(name, done, total);
      },
      stop_);
  const std::size_t dimension = space.texts.dimension;
  CONTRA4_CHECK(dimension > 0 || captions.empty(), "vectors have a dimension");
  const std::size_t num_rows = dimension == 0 ? 0 : space.texts.rows.size() / dimension;
  // Sorted by row, of one row in their order.
  space.first_entry.assign(num_rows + 1, 0);
  for (const std::uint32_t row : space.texts.row_of) ++space.first_entry[row + 1];
  for (std::size_t row = 0; row < num_rows; ++row) {
    space.first_entry[row + 1] += space.first_entry[row];
  }
  space.entries.resize(captions.size());
  std::vector<std::uint32_t> next(space.first_entry.begin(), space.first_entry.end() - 1);
  for (std::size_t entry = 0; entry < captions.size(); ++entry) {
    space.entries[next[space.texts.row_of[entry]]++] = static_cast<std::uint32_t>(entry);
  }
  slot = std::move(space);
}

float CaptionNeighbors::cosine(Modality modality_a, std::uint32_t entry_a, Modality modality_b,
                               std::uint32_t entry_b) const {
  const auto a = space(modality_a).texts.row(entry_a);
  const auto b = space(modality_b).texts.row(entry_b);
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::size_t CaptionNeighbors::list_size(Modality target) const {
  return std::min(list_size_, corpus_.pool(target).entries.size());
}

bool CaptionNeighbors::has(Modality from, Modality target, std::uint32_t entry) const {
  const Lists& known = lists(from, target);
  return !known.slot_of_row.empty() &&
         known.slot_of_row[space(from).texts.row_of[entry]] != kNoSlot;
}

CaptionNeighbors::List CaptionNeighbors::list(Modality from, Modality target,
                                              std::uint32_t entry) const {
  const Lists& known = lists(from, target);
  const std::size_t size = list_size(target);
  const std::size_t slot = known.slot_of_row[space(from).texts.row_of[entry]];
  return {std::span(known.entries).subspan(slot * size, size),
          std::span(known.scores).subspan(slot * size, size)};
}

// Each distinct caption stands for all its entries.
void CaptionNeighbors::append(Lists& lists, Modality target, std::span<const std::uint32_t> rows,
                              std::span<const float> scores) const {
  const Space& found = space(target);
  std::size_t left = list_size(target);
  for (std::size_t i = 0; i < rows.size() && left > 0; ++i) {
    const std::uint32_t end = found.first_entry[rows[i] + 1];
    for (std::uint32_t j = found.first_entry[rows[i]]; j < end && left > 0; ++j, --left) {
      lists.entries.push_back(found.entries[j]);
      lists.scores.push_back(scores[i]);
    }
  }
  CONTRA4_CHECK(left == 0, "a search gave fewer rows than there are");
}

void CaptionNeighbors::find(Modality from, Modality target,
                            std::span<const std::uint32_t> entries) {
  const Space& queries = space(from);
  const Space& base = space(target);
  Lists& known = lists(from, target);
  if (known.slot_of_row.empty()) known.slot_of_row.assign(queries.num_rows(), kNoSlot);
  std::vector<std::uint32_t> rows;
  for (const std::uint32_t entry : entries) {
    const std::uint32_t row = queries.texts.row_of[entry];
    if (known.slot_of_row[row] == kNoSlot) rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());

  const std::size_t dimension = queries.texts.dimension;
  std::vector<float> vectors;
  for (std::size_t begin = 0; begin < rows.size(); begin += kQueryBlock) {
    const std::size_t count = std::min(kQueryBlock, rows.size() - begin);
    vectors.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = queries.texts.rows.subspan(rows[begin + i] * dimension, dimension);
      vectors.insert(vectors.end(), row.begin(), row.end());
    }
    const Neighbors found =
        search_.search(base.texts.rows, vectors, dimension, list_size(target), stop_);
    if (stop_.stop_requested() || found.num_queries() < count) {
      throw Exception(ErrorCode::kCancelled, "interrupted");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto slot = known.entries.size() / list_size(target);
      append(known, target, std::span(found.rows).subspan(i * found.k, found.k),
             std::span(found.scores).subspan(i * found.k, found.k));
      known.slot_of_row[rows[begin + i]] = static_cast<std::uint32_t>(slot);
    }
    if (progress_ && rows.size() > kQueryBlock) {
      progress_(fmt::format("nearest {} captions of {}", word_of(target), word_of(from)),
                static_cast<std::int64_t>(begin + count), static_cast<std::int64_t>(rows.size()));
    }
  }
}

}  // namespace contra4::pipeline
