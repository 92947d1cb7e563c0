// "Did you mean": the nearest of some names to what a user typed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace contra4 {

// Damerau-Levenshtein distance (adjacent swaps count one), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the smallest distance, if it is near enough to be a slip (at most a third of
// the typed name, at least 2); the first of equals.
std::optional<std::string> find_nearest(std::string_view typed,
                                        std::span<const std::string> candidates);

}  // namespace contra4
