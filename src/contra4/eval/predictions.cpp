#include "contra4/eval/predictions.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/data/prediction_rows.h"
#include "contra4/eval/run_journal.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/scene_view.h"
#include "contra4/scoring/trial.h"

namespace contra4::eval {

namespace {

// The scenes as the model saw them; without captions where it saw none or where they are gone.
std::vector<scoring::SceneView> views_as_shown(const Item& item, const SceneOrder& order,
                                               const Result<std::vector<ShownScene>>& shown) {
  std::vector<scoring::SceneView> views = scoring::scene_views(item, order);
  for (std::size_t place = 0; place < views.size(); ++place) {
    views[place].caption =
        shown ? std::string_view((*shown)[static_cast<std::size_t>(order[place])].caption)
              : std::string_view();
  }
  return views;
}

std::string row_json(const Item& item, const SceneOrder& order, const ReplyRecord& entry,
                     std::optional<int> choice) {
  io::JsonWriter json;
  json.begin_object();
  json.key("id");
  if (item.id.is_integer) {
    json.raw(item.id.text);
  } else {
    json.value(item.id.text);
  }
  json.key("gt_answer");
  if (item.answer) {
    json.value(scene_name(scoring::shown_place(order, *item.answer)));
  } else {
    json.null();
  }
  // A model that decides by scores alone has no words; readers of other programs look for some.
  json.member("pred_ans", entry.text.empty() && choice ? scene_name(*choice) : entry.text);
  json.key("choice");
  if (choice) {
    json.value(std::string(1, scene_letter(*choice)));
  } else {
    json.null();
  }
  json.member("permutation", order_name(order));
  if (entry.state == RequestState::kBlocked) json.member("status", "blocked");
  json.end_object();
  return json.take();
}

// Kinds of trouble with a count and the first cases each, as lines for people.
class Troubles {
 public:
  void add(const std::string& kind, std::string found) {
    Trouble& trouble = troubles_[kind];
    if (trouble.count++ < kMaxCases) trouble.cases.push_back(std::move(found));
  }
  std::vector<std::string> lines(const std::filesystem::path& path) const {
    std::vector<std::string> lines;
    for (const auto& [kind, trouble] : troubles_) {
      lines.push_back(fmt::format("{}: {} {} {}: {}{}", path.filename().string(), trouble.count,
                                  trouble.count == 1 ? "row" : "rows", kind,
                                  fmt::join(trouble.cases, ", "),
                                  trouble.count > kMaxCases ? ", ..." : ""));
    }
    return lines;
  }

 private:
  static constexpr std::int64_t kMaxCases = 5;
  struct Trouble {
    std::int64_t count = 0;
    std::vector<std::string> cases;
  };
  std::map<std::string, Trouble> troubles_;
};

class PredictionReader {
 public:
  PredictionReader(std::filesystem::path path, std::span<const Item> items)
      : path_(std::move(path)), items_(items) {
    index_.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) index_.emplace(items[i].id.text, i);
  }

  void take(const io::JsonValue& row, std::uint64_t number) {
    ++rows_;
    const std::string where = fmt::format("row {}", number);
    const auto id = data::find_text_or_integer(data::find_prediction_id(row));
    if (!id) return wrong("without an id", where);
    const io::JsonValue* const answer = data::find_prediction_answer(row);
    if (answer == nullptr)
      return wrong("without pred_ans or answer", fmt::format("{} ({})", where, *id));
    if (row.find("examples") != nullptr && row.find("pred_ans") == nullptr &&
        row.find("pred_answer") == nullptr) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: row {} holds scenes and no pred_ans: a data set, whose "
                                  "'answer' is the gold answer; wanted predictions",
                                  path_.string(), number));
    }
    const auto found = index_.find(*id);
    if (found == index_.end()) {
      ++set_.unknown_ids;
      troubles_.add("of items that the set does not have", fmt::format("{} ({})", *id, where));
      return;
    }
    const Item& item = items_[found->second];
    Prediction prediction;
    prediction.item = found->second;
    prediction.order = file_order(item.num_scenes());
    if (const io::JsonValue* permutation = row.find("permutation");
        permutation != nullptr && !permutation->is_null()) {
      const auto order =
          parse_order(data::find_text_or_integer(permutation).value_or(""), item.num_scenes());
      if (!order) {
        return wrong("with a permutation that does not fit the item's scenes",
                     fmt::format("{} ({})", where, *id));
      }
      prediction.order = *order;
    }
    if (const auto text = data::find_text_or_integer(answer)) {
      prediction.text = *text;
    } else if (!answer->is_null()) {
      return wrong("whose answer is no text", fmt::format("{} ({})", where, *id));
    }
    prediction.is_blocked = data::is_blocked_prediction(row);
    prediction.choice = choice_of(row, item, prediction, where);
    if (!seen_[prediction.item].insert(order_name(prediction.order)).second) {
      ++set_.duplicates;
      troubles_.add("of questions that have one already (the first counts)",
                    fmt::format("{} ({})", *id, where));
      return;
    }
    set_.rows.push_back(std::move(prediction));
  }

  void wrong(const std::string& kind, std::string found) {
    ++set_.wrong_rows;
    troubles_.add(kind, std::move(found));
  }

  PredictionSet finish() {
    if (set_.rows.empty() && rows_ > 0) {
      std::string reasons;
      for (const std::string& line : troubles_.lines(path_)) reasons += "\n  " + line;
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: not one of {} rows is a prediction for this set; predictions "
                      "of another one?{}",
                      path_.string(), rows_, reasons));
    }
    std::stable_sort(set_.rows.begin(), set_.rows.end(),
                     [](const Prediction& a, const Prediction& b) {
                       return a.item != b.item ? a.item < b.item : a.order < b.order;
                     });
    set_.warnings = troubles_.lines(path_);
    return std::move(set_);
  }

 private:
  // A `choice` in the file is what the run decided and is believed, null too; a file without one is
  // read by the words.
  std::optional<int> choice_of(const io::JsonValue& row, const Item& item,
                               const Prediction& prediction, const std::string& where) {
    if (prediction.is_blocked) return std::nullopt;
    if (const io::JsonValue* choice = row.find("choice")) {
      if (choice->is_null()) return std::nullopt;
      const std::string* const letter = choice->find_string();
      const auto place = letter == nullptr ? std::nullopt : parse_gold_answer(*letter);
      if (place && *place < item.num_scenes()) return place;
      troubles_.add("whose choice is no scene of the item (read from the words instead)",
                    fmt::format("{} ({})", where, item.id.text));
    }
    return scoring::parse_choice(prediction.text, scoring::scene_views(item, prediction.order))
        .index;
  }

  std::filesystem::path path_;
  std::span<const Item> items_;
  std::unordered_map<std::string_view, std::size_t> index_;
  std::unordered_map<std::size_t, std::set<std::string>> seen_;
  std::uint64_t rows_ = 0;
  PredictionSet set_;
  Troubles troubles_;
};

}  // namespace

std::int64_t write_predictions(const RequestPlan& plan, const SceneSource& scenes,
                               const std::filesystem::path& journal_path,
                               const std::filesystem::path& output) {
  JournalIndex index(plan);
  index.read(journal_path);
  std::optional<JournalLines> lines;
  std::optional<Result<std::vector<ShownScene>>> shown;
  std::size_t shown_item = 0;
  std::int64_t rows = 0;
  io::AtomicFile file(output);
  file.write("[");
  for (std::size_t number = 0; number < plan.num_requests(); ++number) {
    if (!is_final(index.state(number))) continue;
    if (!lines) lines.emplace(journal_path);
    const PlannedRequest request = plan.request(number);
    const Item& item = plan.items()[request.item];
    const ReplyRecord entry = lines->at(index.offset(number));
    std::optional<int> choice;
    if (entry.state == RequestState::kAnswered) {
      choice = entry.choice;
      if (!choice) {
        if (!shown || shown_item != request.item) {
          shown.emplace(scenes.scenes_of(item));
          shown_item = request.item;
        }
        choice =
            scoring::parse_choice(entry.text, views_as_shown(item, request.order, *shown)).index;
      }
      if (choice && *choice >= item.num_scenes()) choice.reset();
    }
    file.write(rows++ == 0 ? "\n  " : ",\n  ");
    file.write(row_json(item, request.order, entry, choice));
  }
  file.write(rows == 0 ? "]\n" : "\n]\n");
  file.commit();
  return rows;
}

PredictionSet read_predictions(const std::filesystem::path& path, std::span<const Item> items) {
  PredictionReader reader(path, items);
  data::read_prediction_rows(
      io::read_file(path), path,
      [&](const io::JsonValue& row, std::uint64_t number) { reader.take(row, number); });
  return reader.finish();
}

}  // namespace contra4::eval
