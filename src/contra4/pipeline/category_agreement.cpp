#include "contra4/pipeline/category_agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/json_writer.h"

namespace contra4::pipeline {

namespace {

double share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

// The place of a name; a new one is added.
std::size_t place_of(CategoryAgreement& agreement, const std::string& name) {
  auto& names = agreement.names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) names.push_back(name);
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

std::int64_t CategoryAgreement::given(std::size_t category) const {
  return std::accumulate(counts[category].begin(), counts[category].end(), std::int64_t{0});
}

std::int64_t CategoryAgreement::chosen(std::size_t category) const {
  std::int64_t sum = 0;
  for (const auto& row : counts) sum += row[category];
  return sum;
}

double CategoryAgreement::recall(std::size_t category) const {
  return share(counts[category][category], given(category));
}

double CategoryAgreement::precision(std::size_t category) const {
  return share(counts[category][category], chosen(category));
}

double CategoryAgreement::agreement() const {
  return share(agreed, total);
}

double CategoryAgreement::commonest_share() const {
  std::int64_t most = 0;
  for (std::size_t i = 0; i < names.size(); ++i) most = std::max(most, given(i));
  return share(most, total);
}

double CategoryAgreement::kappa() const {
  double by_chance = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    by_chance += share(given(i), total) * share(chosen(i), total);
  }
  return by_chance == 1 ? 1 : (agreement() - by_chance) / (1 - by_chance);
}

CategoryAgreement compare_categories(const std::filesystem::path& given,
                                     const std::filesystem::path& chosen,
                                     const std::vector<std::string>& order) {
  CategoryAgreement agreement;
  agreement.names = order;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  constexpr std::size_t kWithout = std::numeric_limits<std::size_t>::max();
  const auto left = data::open_items(given, {}, data::Extras::kDrop);
  const auto right = data::open_items(chosen, {}, data::Extras::kDrop);
  while (auto item = left->next()) {
    auto other = right->next();
    if (!*item) throw Exception(item->error());
    if (other && !*other) throw Exception(other->error());
    if (!other || (*other)->id != (*item)->id) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: row {} is not the row of {} with id {:.80}", chosen.string(),
                                  right->row(), given.string(), (*item)->id.text));
    }
    if ((*item)->category.empty()) continue;
    const std::size_t from = place_of(agreement, (*item)->category);
    const std::string& to = (*other)->category;
    pairs.emplace_back(from, to.empty() ? kWithout : place_of(agreement, to));
  }
  if (pairs.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: no row has a category", given.string()));
  }
  const std::size_t size = agreement.names.size();
  agreement.counts.assign(size, std::vector<std::int64_t>(size + 1));
  for (const auto& [from, to] : pairs) {
    ++agreement.counts[from][std::min(to, size)];
    if (from == to) ++agreement.agreed;
  }
  agreement.total = static_cast<std::int64_t>(pairs.size());
  return agreement;
}

std::string to_json(const CategoryAgreement& agreement) {
  io::JsonWriter json(2);
  json.begin_object().member("total", agreement.total).member("agreed", agreement.agreed);
  json.member("agreement", agreement.agreement());
  json.member("commonest_share", agreement.commonest_share()).member("kappa", agreement.kappa());
  json.key("categories").begin_object();
  for (std::size_t i = 0; i < agreement.names.size(); ++i) {
    json.key(agreement.names[i]).begin_object();
    json.member("given", agreement.given(i)).member("chosen", agreement.chosen(i));
    json.member("agreed", agreement.counts[i][i]);
    json.member("recall", agreement.recall(i)).member("precision", agreement.precision(i));
    json.key("chosen_as").begin_object();
    for (std::size_t j = 0; j < agreement.names.size(); ++j) {
      if (agreement.counts[i][j] > 0) json.member(agreement.names[j], agreement.counts[i][j]);
    }
    const std::int64_t without = agreement.counts[i].back();
    if (without > 0) json.key("").value(without);
    json.end_object().end_object();
  }
  json.end_object().end_object();
  return json.take() + "\n";
}

}  // namespace contra4::pipeline
