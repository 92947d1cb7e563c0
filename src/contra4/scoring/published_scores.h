// The text that the published scorer prints, byte for byte: `--scoring published`.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "contra4/data/item.h"

namespace contra4::scoring {

struct PublishedPrediction {
  std::size_t item = 0;       // index into the items
  std::string_view pred_ans;  // raw text
};

// Counts run over the predictions, not over the items: what was not predicted is not there. Right
// is a reply in which "Scene B" occurs. The lines per list of modalities test only for the gold's
// first letter, which is always "S": wrong, and reproduced on purpose. Lists that name a modality
// twice have no line. Unlabelled items are skipped; an empty cell prints 0/0 (0.00), where the
// published scorer fails. Source: artemisp/contra4-fork 8492529, src/evaluate.py, described in our
// own words.
std::string published_scores(std::span<const Item> items,
                             std::span<const PublishedPrediction> predictions);

}  // namespace contra4::scoring
