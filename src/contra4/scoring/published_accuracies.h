// The accuracies of the project page, as reference rows of every leaderboard. Always marked as
// published: they were not computed here.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace contra4::scoring {

// The columns of the published table under our cell names.
inline constexpr std::array<std::string_view, 9> kPublishedCells = {
    "all",        "random",          "mc_2/random",     "mc_3/random",    "mc_4/random",
    "similarity", "mc_2/similarity", "mc_3/similarity", "mc_4/similarity"};

struct PublishedAccuracy {
  std::string_view model;
  std::string_view input;  // "media" or "predicted-captions": what the model was shown
  std::string_view note;   // what limits the comparison; may be empty
  std::array<std::optional<double>, kPublishedCells.size()> accuracy;

  // Empty for a cell that the page does not give.
  std::optional<double> find(std::string_view cell) const;
};

// On the test set of 2,335 items, best first.
std::span<const PublishedAccuracy> published_accuracies();
inline constexpr int kPublishedNumItems = 2335;

}  // namespace contra4::scoring
