// Finds every row of a data set that is wrong, as the file streams by.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

struct ItemProblem {
  std::string reason;
  bool is_warning = false;  // odd, but usable
};

// What is wrong with a well-formed item: the number of scenes, a q_type that says another number,
// a missing question, answer or caption where one is required, one medium shown twice (a warning),
// an answer in a model's words that names no scene (a warning unless an answer is required).
std::vector<ItemProblem> find_problems(const Item& item, const ItemRequirements& requirements);

struct RowProblem {
  std::uint64_t row = 0;  // from 1; 0 for the file as a whole
  std::string id;         // empty when it could not be read
  ErrorCode code = ErrorCode::kInvalidArgument;
  bool is_warning = false;
  std::string message;  // "FILE: row N (id X): reason"
};

struct CheckOptions {
  ItemRequirements requirements;
  ReadLimits limits;
};

struct CheckSummary {
  std::uint64_t rows = 0;                      // read, wrong ones included
  std::uint64_t wrong_rows = 0;                // with at least one problem that is no warning
  std::uint64_t warnings = 0;                  // problems that are
  std::array<std::uint64_t, 4> schema_rows{};  // well-formed rows by Schema
  bool is_damaged = false;       // reading ended before the end: not all rows were seen
  bool was_interrupted = false;  // by the stop token
  bool is_fine() const { return wrong_rows == 0 && !is_damaged && !was_interrupted; }
};

using ProblemReport = std::function<void(const RowProblem&)>;

// Reports every problem in the order of the rows; a row may have several. Never stops at the first,
// but looks at `stop` between rows. Memory follows one row, plus 21 to 43 bytes for each id.
// Throws kNotFound, kInvalidArgument as open_items does.
CheckSummary check_dataset(const std::filesystem::path& path, const CheckOptions& options,
                           const ProblemReport& report, const std::stop_token& stop = {});

// The same over rows from anywhere; `what` names them in messages.
CheckSummary check_items(ItemReader& items, std::string_view what,
                         const ItemRequirements& requirements, const ProblemReport& report,
                         const std::stop_token& stop = {});

}  // namespace contra4::data
