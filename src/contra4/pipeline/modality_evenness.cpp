#include "contra4/pipeline/modality_evenness.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "contra4/base/random.h"

namespace contra4::pipeline {

namespace {

// Items that look the same to every order.
struct Cell {
  std::uint8_t present = 0;
  std::uint8_t num_scenes = 0;
  Modality right = Modality::kAudio;
  std::int64_t count = 0;
  std::vector<std::size_t> items;
};

std::vector<Cell> cells_of(std::span<const ModalityChoice> choices) {
  std::map<std::tuple<int, int, int>, Cell> cells;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const ModalityChoice& choice = choices[i];
    Cell& cell = cells[{choice.num_scenes, choice.present, static_cast<int>(choice.right)}];
    cell.present = choice.present;
    cell.num_scenes = choice.num_scenes;
    cell.right = choice.right;
    ++cell.count;
    cell.items.push_back(i);
  }
  std::vector<Cell> list;
  for (auto& [key, cell] : cells) list.push_back(std::move(cell));
  return list;
}

bool is_hit(const std::array<Modality, 4>& order, const Cell& cell) {
  for (const Modality modality : order) {
    if ((cell.present >> static_cast<int>(modality) & 1) != 0) return modality == cell.right;
  }
  return false;
}

BestOrder best_of(const std::vector<Cell>& cells) {
  std::int64_t total = 0;
  double chance = 0;
  for (const Cell& cell : cells) {
    total += cell.count;
    chance += static_cast<double>(cell.count) / std::max<int>(cell.num_scenes, 1);
  }
  BestOrder best{.order = kModalities};
  if (total == 0) return best;
  std::int64_t most = -1;
  std::array<Modality, 4> order = kModalities;
  do {
    std::int64_t hits = 0;
    for (const Cell& cell : cells) hits += is_hit(order, cell) ? cell.count : 0;
    if (hits > most) {
      most = hits;
      best.order = order;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  best.accuracy = static_cast<double>(most) / static_cast<double>(total);
  best.chance = chance / static_cast<double>(total);
  return best;
}

// How far the right modality's share of its combination lies above an even share.
double surplus(const std::vector<Cell>& cells, const Cell& cell) {
  std::int64_t combination = 0;
  for (const Cell& other : cells) {
    const bool is_same = other.present == cell.present && other.num_scenes == cell.num_scenes;
    combination += is_same ? other.count : 0;
  }
  return static_cast<double>(cell.count) / static_cast<double>(combination) - 1.0 / cell.num_scenes;
}

}  // namespace

BestOrder best_modality_order(std::span<const ModalityChoice> choices) {
  return best_of(cells_of(choices));
}

std::vector<std::size_t> uneven_items(std::span<const ModalityChoice> choices, double margin,
                                      std::uint64_t seed) {
  std::vector<Cell> cells = cells_of(choices);
  while (true) {
    const BestOrder best = best_of(cells);
    if (best.accuracy - best.chance <= margin) break;
    Cell* worst = nullptr;
    double most = 0;
    for (Cell& cell : cells) {
      if (cell.count == 0 || !is_hit(best.order, cell)) continue;
      const double above = surplus(cells, cell);
      if (worst == nullptr || above > most) {
        worst = &cell;
        most = above;
      }
    }
    if (worst == nullptr) break;
    --worst->count;
  }
  std::vector<std::size_t> left_out;
  Random random(seed);
  for (Cell& cell : cells) {
    random.shuffle(cell.items);
    left_out.insert(left_out.end(), cell.items.begin() + cell.count, cell.items.end());
  }
  std::sort(left_out.begin(), left_out.end());
  return left_out;
}

}  // namespace contra4::pipeline
