#include "contra4/data/split.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "contra4/base/random.h"

namespace contra4::data {

namespace {

constexpr double kShareTolerance = 1e-6;
constexpr int kRounds = 4;  // of split_by_dropping(): the shares change little after that

bool is_part_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// Components of rows that hang together by their keys.
class Components {
 public:
  explicit Components(const SplitRows& rows) : parent_(rows.num_keys()) {
    std::iota(parent_.begin(), parent_.end(), 0U);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto& keys = rows.keys(row);
      for (std::size_t i = 1; i < keys.size(); ++i) parent_[root(keys[i])] = root(keys[0]);
    }
    std::unordered_map<std::uint32_t, std::size_t> numbers;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      // A row without scenes hangs together with nothing.
      std::size_t number = members_.size();
      if (!rows.keys(row).empty()) {
        number = numbers.try_emplace(root(rows.keys(row)[0]), number).first->second;
      }
      if (number == members_.size()) members_.emplace_back();
      members_[number].push_back(row);
    }
  }
  std::vector<std::vector<std::size_t>>& members() { return members_; }

 private:
  std::uint32_t root(std::uint32_t key) {
    while (parent_[key] != key) key = parent_[key] = parent_[parent_[key]];
    return key;
  }
  std::vector<std::uint32_t> parent_;
  std::vector<std::vector<std::size_t>> members_;
};

SplitPlan empty_plan(const SplitRows& rows, const std::vector<SplitPart>& parts,
                     const std::vector<std::vector<std::size_t>>& components) {
  SplitPlan plan;
  plan.part_of_row.assign(rows.size(), kDroppedRow);
  plan.rows_of_part.assign(parts.size(), 0);
  plan.num_components = components.size();
  for (const auto& component : components) {
    plan.largest_component = std::max(plan.largest_component, component.size());
  }
  return plan;
}

// Rows of a medium above which a change of its costs is not told to all of them: they are looked at
// again when their turn comes.
constexpr std::size_t kPopularMedium = 64;

// Fills parts one after the other; see split_by_dropping().
class Filling {
 public:
  Filling(const SplitRows& rows, std::uint64_t seed)
      : rows_(rows),
        part_of_key_(rows.num_keys(), kNone),
        rows_of_key_(rows.num_keys()),
        num_untouched_(rows.num_keys(), 0),
        part_of_row_(rows.size(), kNone),
        is_touched_(rows.size(), false) {
    Random random(seed);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      tie_breaks_.push_back(random.next());
      for (const std::uint32_t key : rows.keys(row)) {
        rows_of_key_[key].push_back(row);
        ++num_untouched_[key];
      }
    }
  }

  // Until the part has so many rows, then drops what has some of its media in it and some not.
  void fill(int part, double target) {
    const std::size_t num_cells = rows_.cell_names().size();
    queues_.assign(num_cells, {});
    std::vector<double> totals(num_cells, 0);
    taken_.assign(num_cells, 0);
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      totals[rows_.cell(row)] += 1;
      if (part_of_row_[row] == kNone) push(row, part);
    }
    for (std::size_t num_taken = 0; static_cast<double>(num_taken) + 0.5 < target;) {
      const std::size_t cell = neediest(totals);
      if (cell == num_cells) break;  // nothing is left
      const std::size_t row = std::get<2>(queues_[cell].top());
      queues_[cell].pop();
      if (part_of_row_[row] != kNone) continue;
      num_taken += take(row, part);
    }
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (part_of_row_[row] == kNone && is_touched_[row]) part_of_row_[row] = kDroppedRow;
    }
  }

  void give_rest_to(int part) { std::ranges::replace(part_of_row_, kNone, part); }
  const std::vector<int>& part_of_row() const { return part_of_row_; }

 private:
  static constexpr int kNone = -2;
  using Candidate = std::tuple<std::size_t, std::uint64_t, std::size_t>;  // cost, tie-break, row
  using Queue = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>>;

  // How many rows more would have some but not all of their media in the part, plus one. It only
  // falls while a part is filled, so that an old entry of a queue is never too low.
  void push(std::size_t row, int part) {
    const std::size_t self = is_touched_[row] ? 0 : 1;
    std::size_t cost = self;
    for (const std::uint32_t key : rows_.keys(row)) {
      if (part_of_key_[key] != part) cost += num_untouched_[key] - self;
    }
    queues_[rows_.cell(row)].emplace(cost, tie_breaks_[row], row);
  }

  std::size_t neediest(const std::vector<double>& totals) const {
    std::size_t best = queues_.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t cell = 0; cell < queues_.size(); ++cell) {
      if (queues_[cell].empty()) continue;
      const double filled = static_cast<double>(taken_[cell]) / totals[cell];
      if (filled >= least) continue;
      least = filled;
      best = cell;
    }
    return best;
  }

  void touch(std::size_t row) {
    if (is_touched_[row]) return;
    is_touched_[row] = true;
    for (const std::uint32_t key : rows_.keys(row)) --num_untouched_[key];
  }

  void settle(std::size_t row, int part) {
    touch(row);
    part_of_row_[row] = part;
    ++taken_[rows_.cell(row)];
  }

  // The row, and the rows that have all of their media in the part with it. Returns their number.
  std::size_t take(std::size_t row, int part) {
    settle(row, part);
    std::size_t num_taken = 1;
    std::vector<std::size_t> cheaper;
    for (const std::uint32_t key : rows_.keys(row)) part_of_key_[key] = part;
    for (const std::uint32_t key : rows_.keys(row)) {
      for (const std::size_t other : rows_of_key_[key]) {
        if (part_of_row_[other] != kNone) continue;
        const auto& keys = rows_.keys(other);
        if (std::all_of(keys.begin(), keys.end(),
                        [&](std::uint32_t of_other) { return part_of_key_[of_other] == part; })) {
          settle(other, part);
          ++num_taken;
          continue;
        }
        if (is_touched_[other]) {
          cheaper.push_back(other);
          continue;
        }
        touch(other);
        for (const std::uint32_t of_other : keys) {
          const auto& neighbours = rows_of_key_[of_other];
          if (neighbours.size() > kPopularMedium) continue;
          cheaper.insert(cheaper.end(), neighbours.begin(), neighbours.end());
        }
        cheaper.push_back(other);
      }
    }
    std::ranges::sort(cheaper);
    const auto repeated = std::ranges::unique(cheaper);
    cheaper.erase(repeated.begin(), repeated.end());
    for (const std::size_t other : cheaper) {
      if (part_of_row_[other] == kNone) push(other, part);
    }
    return num_taken;
  }

  const SplitRows& rows_;
  std::vector<int> part_of_key_;
  std::vector<std::vector<std::size_t>> rows_of_key_;
  std::vector<std::size_t> num_untouched_;  // rows of a medium that have none in the part, nor in
                                            // an earlier one
  std::vector<int> part_of_row_;
  std::vector<bool> is_touched_;
  std::vector<std::uint64_t> tie_breaks_;
  std::vector<Queue> queues_;  // of each cell
  std::vector<std::size_t> taken_;
};

}  // namespace

Result<std::vector<SplitPart>> parse_split_parts(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("'{}': {}; wanted is NAME=SHARE,NAME=SHARE,... with shares that add up "
                    "to 1, such as train=0.8,val=0.1,test=0.1",
                    text, why)};
  };
  std::vector<SplitPart> parts;
  std::set<std::string> names;
  double sum = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    SplitPart part{.name = std::string(word.substr(0, equals))};
    if (equals == std::string_view::npos || !is_part_name(part.name)) {
      return wrong(fmt::format("'{}' is no part", word));
    }
    const std::string number(word.substr(equals + 1));
    char* end = nullptr;
    part.share = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || !(part.share > 0) || part.share >= 1) {
      return wrong(fmt::format("'{}' is no share between 0 and 1", number));
    }
    if (!names.insert(part.name).second) return wrong(fmt::format("'{}' twice", part.name));
    sum += part.share;
    parts.push_back(std::move(part));
  }
  if (parts.size() < 2) return wrong("a split has two parts or more");
  if (std::abs(sum - 1) > kShareTolerance)
    return wrong(fmt::format("the shares add up to {:g}", sum));
  return parts;
}

void SplitRows::add_key(const std::string& key, std::vector<std::uint32_t>& keys) {
  const std::uint32_t id =
      ids_.try_emplace(key, static_cast<std::uint32_t>(ids_.size())).first->second;
  if (std::find(keys.begin(), keys.end(), id) == keys.end()) keys.push_back(id);
}

void SplitRows::add(const Item& item) {
  std::vector<std::uint32_t> keys;
  for (const Scene& scene : item.scenes) {
    add_key(fmt::format("m{}:{}{}", scene.source.size(), scene.source, scene.id.text), keys);
  }
  if (keep_questions_together_ && !item.question.empty()) add_key("q" + item.question, keys);
  keys_.push_back(std::move(keys));
  const std::string q_type =
      item.q_type.empty() ? fmt::format("mc_{}", item.num_scenes()) : item.q_type;
  const std::string cell =
      item.selection_type.empty() ? q_type : fmt::format("{}/{}", q_type, item.selection_type);
  const auto [place, is_new] = cells_by_name_.try_emplace(cell, cell_names_.size());
  if (is_new) cell_names_.push_back(cell);
  cells_.push_back(place->second);
}

std::size_t SplitPlan::num_dropped() const {
  return static_cast<std::size_t>(std::count(part_of_row.begin(), part_of_row.end(), kDroppedRow));
}

SplitPlan split_by_components(const SplitRows& rows, const std::vector<SplitPart>& parts,
                              std::uint64_t seed) {
  Components found(rows);
  auto& components = found.members();
  SplitPlan plan = empty_plan(rows, parts, components);
  Random random(seed);
  random.shuffle(components);
  std::stable_sort(components.begin(), components.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& component : components) {
    std::size_t best = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t part = 0; part < parts.size(); ++part) {
      const double lacks = parts[part].share * static_cast<double>(rows.size()) -
                           static_cast<double>(plan.rows_of_part[part]);
      if (lacks > most) {
        most = lacks;
        best = part;
      }
    }
    for (const std::size_t row : component) plan.part_of_row[row] = static_cast<int>(best);
    plan.rows_of_part[best] += component.size();
  }
  return plan;
}

SplitPlan split_by_dropping(const SplitRows& rows, const std::vector<SplitPart>& parts,
                            std::uint64_t seed) {
  SplitPlan plan = empty_plan(rows, parts, Components(rows).members());
  std::vector<int> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return parts[static_cast<std::size_t>(a)].share < parts[static_cast<std::size_t>(b)].share;
  });
  // How many rows will be kept is known afterwards only: parts are filled to their share of what
  // the time before kept.
  auto expected = static_cast<double>(rows.size());
  for (int round = 0; round < kRounds; ++round) {
    Filling filling(rows, seed);
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      filling.fill(order[i], parts[static_cast<std::size_t>(order[i])].share * expected);
    }
    filling.give_rest_to(order.back());
    plan.part_of_row = filling.part_of_row();
    expected = static_cast<double>(rows.size() - plan.num_dropped());
  }
  for (const int part : plan.part_of_row) {
    if (part != kDroppedRow) ++plan.rows_of_part[static_cast<std::size_t>(part)];
  }
  return plan;
}

}  // namespace contra4::data
