#include "contra4/pipeline/balance.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/random.h"
#include "contra4/data/item.h"
#include "contra4/data/json_scan.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/balance_rows.h"
#include "contra4/pipeline/filter.h"
#include "contra4/pipeline/row_outputs.h"
#include "contra4/pipeline/scene_move.h"
#include "contra4/scoring/scene_orders.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

// "Within two points of chance", with a little left for whoever rounds.
constexpr double kModalityMargin = 0.019;
constexpr std::size_t kBlockBytes = 256U << 10;

using Rows = std::span<BalanceRow* const>;

// Where the next place begins in a group of so many rows.
std::vector<double> published_bounds(int num_scenes, bool is_similarity, std::size_t num_rows) {
  const auto size = static_cast<double>(num_rows);
  if (num_scenes == 2) return {.5 * size};
  if (num_scenes == 3) return {.33 * size, .66 * size};
  if (is_similarity) return {.25 * size, .5 * size, .75 * size};
  const std::size_t quarter[] = {num_rows / 4, num_rows / 2, 3 * num_rows / 4};
  return {std::begin(quarter), std::end(quarter)};
}

// As published: the first rows of a group get A, the next B, and so on, with bounds that differ
// between the two strategies. Fills `place` and puts the groups one behind the other.
std::vector<BalanceRow*> place_as_published(Rows rows) {
  std::array<std::array<std::vector<BalanceRow*>, 2>, kMaxScenes + 1> groups;
  for (BalanceRow* const row : rows) {
    groups[static_cast<std::size_t>(row->num_scenes)][row->is_similarity ? 0 : 1].push_back(row);
  }
  std::vector<BalanceRow*> sequence;
  sequence.reserve(rows.size());
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    for (const bool is_similarity : {true, false}) {
      const auto& group = groups[static_cast<std::size_t>(n)][is_similarity ? 0 : 1];
      const auto bounds = published_bounds(n, is_similarity, group.size());
      for (std::size_t i = 0; i < group.size(); ++i) {
        group[i]->place =
            static_cast<int>(std::count_if(bounds.begin(), bounds.end(), [&](double bound) {
              return static_cast<double>(i) >= bound;
            }));
      }
      sequence.insert(sequence.end(), group.begin(), group.end());
    }
  }
  return sequence;
}

std::uint64_t seed_of(const BalanceOptions& options, const StepFiles& files,
                      std::string_view what) {
  return stable_hash64(fmt::format("balance/{}/{}/{}", options.seed, files.strategy, what));
}

// Evenly, with a seeded shuffle deciding which rows get which place.
void place_evenly(Rows rows, const BalanceOptions& options, const StepFiles& files) {
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    std::vector<BalanceRow*> group;
    for (BalanceRow* const row : rows) {
      if (row->num_scenes == n) group.push_back(row);
    }
    Random random(seed_of(options, files, fmt::format("mc_{}", n)));
    random.shuffle(group);
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i]->place = static_cast<int>(i % static_cast<std::size_t>(n));
    }
  }
}

// The rows that are left.
std::vector<BalanceRow*> drop_uneven(Rows rows, const BalanceOptions& options,
                                     const StepFiles& files, Stage& stage) {
  std::vector<ModalityChoice> choices;
  choices.reserve(rows.size());
  for (const BalanceRow* const row : rows) choices.push_back(row->choice());
  const auto left_out = uneven_items(choices, kModalityMargin, seed_of(options, files, "modality"));
  std::vector<BalanceRow*> kept;
  auto next = left_out.begin();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (next == left_out.end() || *next != i) {
      kept.push_back(rows[i]);
      continue;
    }
    ++next;
    std::vector<std::string_view> present;
    for (int scene = 0; scene < rows[i]->num_scenes; ++scene) {
      present.push_back(to_string(rows[i]->scene_modalities[static_cast<std::size_t>(scene)]));
    }
    std::sort(present.begin(), present.end());
    stage.drop(rows[i]->id, "modality",
               fmt::format("{} is right too often among {}", to_string(choices[i].right),
                           fmt::join(present, ", ")));
  }
  return kept;
}

// How the right scene goes from one place to another.
struct Move {
  std::vector<std::size_t> scenes;   // place k of the new row holds the old row's scenes[k]
  std::vector<std::size_t> replies;  // the same of lists with an entry for each order
  scoring::SceneOrder order;
};

// Writes rows with their scenes moved.
class RowMover {
 public:
  explicit RowMover(bool compat) : compat_(compat) {}

  void append(const BalanceRow& row, std::string& into) {
    edits_.clear();
    replacements_.clear();
    const bool is_moved = row.place != row.answer;
    const Move& move = move_of(row);
    move_answers(row, move);
    if (compat_ || !std::equal(answers_.begin(), answers_.end(), row.answers.begin())) {
      edit(row.answers_list, [&] { append_texts(answers_); });
    }
    if (is_moved) move_scenes(row, move);
    append_edited(row.text, into);
  }

 private:
  struct Edit {
    std::string_view piece;  // of the row's text
    std::size_t begin = 0;   // of what stands there instead, in replacements_
    std::size_t size = 0;
  };

  template <class Append>
  void edit(std::string_view piece, Append append_replacement) {
    const std::size_t begin = replacements_.size();
    append_replacement();
    edits_.push_back({piece, begin, replacements_.size() - begin});
  }
  void move_answers(const BalanceRow& row, const Move& move) {
    answers_.clear();
    for (const std::string_view answer : row.answers) {
      answers_.push_back(compat_ ? std::string(answer)
                                 : moved_answer(answer, move.order, row.answer));
    }
    if (compat_ && row.place != row.answer) answers_.front() = scene_name(row.place);
  }
  void move_scenes(const BalanceRow& row, const Move& move) {
    edit(row.modalities, [&] { append_reordered(row.modalities, move.scenes); });
    edit(row.examples, [&] { append_reordered(row.examples, move.scenes); });
    if (!row.formatted.empty()) {
      edit(row.formatted,
           [&] { append_texts(std::vector(row.answers.size(), scene_name(row.place))); });
    }
    for (const std::string_view replies : row.replies) {
      edit(replies, [&] { append_reordered(replies, move.replies); });
    }
  }
  void append_reordered(std::string_view list, std::span<const std::size_t> entries) {
    data::JsonSlices slices(list);
    elements_.clear();
    while (elements_.size() < entries.size()) elements_.push_back(slices.next());
    std::string_view between = "[";
    for (const std::size_t entry : entries) {
      replacements_ += std::exchange(between, ", ");
      replacements_ += elements_[entry];
    }
    replacements_ += ']';
  }
  void append_texts(const std::vector<std::string>& texts) {
    replacements_ += '[';
    for (const std::string& text : texts) {
      if (&text != &texts.front()) replacements_ += ", ";
      io::append_json_quoted(replacements_, text);
    }
    replacements_ += ']';
  }
  void append_edited(std::string_view text, std::string& into) {
    std::sort(edits_.begin(), edits_.end(),
              [](const Edit& a, const Edit& b) { return a.piece.data() < b.piece.data(); });
    std::size_t at = 0;
    for (const Edit& edit : edits_) {
      const auto begin = static_cast<std::size_t>(edit.piece.data() - text.data());
      into += text.substr(at, begin - at);
      into += std::string_view(replacements_).substr(edit.begin, edit.size);
      at = begin + edit.piece.size();
    }
    into += text.substr(at);
  }
  const Move& move_of(const BalanceRow& row) {
    const auto at = [](int i) { return static_cast<std::size_t>(i); };
    std::optional<Move>& known = moves_[at(row.num_scenes)][at(row.answer)][at(row.place)];
    if (!known) {
      known.emplace();
      known->order = moved_order(row.num_scenes, row.answer, row.place);
      known->scenes.assign(known->order.begin(), known->order.end());
      known->replies = list_order(known->order);
    }
    return *known;
  }

  bool compat_;
  // By number of scenes, place before and place after.
  std::array<std::array<std::array<std::optional<Move>, kMaxScenes>, kMaxScenes>, kMaxScenes + 1>
      moves_;
  // Of the row at hand; kept for their memory.
  std::vector<Edit> edits_;
  std::string replacements_;
  std::vector<std::string> answers_;
  std::vector<std::string_view> elements_;
};

RowBlock empty_block() {
  RowBlock block;
  block.text.reserve(kBlockBytes + kBlockBytes / 8);
  return block;
}

// False after a stop.
bool write_moved(Rows rows, bool compat, RowOutputs& output, const std::stop_token& stop) {
  RowMover mover(compat);
  RowBlock block = empty_block();
  for (const BalanceRow* const row : rows) {
    if (stop.stop_requested()) return false;
    const std::size_t begin = block.text.size();
    mover.append(*row, block.text);
    block.rows.push_back({begin, block.text.size() - begin, 1});
    if (block.text.size() >= kBlockBytes) output.write(std::exchange(block, empty_block()));
  }
  output.write(std::move(block));
  return true;
}

enum class When { kBefore, kAfter };  // the move

// What blind rules see of a row.
struct Showing {
  std::array<scoring::SceneView, kMaxScenes> scene_views;  // without captions
  std::array<std::uint32_t, kMaxScenes> caption_lengths{};
  std::size_t num_scenes = 0;
  int right = 0;

  std::span<const scoring::SceneView> scenes() const {
    return std::span(scene_views).first(num_scenes);
  }
  // As scoring::LongestCaption, the rule that needs captions, would count characters each time.
  bool is_right_longest() const {
    const auto* const begin = caption_lengths.begin();
    return std::max_element(begin, begin + num_scenes) - begin == right;
  }
};

template <class T>
void move_entry(std::array<T, kMaxScenes>& entries, int from, int to) {
  auto* const begin = entries.begin();
  if (from < to) std::rotate(begin + from, begin + from + 1, begin + to + 1);
  if (to < from) std::rotate(begin + to, begin + from, begin + from + 1);
}

Showing showing_of(const BalanceRow& row, When when) {
  Showing showing{.scene_views = {},
                  .caption_lengths = row.caption_lengths,
                  .num_scenes = static_cast<std::size_t>(row.num_scenes),
                  .right = row.answer};
  for (std::size_t i = 0; i < showing.num_scenes; ++i) {
    showing.scene_views[i].modality = row.scene_modalities[i];
  }
  if (when == When::kBefore) return showing;
  move_entry(showing.scene_views, row.answer, row.place);
  move_entry(showing.caption_lengths, row.answer, row.place);
  showing.right = row.place;
  return showing;
}

std::vector<std::unique_ptr<scoring::BlindRule>> fitted_rules(const BalanceState& state) {
  std::map<int, int> places;
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    const auto& counts = state.positions[static_cast<std::size_t>(n)];
    places[n] =
        static_cast<int>(std::max_element(counts.begin(), counts.begin() + n) - counts.begin());
  }
  std::vector<std::unique_ptr<scoring::BlindRule>> rules;
  for (const std::string& name : scoring::blind_rule_names()) {
    if (name == "modality-prior") {
      rules.push_back(std::make_unique<scoring::ModalityPrior>(state.best_order.order));
    } else if (scoring::is_fitted_rule(name)) {
      rules.push_back(std::make_unique<scoring::PositionPrior>(places));
    } else {
      rules.push_back(scoring::make_blind_rule(name, {}));
    }
  }
  return rules;
}

// As scoring::blind_rows(items, items), with the priors that the counts give at once: fitting them
// row by row takes longer than all the rest of the step.
std::vector<scoring::BlindRow> blind_rows_of(Rows rows, When when, const BalanceState& state) {
  const auto names = scoring::blind_rule_names();
  const auto rules = fitted_rules(state);
  std::vector<scoring::BlindRow> blind(rules.size());
  for (std::size_t rule = 0; rule < rules.size(); ++rule) {
    blind[rule].name = names[rule];
    blind[rule].note = rules[rule]->note();
    blind[rule].observations.reserve(rows.size());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Showing showing = showing_of(*rows[i], when);
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
      const double hit = rules[rule]->needs_captions()
                             ? static_cast<double>(showing.is_right_longest())
                             : rules[rule]->expected_hit(showing.scenes(), showing.right);
      blind[rule].observations.push_back({i, hit});
    }
  }
  return blind;
}

BalanceState state_of(Rows rows, When when) {
  BalanceState state;
  state.rows = static_cast<std::int64_t>(rows.size());
  std::vector<ModalityChoice> choices;
  choices.reserve(rows.size());
  for (const BalanceRow* const row : rows) {
    const int place = when == When::kBefore ? row->answer : row->place;
    choices.push_back(row->choice());
    ++state.positions[static_cast<std::size_t>(row->num_scenes)][static_cast<std::size_t>(place)];
    ++state.modalities[static_cast<std::size_t>(choices.back().right)];
  }
  state.best_order = best_modality_order(choices);
  state.blind = blind_rows_of(rows, when, state);
  return state;
}

std::string settings_json(const BalanceOptions& options) {
  io::JsonWriter json;
  json.begin_object().member("rule", options.compat ? "published" : "even");
  if (!options.compat) {
    json.member("by_position", options.by_position);
    json.member("by_modality", options.by_modality);
    json.member("seed", options.seed);
  }
  return json.end_object().take();
}

std::string order_note(std::string_view when, const BalanceState& state) {
  return fmt::format(
      "{}, the best blind order of modalities is right on {:.1f}% of the rows, "
      "chance on {:.1f}%",
      when, 100 * state.best_order.accuracy, 100 * state.best_order.chance);
}

}  // namespace

Stage open_balance(const StepFiles& files, const BalanceOptions& options) {
  const fs::path input = find_step_file(filter_stage_output(files), "contra4 filter");
  return Stage::open({files.balanced()},
                     {.stage = "balance",
                      .settings_json = settings_json(options),
                      .inputs = {{"unanimous_permute", input}}},
                     options.when_changed);
}

BalanceOutcome run_balance(Stage& stage, const StepFiles& files, const BalanceOptions& options,
                           const std::stop_token& stop) {
  BalanceOutcome outcome;
  if (stage.is_done()) {
    outcome.step.counts = stage.manifest().counts;
    outcome.step.notes = stage.manifest().notes;
    return outcome;
  }
  BalanceRows file(find_step_file(filter_stage_output(files), "contra4 filter"), options.compat);
  if (!file.load(stage, stop)) {
    outcome.step.is_cancelled = true;
    return outcome;
  }
  const Rows all = file.rows();
  std::vector<BalanceRow*> left;  // in the sequence in which they are written
  if (options.compat) {
    left = place_as_published(all);
  } else if (options.by_modality) {
    left = drop_uneven(all, options, files, stage);
  } else {
    left.assign(all.begin(), all.end());
  }
  if (!options.compat && options.by_position) place_evenly(left, options, files);

  auto states = std::async(std::launch::async, [&] {
    std::vector<BalanceState> before_and_after;
    before_and_after.push_back(state_of(all, When::kBefore));
    before_and_after.push_back(state_of(left, When::kAfter));
    return before_and_after;
  });
  RowOutputs output({files.balanced()}, options.durability);
  if (!write_moved(left, options.compat, output, stop)) {
    outcome.step.is_cancelled = true;
    return outcome;
  }
  outcome.before_and_after = states.get();
  output.commit();

  const auto num_moved = std::count_if(
      left.begin(), left.end(), [](const BalanceRow* row) { return row->place != row->answer; });
  const auto num_fit = static_cast<std::int64_t>(all.size());
  const auto written = static_cast<std::int64_t>(left.size());
  outcome.step.counts = {{"rows", file.num_read()},
                         {"unfit", file.num_read() - num_fit},
                         {"dropped for their modality", num_fit - written},
                         {"moved", num_moved},
                         {"balanced", written}};
  outcome.step.notes = {order_note("before", outcome.before_and_after.front()),
                        order_note("after", outcome.before_and_after.back())};
  stage.finish(outcome.step.counts);  // the notes are of the table, not of the data
  return outcome;
}

}  // namespace contra4::pipeline
