// Which rows of a data set go into which part, so that no medium is in two parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"

namespace contra4::data {

struct SplitPart {
  std::string name;  // "train": letters, digits, '-' and '_'
  double share = 0;  // of the rows, above 0; those of all parts add up to 1
};

// "train=0.8,val=0.1,test=0.1": two parts or more.
Result<std::vector<SplitPart>> parse_split_parts(std::string_view text);

// The rows as the split sees them: what each shares with others, and its cell.
class SplitRows {
 public:
  // With `keep_questions_together` rows of the same question count as sharing a medium.
  explicit SplitRows(bool keep_questions_together)
      : keep_questions_together_(keep_questions_together) {}

  void add(const Item& item);
  std::size_t size() const { return keys_.size(); }
  std::size_t num_keys() const { return ids_.size(); }
  // Numbers of the row's media, each once.
  const std::vector<std::uint32_t>& keys(std::size_t row) const { return keys_[row]; }
  std::size_t cell(std::size_t row) const { return cells_[row]; }
  const std::vector<std::string>& cell_names() const { return cell_names_; }  // "mc_2/random"

 private:
  void add_key(const std::string& key, std::vector<std::uint32_t>& keys);

  bool keep_questions_together_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::vector<std::uint32_t>> keys_;
  std::vector<std::size_t> cells_;
  std::vector<std::string> cell_names_;
  std::map<std::string, std::size_t> cells_by_name_;
};

inline constexpr int kDroppedRow = -1;

struct SplitPlan {
  std::vector<int> part_of_row;  // index of the part, or kDroppedRow
  std::vector<std::size_t> rows_of_part;
  std::size_t num_components = 0;     // of rows that hang together by media
  std::size_t largest_component = 0;  // in rows
  std::size_t num_dropped() const;
};

// Keeps every row: what hangs together by media stays together, the largest components first, each
// into the part that lacks most. Comes near to the shares unless one component is larger than its
// part.
SplitPlan split_by_components(const SplitRows& rows, const std::vector<SplitPart>& parts,
                              std::uint64_t seed);

// Drops rows to come near to the shares. A heuristic, with more rows dropped than the least there
// is: parts are filled from the smallest share on, cell by cell in proportion, each time with the
// row that brings fewest others to have some of their media inside and some outside. Those that end
// so are dropped when the part is full; the largest part gets what is left.
SplitPlan split_by_dropping(const SplitRows& rows, const std::vector<SplitPart>& parts,
                            std::uint64_t seed);

}  // namespace contra4::data
