// Which items of a set look at the same medium. Their hits depend on each other, so an error that
// takes them for independent is too small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "contra4/data/item.h"

namespace contra4::scoring {

class SharedMedia {
 public:
  // Two items are related when they share at least one (source, id); every item is related to
  // itself. Keeps no reference to `items`. Throws kInvalidArgument for an item with more than
  // kMaxScenes scenes.
  explicit SharedMedia(std::span<const Item> items);

  std::size_t num_items() const { return own_.size(); }

  // The sum of values[i] * values[j] over all ordered pairs of related items, i = j included;
  // values [num_items]. Time is linear in the number of items, however many share a medium.
  double sum_of_products(std::span<const double> values) const;

  // How many ordered pairs are related, i = j included: 8,215 on the released test set.
  std::int64_t num_ordered_pairs() const;

 private:
  // By inclusion and exclusion: the sum over related pairs is, over every set S of media, the
  // square of the sum over the items that hold all of S, added for odd |S| and subtracted for even
  // |S|. Sets that only one item holds are gathered in own_.
  struct Group {
    std::size_t begin = 0;  // of members_
    std::size_t end = 0;
    double sign = 1;
  };
  std::vector<double> own_;  // per item
  std::vector<Group> groups_;
  std::vector<std::uint32_t> members_;
};

}  // namespace contra4::scoring
