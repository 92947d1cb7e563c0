// Rules that answer without looking at a medium. What they get right, a model gets for free.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::scoring {

class BlindRule {
 public:
  virtual ~BlindRule() = default;
  // A place in [0, scenes.size()); empty when the rule has no answer, as always-D for two scenes.
  // `seed` is for rules that draw.
  virtual std::optional<int> choose(std::span<const SceneView> scenes,
                                    std::uint64_t seed) const = 0;
  // Probability of being right; 0 or 1 unless the rule draws.
  virtual double expected_hit(std::span<const SceneView> scenes, int gold) const;
  // Name and what was fitted, as a JSON object.
  virtual std::string description_json() const = 0;
  // What was fitted, for people: "audio > image > video > pc"; empty when nothing was.
  virtual std::string note() const { return {}; }
  virtual bool needs_captions() const { return false; }
};

// The scene whose modality comes first in an order of the four; the first scene wins a tie.
class ModalityPrior final : public BlindRule {
 public:
  explicit ModalityPrior(const std::array<Modality, 4>& order);
  struct Fit;
  // The best of all 24 orders on the labelled items; the first, counted lexicographically from
  // kModalities, of equals. Throws kInvalidArgument when no item is labelled.
  static Fit fit(std::span<const Item> items);

  std::optional<int> choose(std::span<const SceneView> scenes, std::uint64_t seed) const override;
  std::string description_json() const override;
  std::string note() const override;
  const std::array<Modality, 4>& order() const { return order_; }

 private:
  std::array<Modality, 4> order_;
  std::array<int, 4> rank_{};  // by modality
};
struct ModalityPrior::Fit {
  std::array<Modality, 4> order{};
  int correct = 0;  // on the fit set
  int total = 0;
};

// The most frequent answer position of the fit set, per number of scenes; the first of equals.
class PositionPrior final : public BlindRule {
 public:
  // number of scenes -> place. A number that is missing takes the place of the nearest smaller one,
  // else the first.
  explicit PositionPrior(std::map<int, int> place_by_num_scenes);
  // Throws kInvalidArgument when no item is labelled.
  static PositionPrior fit(std::span<const Item> items);

  std::optional<int> choose(std::span<const SceneView> scenes, std::uint64_t seed) const override;
  std::string description_json() const override;
  std::string note() const override;

 private:
  std::map<int, int> place_by_num_scenes_;
};

// The longest caption in Unicode characters; the first of equals.
class LongestCaption final : public BlindRule {
 public:
  std::optional<int> choose(std::span<const SceneView> scenes, std::uint64_t seed) const override;
  std::string description_json() const override;
  bool needs_captions() const override { return true; }
};

class AlwaysPlace final : public BlindRule {
 public:
  explicit AlwaysPlace(int place) : place_(place) {}  // in [0, kMaxScenes)
  std::optional<int> choose(std::span<const SceneView> scenes, std::uint64_t seed) const override;
  std::string description_json() const override;

 private:
  int place_;
};

// Any scene alike. As a row it counts its expectation, 1 over the number of scenes.
class Chance final : public BlindRule {
 public:
  std::optional<int> choose(std::span<const SceneView> scenes, std::uint64_t seed) const override;
  double expected_hit(std::span<const SceneView> scenes, int gold) const override;
  std::string description_json() const override;
};

// "modality-prior", "position-prior", "longest-caption", "always-A" to "always-D", "chance".
std::vector<std::string> blind_rule_names();
bool is_fitted_rule(std::string_view name);  // the two priors

// Fitted rules take `fit_items`. Throws kInvalidArgument for an unknown name (with the nearest) and
// for a fitted rule without items to fit on.
std::unique_ptr<BlindRule> make_blind_rule(std::string_view name, std::span<const Item> fit_items);

// A rule over a whole set, as a row of a report.
struct BlindRow {
  std::string name;                       // of blind_rule_names()
  bool is_available = true;               // false: not fitted, or no captions; `note` says which
  std::string note;                       // "not fitted", or what was fitted
  std::vector<Observation> observations;  // one per labelled item; empty when not available
};

// One row per name, in that order. Rows that need fitting are not available without `fit_items`,
// which must never be the scored set.
std::vector<BlindRow> blind_rows(std::span<const Item> items, std::span<const Item> fit_items);

}  // namespace contra4::scoring
