#include "contra4/pipeline/balance.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/random.h"
#include "contra4/data/file_format.h"
#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/json_scan.h"
#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_source.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/filter.h"
#include "contra4/pipeline/letter_rules.h"
#include "contra4/pipeline/row_outputs.h"
#include "contra4/pipeline/scene_move.h"
#include "contra4/scoring/scene_orders.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

// "Within two points of chance", with a little left for whoever rounds.
constexpr double kModalityMargin = 0.019;
constexpr std::size_t kBlockBytes = 1U << 20;
constexpr std::size_t kRowsBetweenStops = 1024;

struct Piece {
  std::size_t begin = 0;  // in the row's text
  std::size_t size = 0;
};

struct Row {
  std::string id;
  std::size_t begin = 0;  // of its text among all texts
  std::size_t size = 0;
  int num_scenes = 0;
  int answer = 0;
  int place = 0;  // where the right scene goes
  bool is_similarity = false;
  std::array<Modality, kMaxScenes> modalities{};
  Piece modalities_list;
  Piece examples;
  Piece answers_list;
  Piece formatted;             // `answers_formatted`; size 0: there is none
  std::vector<Piece> replies;  // lists with an entry for each order
  std::vector<std::string> answers;

  ModalityChoice choice() const {
    ModalityChoice choice{.num_scenes = static_cast<std::uint8_t>(num_scenes),
                          .right = modalities[static_cast<std::size_t>(answer)]};
    for (int i = 0; i < num_scenes; ++i) {
      choice.present |= static_cast<std::uint8_t>(
          1U << static_cast<unsigned>(modalities[static_cast<std::size_t>(i)]));
    }
    return choice;
  }
};

std::size_t factorial(int n) {
  std::size_t product = 1;
  for (int i = 2; i <= n; ++i) product *= static_cast<std::size_t>(i);
  return product;
}

// Reads a file of filtered rows into memory, texts one behind the other.
class RowFile {
 public:
  RowFile(fs::path path, const BalanceOptions& options)
      : path_(std::move(path)), options_(options) {}

  // Rows that cannot be balanced are dropped with their reason. False after a
  // stop.
  bool load(Stage& stage, const std::stop_token& stop);

  std::vector<Row>& rows() { return rows_; }
  std::string_view text(const Row& row) const {
    return std::string_view(texts_).substr(row.begin, row.size);
  }
  std::int64_t num_read() const { return num_read_; }
  // Without its rows' texts: what the blind rules look at, answers as they came
  // in.
  const std::vector<Item>& items() const { return items_; }
  std::vector<Item>& items() { return items_; }

 private:
  [[noreturn]] void fail(const Error& error, std::string_view id) const {
    throw Exception(error.code,
                    id.empty()
                        ? fmt::format("{}: row {}: {}", path_.string(), number_, error.message)
                        : fmt::format("{}: row {} (id {:.80}): {}", path_.string(), number_, id,
                                      error.message));
  }
  template <class T>
  T require(Result<T> result, std::string_view id) const {
    if (!result) fail(result.error(), id);
    return std::move(*result);
  }
  void read(std::string_view record, Stage& stage);
  bool read_scenes(Row& row, Item& item);
  bool read_answer_of(Row& row, const Item& item);
  Piece piece(std::string_view member) const {
    const std::string_view raw = parsed_.raw(member);
    if (raw.empty()) return {};
    return {static_cast<std::size_t>(raw.data() - parsed_.text().data()), raw.size()};
  }
  void find_replies(Row& row) const;

  fs::path path_;
  const BalanceOptions& options_;
  data::RawRow parsed_;
  std::string padded_;
  std::string texts_;
  std::vector<Row> rows_;
  std::vector<Item> items_;
  data::FingerprintSet ids_;
  std::uint64_t number_ = 0;
  std::int64_t num_read_ = 0;
};

bool RowFile::load(Stage& stage, const std::stop_token& stop) {
  const data::ReadLimits limits;
  const bool is_list = data::find_file_format(path_) == data::FileFormat::kJson;
  const auto records = data::read_records(
      io::open_bytes(path_, {.max_decompressed_bytes = limits.max_decompressed_bytes,
                             .max_compression_ratio = limits.max_compression_ratio}),
      is_list ? data::RecordFormat::kList : data::RecordFormat::kLines, limits.max_row_bytes);
  while (const auto record = records->next()) {
    number_ = records->row();
    if (!*record) fail(record->error(), {});
    if (num_read_ % kRowsBetweenStops == 0 && stop.stop_requested()) return false;
    ++num_read_;
    read(**record, stage);
  }
  return true;
}

// False when it has too few or too many scenes.
bool RowFile::read_scenes(Row& row, Item& item) {
  const auto modalities =
      require(parsed_.strings("modalities", data::RawRow::Nulls::kRefused), row.id);
  const auto captions = require(parsed_.shown_captions(), row.id);
  if (captions.size() != modalities.size()) {
    fail({ErrorCode::kInvalidArgument,
          fmt::format("{} modalities for {} scenes", modalities.size(), captions.size())},
         row.id);
  }
  if (captions.size() < kMinScenes || captions.size() > kMaxScenes) return false;
  row.num_scenes = static_cast<int>(captions.size());
  item.scenes.resize(captions.size());
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const auto modality = parse_modality(*modalities[i]);
    if (!modality) {
      fail({ErrorCode::kInvalidArgument,
            fmt::format("unknown modality '{:.40}'; audio, pc, image or video is needed",
                        *modalities[i])},
           row.id);
    }
    row.modalities[i] = *modality;
    item.scenes[i].modality = *modality;
    item.scenes[i].captions.emplace_back(captions[i]);
  }
  return true;
}

// False when its answer names none of its scenes.
bool RowFile::read_answer_of(Row& row, const Item& item) {
  const auto answers = require(parsed_.strings("answers", data::RawRow::Nulls::kRefused), row.id);
  std::optional<int> place;
  if (options_.compat) {
    for (const auto& answer : answers) {
      std::string formatted = formatted_answer(*answer, LetterRule::kBalance);
      if (!formatted.empty()) row.answers.push_back(std::move(formatted));
    }
    if (!row.answers.empty()) place = parse_gold_answer(row.answers.front());
  } else {
    for (const auto& answer : answers) row.answers.emplace_back(*answer);
    // What the filter read, so that both speak of the same scene.
    if (parsed_.has("answers_formatted")) {
      const auto formatted = parsed_.strings("answers_formatted", data::RawRow::Nulls::kAllowed);
      if (formatted && !formatted->empty() && formatted->front()) {
        place = parse_gold_answer(*formatted->front());
      }
    }
    if (!place && !row.answers.empty()) {
      place = read_answer(row.answers.front(), ReplyRule::kChoice, scoring::scene_views(item));
    }
  }
  if (!place || *place >= row.num_scenes) return false;
  row.answer = *place;
  row.place = *place;
  return true;
}

void RowFile::find_replies(Row& row) const {
  const std::size_t num_orders = factorial(row.num_scenes);
  for (const std::string_view member : parsed_.members()) {
    if (!member.starts_with("answer_")) continue;
    if (parsed_.raw_elements(member).size() == num_orders) row.replies.push_back(piece(member));
  }
}

void RowFile::read(std::string_view record, Stage& stage) {
  std::string_view text = record;
  if (record.find('\n') != std::string_view::npos) {
    padded_ = data::on_one_line(record);
    const std::size_t size = padded_.size();
    padded_.resize(size + data::kRecordPadding);
    text = std::string_view(padded_).substr(0, size);
  }
  if (const auto parsed = parsed_.parse(text); !parsed) fail(parsed.error(), {});
  Row row;
  row.id = require(parsed_.id(), {}).text;
  if (const auto before = ids_.insert(row.id, number_)) {
    fail({ErrorCode::kInvalidArgument, fmt::format("the id occurred before, in row {}", *before)},
         row.id);
  }
  Item item;
  if (!read_scenes(row, item)) {
    stage.drop(row.id, "number of scenes", "two to four are balanced");
    return;
  }
  if (!read_answer_of(row, item)) {
    stage.drop(row.id, "no answer", "the answer names none of the scenes");
    return;
  }
  if (options_.compat) {
    const auto q_type = require(parsed_.string("q_type"), row.id);
    if (q_type != fmt::format("mc_{}", row.num_scenes)) {
      stage.drop(row.id, "q_type", fmt::format("{} with {} scenes", q_type, row.num_scenes));
      return;
    }
    row.is_similarity = require(parsed_.string("selection_type"), row.id) == "similarity";
  } else {
    row.formatted = piece("answers_formatted");
    find_replies(row);
  }
  row.modalities_list = piece("modalities");
  row.examples = piece("examples");
  row.answers_list = piece("answers");
  row.begin = texts_.size();
  row.size = text.size();
  texts_ += text;
  item.answer = row.answer;
  items_.push_back(std::move(item));
  rows_.push_back(std::move(row));
}

// As published: the first rows of a group get A, the next B, and so on, with
// bounds that differ between the two strategies. Fills `place` and puts the
// groups one behind the other.
std::vector<std::size_t> place_as_published(std::vector<Row>& rows) {
  std::vector<std::size_t> sequence;
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    for (const bool is_similarity : {true, false}) {
      std::vector<std::size_t> group;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].num_scenes == n && rows[i].is_similarity == is_similarity) group.push_back(i);
      }
      const auto size = static_cast<double>(group.size());
      std::vector<double> bounds = {.5 * size};
      if (n == 3) bounds = {.33 * size, .66 * size};
      if (n == 4) {
        bounds = {.25 * size, .5 * size, .75 * size};
        if (!is_similarity) {
          const std::size_t quarter[] = {group.size() / 4, group.size() / 2, 3 * group.size() / 4};
          bounds.assign(std::begin(quarter), std::end(quarter));
        }
      }
      for (std::size_t i = 0; i < group.size(); ++i) {
        rows[group[i]].place =
            static_cast<int>(std::count_if(bounds.begin(), bounds.end(), [&](double bound) {
              return static_cast<double>(i) >= bound;
            }));
        sequence.push_back(group[i]);
      }
    }
  }
  return sequence;
}

std::uint64_t seed_of(const BalanceOptions& options, const StepFiles& files,
                      std::string_view what) {
  return stable_hash64(fmt::format("balance/{}/{}/{}", options.seed, files.strategy, what));
}

// Evenly, with a seeded shuffle deciding which rows get which place.
void place_evenly(std::vector<Row>& rows, std::span<const std::size_t> kept,
                  const BalanceOptions& options, const StepFiles& files) {
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    std::vector<std::size_t> group;
    for (const std::size_t i : kept) {
      if (rows[i].num_scenes == n) group.push_back(i);
    }
    Random random(seed_of(options, files, fmt::format("mc_{}", n)));
    random.shuffle(group);
    for (std::size_t i = 0; i < group.size(); ++i) {
      rows[group[i]].place = static_cast<int>(i % static_cast<std::size_t>(n));
    }
  }
}

std::vector<std::size_t> drop_uneven(const std::vector<Row>& rows, const BalanceOptions& options,
                                     const StepFiles& files, Stage& stage) {
  std::vector<ModalityChoice> choices;
  choices.reserve(rows.size());
  for (const Row& row : rows) choices.push_back(row.choice());
  const auto left_out = uneven_items(choices, kModalityMargin, seed_of(options, files, "modality"));
  std::vector<std::size_t> kept;
  auto next = left_out.begin();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (next == left_out.end() || *next != i) {
      kept.push_back(i);
      continue;
    }
    ++next;
    std::vector<std::string_view> present;
    for (int scene = 0; scene < rows[i].num_scenes; ++scene) {
      present.push_back(to_string(rows[i].modalities[static_cast<std::size_t>(scene)]));
    }
    std::sort(present.begin(), present.end());
    stage.drop(rows[i].id, "modality",
               fmt::format("{} is right too often among {}", to_string(choices[i].right),
                           fmt::join(present, ", ")));
  }
  return kept;
}

std::string reordered(std::string_view list, std::span<const std::size_t> entries) {
  data::JsonSlices slices(list);
  std::vector<std::string_view> elements;
  elements.reserve(entries.size());
  while (elements.size() < entries.size()) elements.push_back(slices.next());
  std::string text = "[";
  for (const std::size_t entry : entries) {
    if (text.size() > 1) text += ", ";
    text += elements[entry];
  }
  return text + "]";
}

std::string list_of_texts(const std::vector<std::string>& texts) {
  io::JsonWriter json;
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  return json.end_array().take();
}

// Writes rows with their scenes moved.
class RowMover {
 public:
  explicit RowMover(bool compat) : compat_(compat) {}

  void append(const Row& row, std::string_view text, std::string& into) {
    edits_.clear();
    const auto order = moved_order(row.num_scenes, row.answer, row.place);
    std::vector<std::string> answers = row.answers;
    if (!compat_) {
      for (std::string& answer : answers) answer = moved_answer(answer, order, row.answer);
    } else if (row.place != row.answer) {
      answers.front() = scene_name(row.place);
    }
    if (compat_ || answers != row.answers) edit(row.answers_list, list_of_texts(answers));
    if (row.place != row.answer) move(row, text, order);
    std::sort(edits_.begin(), edits_.end(),
              [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
    std::size_t at = 0;
    for (const auto& [piece, replacement] : edits_) {
      into += text.substr(at, piece.begin - at);
      into += replacement;
      at = piece.begin + piece.size;
    }
    into += text.substr(at);
  }

 private:
  void edit(Piece piece, std::string replacement) {
    edits_.emplace_back(piece, std::move(replacement));
  }
  void move(const Row& row, std::string_view text, const scoring::SceneOrder& order) {
    const std::vector<std::size_t> scenes(order.begin(), order.end());
    const auto of = [&](Piece piece) { return text.substr(piece.begin, piece.size); };
    edit(row.modalities_list, reordered(of(row.modalities_list), scenes));
    edit(row.examples, reordered(of(row.examples), scenes));
    if (row.formatted.size > 0) {
      edit(row.formatted, list_of_texts(std::vector(row.answers.size(), scene_name(row.place))));
    }
    if (row.replies.empty()) return;
    const auto& entries = entries_of(order);
    for (const Piece& replies : row.replies) edit(replies, reordered(of(replies), entries));
  }
  const std::vector<std::size_t>& entries_of(const scoring::SceneOrder& order) {
    for (const auto& [known, entries] : known_) {
      if (known == order) return entries;
    }
    return known_.emplace_back(order, list_order(order)).second;
  }

  bool compat_;
  std::vector<std::pair<Piece, std::string>> edits_;
  std::vector<std::pair<scoring::SceneOrder, std::vector<std::size_t>>> known_;
};

// As scoring::blind_rows(items, items), with the priors that the counts give at
// once: fitting them row by row takes longer than all the rest of the step.
std::vector<scoring::BlindRow> blind_rows_of(std::span<const Item> items,
                                             const BalanceState& state) {
  std::map<int, int> places;
  for (int n = kMinScenes; n <= kMaxScenes; ++n) {
    const auto& counts = state.positions[static_cast<std::size_t>(n)];
    places[n] =
        static_cast<int>(std::max_element(counts.begin(), counts.begin() + n) - counts.begin());
  }
  std::vector<std::unique_ptr<scoring::BlindRule>> rules;
  std::vector<scoring::BlindRow> rows;
  for (const std::string& name : scoring::blind_rule_names()) {
    if (name == "modality-prior") {
      rules.push_back(std::make_unique<scoring::ModalityPrior>(state.best_order.order));
    } else if (scoring::is_fitted_rule(name)) {
      rules.push_back(std::make_unique<scoring::PositionPrior>(places));
    } else {
      rules.push_back(scoring::make_blind_rule(name, {}));
    }
    scoring::BlindRow& row = rows.emplace_back();
    row.name = name;
    row.note = rules.back()->note();
    row.observations.reserve(items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto views = scoring::scene_views(items[i]);
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
      rows[rule].observations.push_back({i, rules[rule]->expected_hit(views, *items[i].answer)});
    }
  }
  return rows;
}

BalanceState state_of(std::span<const Item> items) {
  BalanceState state;
  state.rows = static_cast<std::int64_t>(items.size());
  std::vector<ModalityChoice> choices;
  choices.reserve(items.size());
  for (const Item& item : items) {
    const auto n = static_cast<std::size_t>(item.num_scenes());
    const auto place = static_cast<std::size_t>(*item.answer);
    ModalityChoice& choice = choices.emplace_back();
    choice.num_scenes = static_cast<std::uint8_t>(n);
    choice.right = item.scenes[place].modality;
    for (const Scene& scene : item.scenes) {
      choice.present |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(scene.modality));
    }
    ++state.positions[n][place];
    ++state.modalities[static_cast<std::size_t>(choice.right)];
  }
  state.best_order = best_modality_order(choices);
  state.blind = blind_rows_of(items, state);
  return state;
}

void move_items(std::vector<Item>& items, const std::vector<Row>& rows,
                std::span<const std::size_t> sequence) {
  std::vector<Item> moved;
  moved.reserve(sequence.size());
  for (const std::size_t i : sequence) {
    Item& item = moved.emplace_back(std::move(items[i]));
    const Row& row = rows[i];
    if (row.place == row.answer) continue;
    Scene right = std::move(item.scenes[static_cast<std::size_t>(row.answer)]);
    item.scenes.erase(item.scenes.begin() + row.answer);
    item.scenes.insert(item.scenes.begin() + row.place, std::move(right));
    item.answer = row.place;
  }
  items = std::move(moved);
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
  RowFile file(find_step_file(filter_stage_output(files), "contra4 filter"), options);
  if (!file.load(stage, stop)) {
    outcome.step.is_cancelled = true;
    return outcome;
  }
  std::vector<Row>& rows = file.rows();

  std::vector<std::size_t> sequence;
  if (options.compat) {
    sequence = place_as_published(rows);
  } else if (options.by_modality) {
    sequence = drop_uneven(rows, options, files, stage);
  } else {
    for (std::size_t i = 0; i < rows.size(); ++i) sequence.push_back(i);
  }
  if (!options.compat && options.by_position) place_evenly(rows, sequence, options, files);

  // Counting touches the items alone, moving the texts alone.
  auto states = std::async(std::launch::async, [&] {
    std::vector<BalanceState> before_and_after = {state_of(file.items())};
    move_items(file.items(), rows, sequence);
    before_and_after.push_back(state_of(file.items()));
    return before_and_after;
  });
  RowOutputs output({files.balanced()}, options.durability);
  RowMover mover(options.compat);
  RowBlock block;
  for (const std::size_t i : sequence) {
    if (stop.stop_requested()) {
      outcome.step.is_cancelled = true;
      return outcome;
    }
    const std::size_t begin = block.text.size();
    mover.append(rows[i], file.text(rows[i]), block.text);
    block.rows.push_back({begin, block.text.size() - begin, 1});
    if (block.text.size() >= kBlockBytes) output.write(std::exchange(block, {}));
  }
  output.write(std::move(block));
  outcome.before_and_after = states.get();
  output.commit();

  const auto num_moved = std::count_if(sequence.begin(), sequence.end(), [&](std::size_t i) {
    return rows[i].place != rows[i].answer;
  });
  const auto written = static_cast<std::int64_t>(sequence.size());
  outcome.step.counts = {
      {"rows", file.num_read()},
      {"unfit", file.num_read() - static_cast<std::int64_t>(rows.size())},
      {"dropped for their modality", static_cast<std::int64_t>(rows.size()) - written},
      {"moved", num_moved},
      {"balanced", written}};
  outcome.step.notes = {order_note("before", outcome.before_and_after.front()),
                        order_note("after", outcome.before_and_after.back())};
  stage.finish(outcome.step.counts);  // the notes are of the table, not of the data
  return outcome;
}

}  // namespace contra4::pipeline
