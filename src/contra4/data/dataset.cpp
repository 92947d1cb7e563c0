// load_dataset of item_reader.h: a whole set in memory.
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/data/dataset_check.h"
#include "contra4/data/file_format.h"
#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_stream.h"

namespace contra4::data {

namespace {

// The first wrong rows by name, the rest by number.
class WrongRows {
 public:
  void add(std::string message) {
    constexpr std::size_t kNamed = 10;
    if (named_.size() < kNamed) named_.push_back(std::move(message));
    ++count_;
  }
  void require_none(const std::filesystem::path& path) const {
    if (count_ == 0) return;
    std::string text =
        fmt::format("{}: {} wrong row{}:", path.string(), count_, count_ == 1 ? "" : "s");
    for (const std::string& message : named_) text += "\n  " + message;
    if (count_ > named_.size()) text += fmt::format("\n  and {} more", count_ - named_.size());
    throw Exception(ErrorCode::kInvalidArgument, text);
  }

 private:
  std::vector<std::string> named_;
  std::uint64_t count_ = 0;
};

// The first reason why the item cannot be used; empty when it can.
std::string find_reason(const Item& item, const ItemRequirements& requirements) {
  for (ItemProblem& problem : find_problems(item, requirements)) {
    if (!problem.is_warning) return std::move(problem.reason);
  }
  return {};
}

}  // namespace

Dataset load_dataset(const std::filesystem::path& path, const ItemRequirements& requirements,
                     const ReadLimits& limits) {
  Dataset dataset{.name = dataset_name(path), .sha256 = {}, .items = {}};
  Sha256 hash;
  const auto items = open_items_observed(path, limits, Extras::kKeep,
                                         [&](std::string_view bytes) { hash.update(bytes); });
  WrongRows wrong;
  FingerprintSet seen;
  while (auto item = items->next()) {
    if (!*item) {
      wrong.add(item->error().message);
      continue;
    }
    Item& content = **item;
    std::string reason = find_reason(content, requirements);
    const auto before = seen.insert(content.id.text, items->row());
    if (reason.empty() && before) {
      reason = fmt::format("the id occurred before, in row {}", *before);
    }
    if (reason.empty()) {
      dataset.items.push_back(std::move(content));
    } else {
      wrong.add(describe_row(path.string(), items->row(), content.id.text, reason));
    }
  }
  wrong.require_none(path);
  // A reader of Parquet jumps about in the file; the others have passed every byte by.
  dataset.sha256 =
      find_file_format(path) == FileFormat::kParquet ? sha256_hex_of_file(path) : hash.hex_digest();
  return dataset;
}

}  // namespace contra4::data
